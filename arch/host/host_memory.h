/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of the host process, for the simulator's own use: zeroed, or the process ends. */
#pragma once

#include <stddef.h>

void *host_allocate(size_t size);
void *host_reallocate(void *pointer, size_t size);

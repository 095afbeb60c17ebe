/* SPDX-License-Identifier: BSD-3-Clause */
/* The console: a PL011, polled, behind picolibc's stdout. */
#pragma once

#include <arch/address.h>

/* From now on characters go to the PL011 at @uart, which must be mapped as device memory. */
void console_init(struct paddr uart);

/* SPDX-License-Identifier: BSD-3-Clause */
/* The console: a PL011, polled, behind picolibc's stdout. */
#pragma once

#include <arch/address.h>

/* From now on characters go to the PL011 at @uart, which is mapped as device memory and stays so until
 * the next call. */
void console_init(struct iaddr uart);

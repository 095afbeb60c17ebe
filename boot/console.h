/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The console: a PL011, polled, behind picolibc's stdout.
 *
 * Lines are whole: what a CPU prints waits in a buffer of its own for the end of its line, and one CPU at
 * a time sends its own.
 */
#pragma once

#include <arch/address.h>

/* From now on characters go to the PL011 at @uart, which is mapped as device memory and stays so until
 * the next call. While one CPU runs. */
void console_init(struct iaddr uart);

/* Sends what this CPU has printed of a line that has no end yet. */
void console_flush(void);

/* For a CPU that prints no more, and may be in the middle of a line. */
void console_release(void);

/* SPDX-License-Identifier: BSD-3-Clause */
/* TAP on the board's UART, and the end by semihosting. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* One point: @claim holds or does not. Returns @holds. */
bool check(bool holds, const char *claim);

/* A line of comment: "# library: @text, @value". */
void comment(const char *text, uint64_t value);

/* The plan, then the end: exit code 0 if every point held, 1 if not. */
void __attribute__((noreturn)) finish(void);

/* The end without a plan: exit code 2. */
void __attribute__((noreturn)) bail_out(const char *reason, uint64_t value);

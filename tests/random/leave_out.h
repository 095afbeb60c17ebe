/* SPDX-License-Identifier: BSD-3-Clause */
/* Delta debugging: ever smaller runs of steps are left out, as long as what is left is wrong too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Leaves out steps @first to @first + @length of those that are left, if the rest is wrong in the same way;
 * then the steps behind them have moved up. False: they stay.
 */
typedef bool leave_out_run(void *context, size_t first, size_t length);

/* Of @count steps, until none can be left out any more. One stays at least. */
void leave_out(size_t count, leave_out_run *run, void *context);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All CPUs of the board: brought up once, and given work by the boot CPU.
 *
 * Promise: a CPU that is up runs on EL2's own table, with the registers, protections, vectors and traps of
 * the boot CPU, on its own stack, and with interrupts masked. One that cannot be started, does not come up
 * within CPUS_MILLISECONDS, or lacks a feature that the boot CPU has, is named in the log and left out; the
 * rest go on. It is left out for good: should it arrive later, it is counted and halts.
 *
 * Indices are those of cpu_index(): 0 is the boot CPU, the others follow in the order of the device tree; one
 * that was called and did not come keeps its index and its stack, which it may still be on.
 */
#pragma once

#include <stdbool.h>
#include "boot_info.h"

#define CPUS_MILLISECONDS 2000

/* Brings up what @info names; once, on the boot CPU, on EL2's own table. */
void cpus_start(const struct boot_info *info);

/* How many are up, the boot CPU among them. */
unsigned int cpus_up(void);

bool cpus_is_up(unsigned int index);

/* How many of those that were left out arrived later, so far. */
unsigned int cpus_came_late(void);

typedef void (*cpus_function)(void *argument);

/*
 * Runs @function on every CPU that is up, this one too, and returns when it has returned on all of them.
 * What was stored before the call is seen by @function, and what it stored after the call. On the boot CPU
 * only, and not from @function.
 */
void cpus_run(cpus_function function, void *argument);

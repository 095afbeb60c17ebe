/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One CPU ends the run, whatever the others do.
 *
 * Promise: what the first CPU that finds something wrong has to say is said whole, and nothing after it.
 * EL2 runs with interrupts masked, so that nobody can be stopped in the middle of a step: each of the
 * others halts at its next line of output, its next exit from a guest or its next look for work, and a
 * CPU that waits or runs a guest is woken for it.
 */
#pragma once

/* This CPU ends the run. Does not return on any other one once a CPU has called it. May be called again. */
void stop_others(void);

/* Does not return if another CPU ends the run. */
void stop_if_asked(void);

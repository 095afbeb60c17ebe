/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a CPU does that waits for another one: cpu_relax is a hint in a loop, and that is right where each
 * CPU is one. On an emulator whose host has fewer, who waits takes the host's from who has the lock: there
 * a host of the subsystem says how to let go of it for a while.
 */
#pragma once

/* From now on every CPU calls @doze each CPU_RELAX_DOZE times that it relaxes; NULL: none does. @doze
 * returns soon, whether it slept or not, calls nothing of the subsystem, and may not come back at all. While
 * one CPU runs. */
void cpu_relax_doze(void (*doze)(void));

#define CPU_RELAX_DOZE 128

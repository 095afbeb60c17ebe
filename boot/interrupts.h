/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two interrupts that EL2 wants on each CPU: its own physical timer (CNTHP, PPI 26), to take the CPU
 * back from a guest, and one that other CPUs send to wake it. GICv2 and GICv3; every other interrupt is
 * left disabled.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "boot_info.h"

/* On the boot CPU. False if the board has no interrupt controller we know: guests then run without time
 * slices. Asked once more, it gives the same answer. */
bool interrupts_init(const struct boot_info *info);

/* On each other CPU, after that. False if the controller does not reach it. */
bool interrupts_init_this_cpu(void);

/* Makes the timer of this CPU fire once, @microseconds from now. */
void timer_start(uint64_t microseconds);
void timer_stop(void);

/* After VCPU_EXIT_IRQ: acknowledges and ends the pending interrupt. True if it was the timer, which
 * is then off. */
bool interrupts_take_timer(void);

/* Makes the CPU of that index, which is up, return from interrupts_wait, now or the next time. What this
 * CPU stored before is seen by it then. */
void interrupts_wake(unsigned int cpu);

/* Waits, until it is woken or without reason: the caller asks for its reason in a loop. */
void interrupts_wait(void);

/* Waits a moment, until it is woken, or not at all. The timer is as before. */
void interrupts_doze(void);

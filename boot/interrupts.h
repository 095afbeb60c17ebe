/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one interrupt that EL2 wants: its own physical timer (CNTHP, PPI 26), to take the CPU back
 * from a guest. GICv2 and GICv3; every other interrupt is left disabled.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "boot_info.h"

/* False if the board has no interrupt controller we know: guests then run without time slices. */
bool interrupts_init(const struct boot_info *info);

/* Makes the timer fire once, @microseconds from now. */
void timer_start(uint64_t microseconds);
void timer_stop(void);

/* After VCPU_EXIT_IRQ: acknowledges and ends the pending interrupt. True if it was the timer, which
 * is then off. */
bool interrupts_take_timer(void);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One private interrupt of this CPU through its interrupt controller. Non-secure Group 1, or the
 * only group where the controller has no Security extensions; everything else is disabled.
 */
#pragma once

#include <arch/address.h>
#include <stdbool.h>

/* What acknowledging returns when nothing is pending: 1020 and above (Arm IHI 0048, IHI 0069). */
#define GIC_SPURIOUS 1020

/* Registers are given where they are mapped. */

/* Makes @interrupt (16 to 31) the only one that reaches this CPU. */
void gic_v2_init(struct irange distributor, struct irange cpu_interface, unsigned int interrupt);
/* False: the system registers are not there, or no redistributor is this CPU's. */
bool gic_v3_init(struct irange distributor, struct irange redistributors, unsigned int interrupt);

/* The pending interrupt, which is active from then on, or GIC_SPURIOUS and above. */
unsigned int gic_v2_acknowledge(void);
unsigned int gic_v3_acknowledge(void);

/* Ends @interrupt, as acknowledged. */
void gic_v2_end(unsigned int interrupt);
void gic_v3_end(unsigned int interrupt);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The private interrupts of each CPU through the interrupt controller: 0 to 15 are sent by other CPUs, 16
 * to 31 are this CPU's own. Non-secure Group 1, or the only group where the controller has no Security
 * extensions; everything else is disabled.
 */
#pragma once

#include <arch/address.h>
#include <stdbool.h>

/* What acknowledging returns when nothing is pending: 1020 and above (Arm IHI 0048, IHI 0069). */
#define GIC_SPURIOUS 1020

/* Registers are given where they are mapped. */

/* Makes the controller reach nobody yet. Once, before any CPU. */
void gic_v2_init(struct irange distributor, struct irange cpu_interface);
void gic_v3_init(struct irange distributor, struct irange redistributors);

/* Makes the private interrupts of the set @enabled the only ones that reach this CPU. */
void gic_v2_init_cpu(uint32_t enabled);
/* False: the system registers are not there, or no redistributor is this CPU's. */
bool gic_v3_init_cpu(uint32_t enabled);

/* Makes @interrupt, below 16, pending on the CPU of that index, which was initialised. What this CPU
 * stored before is seen by who takes it. */
void gic_v2_send(unsigned int interrupt, unsigned int cpu);
void gic_v3_send(unsigned int interrupt, unsigned int cpu);

/* The number of an acknowledged interrupt. */
#define GIC_INTERRUPT(acknowledged) ((acknowledged)&GIC_INTERRUPT_MASK)
#define GIC_INTERRUPT_MASK 0x3ff

/* Acknowledges what is pending, which is active from then on: its number and, of a GICv2, who sent it.
 * The number is GIC_SPURIOUS and above if nothing is. */
uint32_t gic_v2_acknowledge(void);
uint32_t gic_v3_acknowledge(void);

/* Ends what was acknowledged. */
void gic_v2_end(uint32_t acknowledged);
void gic_v3_end(uint32_t acknowledged);

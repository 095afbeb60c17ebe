/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each CPU has of its own.
 *
 * Invariant: TPIDR_EL2 holds the address of this CPU's element of percpu_data from the first
 * instructions of start-up on; the element's place in the array is the CPU's index. Zeroes are a
 * valid initial state, so that setting TPIDR_EL2 and clearing .bss is all the set-up there is:
 *
 *	adrp	x0, percpu_data
 *	add	x0, x0, :lo12:percpu_data	// + index << PERCPU_STRIDE_SHIFT
 *	msr	tpidr_el2, x0
 *
 * The top of each element is the CPU's emergency stack: an exception taken from EL2 itself is
 * handled there, whatever state the ordinary stack is in. The page below the stack is for start-up
 * to leave out of EL2's Stage 1: then an overflow faults, instead of running into struct percpu.
 *
 *  percpu_data + index * PERCPU_STRIDE                                    + PERCPU_STRIDE
 *  ├─ struct percpu ─┼─ cpu_local() ─┼─ guard page ─┼─ emergency stack, grows down ─┤
 *  ├─────── PERCPU_STATE_SIZE ───────┤
 *
 * An exception that finds the emergency stack used up starts again at its top, over the frames of
 * those it interrupts, none of which is returned to: once, to say so. The next one halts the CPU.
 */
#pragma once

#define PERCPU_STRIDE_SHIFT 15
#define PERCPU_STRIDE (1 << PERCPU_STRIDE_SHIFT)
#define PERCPU_STATE_SIZE 4096
#define PERCPU_LOCAL 2048 /* from here to the end of the state: cpu_local() */
#define PERCPU_GUARD_SIZE 4096
#define PERCPU_STACK_START (PERCPU_STATE_SIZE + PERCPU_GUARD_SIZE)

/* Offsets into struct percpu, for assembly; checked in cpu.c. */
#define PERCPU_VCPU 0
#define PERCPU_SCRATCH 16
#define PERCPU_OVERFLOWED 40

#ifndef __ASSEMBLER__

#include <arch/counters.h>
#include <arch/max_cpus.h>
#include <arch/translation.h>
#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* Which virtual CPU ran here last under a VMID (vcpu_tlb.c); VMIDs that share a place forget. */
#define PERCPU_VMID_OWNERS 16

struct percpu_vmid_owner {
	const struct vcpu *vcpu;
	uint16_t vmid;
};

struct percpu {
	struct vcpu *vcpu;	 /* that runs, or NULL */
	uint64_t host_tpidr_el0; /* EL2's own thread pointer, while a guest runs */
	uint64_t scratch[3];	 /* of the vectors, before they have a stack */
	uint64_t overflowed;	 /* not 0: the emergency stack was used up */
	uint64_t guest_hcr;	 /* HCR_EL2 of every guest */
	uint32_t relaxed;	 /* how often (relax.h) */
	bool stage2_is_active;
	struct stage2_context stage2; /* what stage2_load wrote last; if stage2_is_active */
	struct arch_counters counters;
	struct percpu_vmid_owner vmid_owners[PERCPU_VMID_OWNERS];
};

union percpu_element {
	struct percpu state;
	_Alignas(16) unsigned char bytes[PERCPU_STRIDE];
};

/* Hidden: reached without a table of addresses, whatever it is linked into. */
extern union percpu_element percpu_data[STRATA_MAX_CPUS] __attribute__((visibility("hidden")));

static inline struct percpu *percpu_this(void)
{
	struct percpu *this;

	/* Not volatile: a CPU never becomes another one. */
	__asm__("mrs %0, tpidr_el2" : "=r"(this));
	return this;
}

#endif

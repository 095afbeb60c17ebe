/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stacks of EL2: one for each CPU, and one more for its exceptions (aarch64/percpu.h). Below
 * each lies a guard page, which is never mapped: an overflow faults instead of running into what is
 * there.
 */
#pragma once

#define STACK_GUARD_SIZE 4096
#define STACK_SIZE 65536

#ifndef __ASSEMBLER__

#include <arch/address.h>
#include <arch/cpu.h>
#include <stdbool.h>

struct cpu_stack {
	unsigned char guard[STACK_GUARD_SIZE];
	unsigned char bytes[STACK_SIZE];
};

extern struct cpu_stack cpu_stacks[STRATA_MAX_CPUS];

/* All guard pages, ascending: first those of the emergency stacks. */
#define STACK_GUARDS (2 * STRATA_MAX_CPUS)

/* Guard page @index of STACK_GUARDS. */
struct prange stack_guard(unsigned int index);

/* Whose it is. */
static inline bool stack_guard_is_emergency(unsigned int index)
{
	return index < STRATA_MAX_CPUS;
}

static inline unsigned int stack_guard_cpu(unsigned int index)
{
	return index % STRATA_MAX_CPUS;
}

/* What of the image is writable: piece @index, 0 to STACK_GUARDS, of those that the guard pages cut
 * it into; ascending. */
struct prange stack_guard_gap(unsigned int index);

/* The stack that @address lies in; empty if there is none. */
struct prange stack_at(uint64_t address);

#endif

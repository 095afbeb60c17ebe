/* SPDX-License-Identifier: BSD-3-Clause */
#include "read_section.h"
#include <arch/cpu.h>
#include "per_cpu.h"

/*
 * A CPU's counter is odd while it is in a section. The fences make entering and reading tables, and
 * detaching and looking at counters, happen in one order for all: either the reader does not find
 * the detached table, or who detached it sees the reader.
 */
void read_section_enter(void)
{
	_Atomic uint32_t *sections = &mm_this_cpu()->read_sections;

	atomic_store_explicit(sections, atomic_load_explicit(sections, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}

void read_section_leave(void)
{
	_Atomic uint32_t *sections = &mm_this_cpu()->read_sections;

	/* Release: what was read in the section was read before it ended. */
	atomic_store_explicit(sections, atomic_load_explicit(sections, memory_order_relaxed) + 1,
			      memory_order_release);
}

void read_section_wait(void)
{
	unsigned int self = cpu_index();

	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		_Atomic uint32_t *sections = &mm_cpus[cpu].read_sections;
		uint32_t seen = atomic_load_explicit(sections, memory_order_acquire);

		if (cpu == self || (seen & 1) == 0)
			continue;
		while (atomic_load_explicit(sections, memory_order_acquire) == seen)
			cpu_relax();
	}
}

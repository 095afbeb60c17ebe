/* SPDX-License-Identifier: BSD-3-Clause */
#include "read_section.h"
#include <arch/cpu.h>
#include "per_cpu.h"

void read_section_wait(void)
{
	unsigned int self = cpu_index();

	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		_Atomic uint32_t *sections = &mm_cpu_of(cpu)->read_sections;
		uint32_t seen = atomic_load_explicit(sections, memory_order_acquire);

		if (cpu == self || (seen & 1) == 0)
			continue;
		while (atomic_load_explicit(sections, memory_order_acquire) == seen)
			cpu_relax();
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "read_section.h"
#include <arch/cpu.h>
#include "per_cpu.h"

/* Acquire: what a CPU read in a section that has ended, it read before what comes now. */
static uint32_t counter_of(unsigned int cpu)
{
	return atomic_load_explicit(&mm_cpu_of(cpu)->read_sections, memory_order_acquire);
}

bool read_sections_any(void)
{
	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++)
		if ((counter_of(cpu) & 1) != 0)
			return true;
	return false;
}

bool read_sections_note(struct read_sections *out)
{
	bool any = false;

	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		uint32_t seen = counter_of(cpu);

		out->seen[cpu] = (seen & 1) != 0 ? seen : 0;
		any |= out->seen[cpu] != 0;
	}
	return any;
}

static bool has_ended(const struct read_sections *sections, unsigned int cpu)
{
	return sections->seen[cpu] == 0 || counter_of(cpu) != sections->seen[cpu];
}

bool read_sections_ended(const struct read_sections *sections)
{
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++)
		if (!has_ended(sections, cpu))
			return false;
	return true;
}

void read_sections_wait(const struct read_sections *sections)
{
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++)
		while (!has_ended(sections, cpu))
			cpu_relax();
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/statistics.h>
#include "per_cpu.h"

struct mm_statistics mm_statistics(void)
{
	struct mm_statistics sum = { 0 };

	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		const struct mm_statistics *part = &mm_cpu_of(cpu)->statistics;

		sum.leaves_mapped += part->leaves_mapped;
		sum.leaves_unmapped += part->leaves_unmapped;
		sum.leaves_changed += part->leaves_changed;
		sum.blocks_split += part->blocks_split;
		sum.tables_merged += part->tables_merged;
		sum.tables_allocated += part->tables_allocated;
		sum.tables_freed += part->tables_freed;
		sum.gather_flushes += part->gather_flushes;
		sum.frames_parked += part->frames_parked;
		sum.vmid_rollovers += part->vmid_rollovers;
	}
	return sum;
}

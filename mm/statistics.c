/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/statistics.h>
#include "per_cpu.h"

struct mm_statistics mm_statistics(void)
{
	struct mm_statistics sum = { 0 };

	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		const struct cpu_statistics *part = &mm_cpu_of(cpu)->statistics;

#define ADD(member, text) sum.member += count_read(&part->member);
		MM_STATISTICS(ADD)
#undef ADD
	}
	return sum;
}

struct mm_lock_statistics mm_lock_statistics(enum mm_lock_class class)
{
	struct mm_lock_statistics sum = { 0 };

	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		const struct cpu_lock_statistics *part = &mm_cpu_of(cpu)->locks[class];

		sum.taken += count_read(&part->taken);
		sum.waited += count_read(&part->waited);
	}
	return sum;
}

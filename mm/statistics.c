/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/statistics.h>
#include "per_cpu.h"

#define COUNTS (sizeof(struct mm_statistics) / sizeof(uint64_t))

_Static_assert(sizeof(struct mm_statistics) == COUNTS * sizeof(uint64_t),
	       "it has nothing but counts");

struct mm_statistics mm_statistics(void)
{
	struct mm_statistics sum = { 0 };
	uint64_t *counts = (uint64_t *)&sum;

	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		const uint64_t *part = (const uint64_t *)&mm_cpu_of(cpu)->statistics;

		for (size_t i = 0; i < COUNTS; i++)
			counts[i] += __atomic_load_n(&part[i], __ATOMIC_RELAXED);
	}
	return sum;
}

struct mm_lock_statistics mm_lock_statistics(enum mm_lock_class class)
{
	struct mm_lock_statistics sum = { 0 };

	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		const struct mm_lock_statistics *part = &mm_cpu_of(cpu)->locks[class];

		sum.taken += __atomic_load_n(&part->taken, __ATOMIC_RELAXED);
		sum.waited += __atomic_load_n(&part->waited, __ATOMIC_RELAXED);
	}
	return sum;
}

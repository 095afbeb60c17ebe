/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each CPU keeps for itself, so that the common paths share no cache line: free pages ready to
 * hand out, and counts. Counts are written by their CPU alone; sums are exact when nothing runs.
 */
#pragma once

#include <arch/cpu.h>
#include <stdatomic.h>
#include <strata/mm.h>
#include <strata/statistics.h>
#include "linear.h"
#include "lock.h"

#define PAGE_CACHE_PAGES 64
#define PAGE_CACHE_BATCH 32

struct page_cache {
	struct ticket_lock lock; /* its CPU, and whoever wants a page, or all, out of it */
	uint32_t count;
	struct paddr pages[PAGE_CACHE_PAGES];
};

/* Aligned to a power of two, so that an index is a shift. */
struct mm_cpu {
	_Alignas(1024) struct page_cache cache;
	struct mm_statistics statistics;
	int64_t usage[PAGE_USAGE_COUNT]; /* gained here minus lost here */
	_Atomic uint32_t read_sections;	 /* begun and ended: odd inside one (read_section.h) */
};

extern MM_PRIVATE struct mm_cpu mm_cpus[STRATA_MAX_CPUS];

static inline struct mm_cpu *mm_this_cpu(void)
{
	return &mm_cpus[cpu_index()];
}

static inline void usage_changed(enum page_usage usage, int64_t pages)
{
	mm_this_cpu()->usage[usage] += pages;
}

#define COUNT(counter, amount) (mm_this_cpu()->statistics.counter += (amount))

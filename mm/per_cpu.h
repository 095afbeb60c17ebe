/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each CPU keeps for itself, so that the common paths share no cache line: free pages ready to
 * hand out, and counts. Counts are written by their CPU alone, and read by any: whole, and in no
 * order, so by relaxed loads and stores. Sums are exact when nothing runs.
 */
#pragma once

#include <arch/cpu.h>
#include <stdatomic.h>
#include <strata/mm.h>
#include <strata/statistics.h>
#include "lock.h"

#define PAGE_CACHE_PAGES 64
#define PAGE_CACHE_BATCH 32

struct slot;

/* page_cache.h; a page's address and its slot, which is not looked up again. */
struct page_cache_entry {
	_Atomic uint64_t page;
	struct slot *slot;
};

struct page_cache {
	uint64_t count; /* of entries in use, the first ones */
	struct page_cache_entry entries[PAGE_CACHE_PAGES];
};

/* struct mm_statistics and struct mm_lock_statistics, of one CPU. */
struct cpu_statistics {
#define CPU_STATISTIC(member, text) _Atomic uint64_t member;
	MM_STATISTICS(CPU_STATISTIC)
#undef CPU_STATISTIC
};

struct cpu_lock_statistics {
	_Atomic uint64_t taken;
	_Atomic uint64_t waited;
};

/* Sections that CPUs were in at one moment (read_section.h): the counter of each such CPU, or 0. */
struct read_sections {
	uint32_t seen[STRATA_MAX_CPUS];
};

/* Tables chained through their slots (node.h). */
struct table_batch {
	struct paddr first; /* only if count > 0 */
	uint64_t count;
};

/* Detached tables that a CPU may still be reading (deferred_tables.h). */
struct deferred_tables {
	struct ticket_lock lock; /* of all that follows */
	_Atomic uint64_t count;	 /* in both batches; also read without the lock */
	struct table_batch waiting, next;
	struct read_sections sections; /* that must end before waiting is freed */
};

struct mm_cpu {
	_Alignas(CPU_LOCAL_ALIGNMENT) struct page_cache cache;
	struct cpu_statistics statistics;
	struct cpu_lock_statistics locks[MM_LOCK_CLASS_COUNT];
#if STRATA_CHECKED
	struct locks_held locks_held;
#endif
	_Atomic int64_t usage[PAGE_USAGE_COUNT]; /* gained here minus lost here */
	_Atomic uint32_t read_sections; /* begun and ended: odd inside one (read_section.h) */
	uint32_t open_cursors;		/* here; of this CPU's own use (node_patience) */
	struct vm_space *window;	/* the window space that is active here, or NULL */
	struct deferred_tables deferred;
};

_Static_assert(sizeof(struct mm_cpu) <= CPU_LOCAL_SIZE, "a CPU keeps it for mm/");

static inline struct mm_cpu *mm_cpu_of(unsigned int index)
{
	return (struct mm_cpu *)cpu_local_of(index);
}

static inline struct mm_cpu *mm_this_cpu(void)
{
	return (struct mm_cpu *)cpu_local();
}

static inline void usage_changed(enum page_usage usage, int64_t pages)
{
	_Atomic int64_t *count = &mm_this_cpu()->usage[usage];

	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + pages,
			      memory_order_relaxed);
}

static inline void count_add(_Atomic uint64_t *count, uint64_t amount)
{
	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + amount,
			      memory_order_relaxed);
}

/* What some CPU has counted. */
static inline uint64_t count_read(const _Atomic uint64_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

#define COUNT(counter, amount) count_add(&mm_this_cpu()->statistics.counter, (amount))

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the subsystem did since mm_init, summed over spaces and CPUs. See also arch/counters.h. */
#pragma once

#include <stdint.h>
#include <strata/lock_class.h>

/* X(member of struct mm_statistics, what a report calls it) */
#define MM_STATISTICS(X)                                                                           \
	X(leaves_mapped, "leaves mapped")     /* leaf descriptors written where there was none */  \
	X(leaves_unmapped, "leaves unmapped") /* leaf descriptors removed */                       \
	X(leaves_changed, "leaves changed")   /* those whose property or output changed */         \
	X(blocks_split, "blocks split")                                                            \
	X(tables_merged, "tables merged to blocks")                                                \
	X(tables_allocated, "tables allocated")                                                    \
	X(tables_freed, "tables freed")                                                            \
	X(tables_deferred, "tables deferred") /* not freed at once: strata/deferred_tables.h */    \
	X(gather_flushes, "flushes")	      /* gathers that had something to invalidate */       \
	X(frames_parked, "pages parked")      /* whose references waited for a flush */            \
	X(vmid_rollovers, "rollovers of VMIDs")

struct mm_statistics {
#define MM_STATISTIC(member, text) uint64_t member;
	MM_STATISTICS(MM_STATISTIC)
#undef MM_STATISTIC
};

struct mm_statistics mm_statistics(void);

struct mm_lock_statistics {
	uint64_t taken; /* how often; counted in checked builds only, 0 in others */
	/* How often another CPU had it. Of a node each try in vain counts: who finds one taken begins
	 * again. Of all others each wait counts, however long it is. */
	uint64_t waited;
};

/* All locks of @class, since mm_init, summed over CPUs. */
struct mm_lock_statistics mm_lock_statistics(enum mm_lock_class class);

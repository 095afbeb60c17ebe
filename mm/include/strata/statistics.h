/* SPDX-License-Identifier: BSD-3-Clause */
/* What the subsystem did since mm_init, summed over spaces and CPUs. See also arch/counters.h. */
#pragma once

#include <stdint.h>
#include <strata/lock_class.h>

struct mm_statistics {
	uint64_t leaves_mapped;	  /* leaf descriptors written where there was none */
	uint64_t leaves_unmapped; /* leaf descriptors removed */
	uint64_t leaves_changed;  /* leaf descriptors whose property or output changed */
	uint64_t blocks_split;
	uint64_t tables_merged;
	uint64_t tables_allocated;
	uint64_t tables_freed;
	uint64_t gather_flushes; /* gathers that had something to invalidate */
	uint64_t frames_parked;	 /* pages whose references waited for a flush */
	uint64_t vmid_rollovers;
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

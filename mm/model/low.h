/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The low-level machine: hardware, and a page table that keeps the rules of page_table.h on it.
 *
 * Invariant (low_invariant): the table keeps its own; words lie in physical memory; every TLB entry is
 * a frame that the table has, or had until an invalidation that is still due ("leaving"); no address
 * has two translations.
 *
 *	LowLevelState { mem, pt, tlb }		struct low_state, and what is leaving
 *	read, write				low_take of STEP_ACCESS
 *	map, unmap, query			of STEP_MAP, STEP_UNMAP, STEP_QUERY
 *	tlb_fill, tlb_evict			of STEP_FILL, STEP_EVICT
 *	tlb_is_submap_of_pt and the others	low_invariant
 *
 * Where ours differs, and why. There unmap is one step with its invalidation ("the hardware ensures
 * that the TLB has no key of it afterwards"). Here a cursor unmaps now and flushes once for many: what
 * was unmapped is leaving until STEP_FLUSH, and meanwhile each access there may find the old
 * translation or none. Unmap there is unmap and flush here. Two duties remain with the steps
 * themselves, and are break-before-make: an entry across the edge of what is unmapped is gone when
 * unmap returns (a block is split), and so is what was leaving from a range when map returns.
 */
#pragma once

#include "hardware.h"

struct low_state {
	struct hardware_state hardware;
	struct mappings leaving;
};

enum low_step_kind {
	STEP_ACCESS,
	STEP_MAP,
	STEP_UNMAP,
	STEP_FLUSH, /* all that is leaving is gone */
	STEP_QUERY,
	STEP_FILL,
	STEP_EVICT,
	STEP_COUNT
};

struct low_step {
	enum low_step_kind kind;
	struct access access;	/* ACCESS; QUERY: its address */
	unsigned int choice;	/* ACCESS: by the choice-th of what the hardware may use now */
	struct mapping entry;	/* FILL, EVICT */
	struct mapping mapping; /* MAP; UNMAP: its range */

	/* What came of it. */
	struct outcome outcome; /* ACCESS */
	enum mm_status status;	/* MAP, UNMAP, QUERY */
	struct mapping found;	/* QUERY */
};

/* A machine after reset. */
void low_make(struct low_state *low, struct machine_pools *pools,
	      const struct page_table_constants *constants);
void low_clear(struct low_state *low);
/* False: the arena is full. */
bool low_copy(struct low_state *to, const struct low_state *from);

bool low_init(const struct low_state *low);

/* NULL, or the invariant that does not hold. */
const char *low_invariant(const struct low_state *low);

/* Whether @step may be taken now. For MAP, UNMAP, QUERY and FLUSH it always may. */
bool low_may(const struct low_state *low, const struct low_step *step);

/* Takes @step, which may be taken, and says in it what came of it. False: the arena is full. */
bool low_take(struct low_state *low, struct low_step *step);

/* ---- Readings ------------------------------------------------------------------------------ */

/*
 * What a CPU may have in its TLB is unknown. A reading is something that a real MMU did, and it is
 * right if there is a TLB, of those the invariant allows, with which the machine does the same: then
 * the access is a transition of the machine like any other.
 */

/* A guest's own Stage 1, in front of this machine, which is then its Stage 2. */
struct guest_stage1 {
	struct page_table_state table;	     /* its outputs are this machine's inputs */
	struct iaddr walk[TABLE_LEVELS_MAX]; /* where the descriptors lie that a walk reads */
	unsigned int walk_length;
};

#define LOW_OUTCOMES_MAX 16

/*
 * All that may come of @access, given any TLB that the invariant allows. @stage1 may be NULL; @stage
 * is what faults of this machine's own table are reported as. Returns how many there are.
 */
unsigned int low_outcomes(const struct low_state *low, const struct guest_stage1 *stage1,
			  const struct access *access, int stage,
			  struct outcome outcomes[LOW_OUTCOMES_MAX]);

/*
 * A real MMU did @access, and @observed came of it: takes the transition that does the same. NULL, or
 * what is wrong; the state is as it was then. A word that nobody had looked at is what was read.
 */
const char *low_observe(struct low_state *low, const struct guest_stage1 *stage1,
			const struct access *access, int stage, const struct outcome *observed);

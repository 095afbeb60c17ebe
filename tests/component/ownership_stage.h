/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tests of ownership share: two spaces, two sharings, the states that a page can be in, and the
 * operations that lead from one to another. The states and operations are tables: what must happen
 * follows from them.
 */
#pragma once

#include "mapping.h"
#include <strata/ownership.h>

enum state {
	HYPERVISORS,
	PRIVATE_A,
	PRIVATE_B,
	SHARED_BY_A,	      /* with B */
	LENT_BY_A,	      /* to B */
	SHARED_BY_HYPERVISOR, /* with A */
	LENT_BY_HYPERVISOR,   /* to A */
	STATES,
};

enum change {
	DONATE_TO_A,
	DONATE_TO_B,
	DONATE_A_TO_B,
	DONATE_B_TO_A,
	DONATE_FROM_A,
	SHARE_BY_A,
	UNSHARE_BY_A,
	LEND_BY_A,
	RECLAIM_BY_A,
	SHARE_BY_HYPERVISOR,
	UNSHARE_BY_HYPERVISOR,
	LEND_BY_HYPERVISOR,
	RECLAIM_BY_HYPERVISOR,
	CHANGES,
};

struct change_row {
	const char *name;
	enum state from, to;
	bool alone; /* nobody else may have a reference */
};

extern const struct change_row changes[CHANGES];

struct ownership_stage {
	struct vm_space a, b, stranger;
	struct sharing *of_a;	       /* with b */
	struct sharing *of_hypervisor; /* with a */
};

void ownership_set_up(struct world *world, struct ownership_stage *stage);
/* All pages are dropped by now. */
void ownership_tear_down(struct ownership_stage *stage);

enum mm_status do_change(struct ownership_stage *stage, enum change change, struct segment *segment,
			 enum frame_contents contents);

/* Brings the pages of @segment, which are the hypervisor's, to @state; nobody else has them. */
void bring_to(struct ownership_stage *stage, struct segment *segment, enum state state);

/* The same for page @index of @segment, whoever else has it; @state is not a lent one. */
void bring_page_to(struct ownership_stage *stage, const struct segment *segment, uint64_t index,
		   enum state state);

bool is_in_state(const struct ownership_stage *stage, struct paddr page, enum state state);

/* Whether a page in @state may be mapped into A, or B; and what state it is in then. */
bool a_may_map(enum state state);
bool b_may_map(enum state state);

struct paddr page_of(const struct segment *segment, uint64_t index);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Refinement: the low-level machine does nothing that the high-level one does not.
 *
 * refine maps a low state to the high state it stands for: mappings and what is leaving as they are,
 * and each word under every virtual index that leads to it. Three things are checked, where a proof
 * would show them, under the names that the proof has:
 *
 *	initial states	ll_init_implies_invariants, ll_init_implies_pt_init, ll_init_refines_hl_init
 *	invariants	ll_<step>_preserves_invariants
 *	simulation	ll_<step>_refines_hl_<step>:
 *
 *		high   refine(before) ───hl_<step>───▶ refine(after)
 *			  ▲				   ▲
 *		low	before ───────── step ─────────▶ after
 *
 * Where the low machine fills or evicts an entry, the high one does nothing (hl_id). A check says
 * something about one step; tests take every step of small machines, and many of large ones.
 */
#pragma once

#include "high.h"
#include "low.h"

struct refinement {
	struct high_state before, after;
};

struct refine_result {
	const char *theorem;
	const char *broken; /* NULL: it holds */
};

void refine_make(struct refinement *refinement, struct machine_pools *pools);

/* @high becomes what @low stands for. False: the arena is full. */
bool refine(const struct low_state *low, struct high_state *high);

/* @low is an initial state. */
struct refine_result refine_check_init(struct refinement *refinement, const struct low_state *low);

/* @step led from @before, which satisfies the invariant, to @after. */
struct refine_result refine_check_step(struct refinement *refinement,
				       const struct low_state *before,
				       const struct low_state *after, const struct low_step *step);

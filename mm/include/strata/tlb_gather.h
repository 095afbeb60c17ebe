/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The gather: TLB work not yet done, and what must outlive it.
 *
 * Invariant: a page whose translation was removed is referenced from here (T) until the barrier
 * that closes the invalidation; so no frame becomes free while a CPU may still reach it.
 *
 * Its user sees one step, cursor_flush: issue (what an operation removed is gathered), dispatch (the TLBIs)
 * and sync (the barrier, then the drop) have no calls of their own, so that no order of them can be wrong;
 * strata/operation.h reports the three.
 *
 * It is a member of the cursor, and protected like it: one CPU at a time. Fixed in size, because
 * flushing early is always correct.
 */
#pragma once

#include <arch/address.h>
#include <arch/tlb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLB_GATHER_RANGES 8
#define TLB_GATHER_RUNS 32

struct tlb_gather_range {
	struct irange range;
	int8_t level; /* of every leaf changed in it, or TLB_LEVEL_ANY */
	enum tlb_depth depth;
};

struct tlb_gather {
	size_t range_count;
	size_t run_count;
	size_t table_count;
	bool everything; /* more ranges than fit: the whole space is invalidated */
	struct tlb_gather_range ranges[TLB_GATHER_RANGES];
	struct prange runs[TLB_GATHER_RUNS]; /* parked pages, one reference on each */
	struct paddr tables;		     /* parked table pages, chained through their slots */
};

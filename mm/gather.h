/* SPDX-License-Identifier: BSD-3-Clause */
/* Filling and flushing a gather (strata/tlb_gather.h). */
#pragma once

#include <strata/tlb_gather.h>
#include <strata/vm_space.h>

static inline void gather_init(struct tlb_gather *gather)
{
	gather->range_count = 0;
	gather->run_count = 0;
	gather->table_count = 0;
	gather->everything = false;
}

/* Whether a flush would do nothing. */
static inline bool gather_is_empty(const struct tlb_gather *gather)
{
	return (gather->range_count | gather->run_count | gather->table_count) == 0 &&
	       !gather->everything;
}

/* The leaves of @level that translated @range were removed or changed. */
void gather_leaves(struct tlb_gather *gather, struct irange range, int level);

/* A table descriptor that spanned @span was removed, and every leaf below it: those that were still
 * there are in @span as well. */
void gather_subtree(struct tlb_gather *gather, struct irange span);

/* A table descriptor that spanned @span was removed when the last leaf below it had been. */
void gather_empty_table(struct tlb_gather *gather, struct irange span);

/* Takes over one reference on each page of @range. Flushes if there is no place for it. */
void gather_park_pages(struct vm_space *space, struct tlb_gather *gather, struct prange range);

/* Takes over a detached table page. */
void gather_park_table(struct tlb_gather *gather, struct paddr table);

void gather_flush(struct vm_space *space, struct tlb_gather *gather);

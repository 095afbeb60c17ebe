/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The high-level machine: memory as software sees it, by virtual address. What is to be shown of a
 * page table is that programs which run on it see this, and nothing of tables or TLBs.
 *
 * Invariant: a word has an index if and only if its address is mapped, or leaving; two indices that
 * lead to one physical word hold the same.
 *
 *	HighLevelState { mem, mappings, constants }	struct high_state; mappings and constants are
 *							table's, and what is leaving comes besides
 *	init, read, write, map, unmap, query, id	high_init, high_access, high_map, high_unmap,
 *							high_query, high_id (s1, s2, op)
 *
 * Where ours differs, and why:
 *
 *	sharing		there no two mappings meet in physical memory, so a write changes one index. Here
 *			it changes every index of the word: guests and windows do share pages.
 *	leaving		an address that was unmapped but not flushed (low.h) may still be accessed, or
 *			may not: software that must know, flushes. high_flush ends it.
 *	permissions	read, write, execute and user are asked in the order of access.h, and the kind of
 *			the fault is part of what software sees; its level is not.
 *	contents	of what is mapped anew are whatever the physical words hold: any.
 */
#pragma once

#include "access.h"
#include "words.h"

struct high_state {
	struct words
		mem; /* by virtual index; absent although mapped: nobody looked yet (words.h) */
	struct page_table_state table;
	struct mappings leaving;
};

struct machine_pools;

void high_make(struct high_state *high, struct machine_pools *pools);
void high_clear(struct high_state *high);

/* NULL, or the invariant that does not hold. */
const char *high_invariant(const struct high_state *high);

/* Where @address leads, as far as software may see: by its mapping, or by what is leaving. */
bool high_place(const struct high_state *high, struct iaddr address, struct paddr *place);

bool high_init(const struct high_state *high);

/* Each says whether @after may come after @before by the operation: NULL, or what is wrong. */
const char *high_access(const struct high_state *before, const struct high_state *after,
			const struct access *access, const struct outcome *outcome);
const char *high_map(const struct high_state *before, const struct high_state *after,
		     const struct mapping *mapping, enum mm_status status);
const char *high_unmap(const struct high_state *before, const struct high_state *after,
		       struct irange range, enum mm_status status);
const char *high_flush(const struct high_state *before, const struct high_state *after);
const char *high_query(const struct high_state *before, const struct high_state *after,
		       struct iaddr address, enum mm_status status, const struct mapping *found);
const char *high_id(const struct high_state *before, const struct high_state *after);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a page table is: its abstract state, the rules of map, unmap and query, and the interface
 * that anything which claims to be one is held to (conformance.h).
 *
 * Invariant of the state: the architecture's levels fit each other; every mapping lies within the
 * input addresses and leads into memory, aligned to the smallest frame at both ends; no address is
 * mapped twice.
 *
 * The rules are those of a page table verified elsewhere (hvisor's, in Verus), under their names:
 *
 *	PageTableState { mappings, constants }	struct page_table_state
 *	PTArch, a sequence of levels		struct table_arch
 *	frames_within_pmem, mappings_aligned,
 *	mappings_nonoverlap_in_vmem		page_table_state_invariant
 *	init, map_pre, unmap_pre, query_pre	page_table_init, ..._map_pre, ..._unmap_pre, ..._query_pre
 *	map, unmap, query (s1, s2, op)		page_table_map_post, ..._unmap_post, ..._query_post
 *	PageTableInterface			struct page_table_interface
 *
 * Where ours differ, and why:
 *
 *	physical overlap	map_pre there forbids two mappings to meet in physical memory, so that a
 *				word has one virtual name. Here sharing is what a hypervisor does: two
 *				inputs may lead to one output, and high.h says what that means for words.
 *	splitting		unmap there takes the base of a mapping and removes all of it. Here it
 *				takes a range, and what straddles an edge is split: a guest's page goes
 *				without its 2 MiB neighbours.
 *	ranges			map there takes one frame of a size that the levels have. Here it takes
 *				any whole number of smallest frames; which blocks translate them is the
 *				table's own business, so the state keeps extents and not frames.
 *	refusals		preconditions there are the caller's duty. Here a call outside them is
 *				refused with a status, and nothing changes.
 *	room			any map or unmap may say MM_NO_MEMORY, and then changed nothing.
 */
#pragma once

#include "mappings.h"

#include <strata/status.h>

#define TABLE_LEVELS_MAX 4

/* The levels of a table, the root first. A frame is what one descriptor of the level translates. */
struct table_arch {
	unsigned int level_count;
	int root_level; /* the Arm ARM's number of the first: faults are reported with these numbers */
	struct table_level {
		uint64_t entry_count;
		uint64_t frame_size; /* bytes */
		bool has_leaves;     /* a descriptor may be a block or a page */
	} levels[TABLE_LEVELS_MAX];
};

struct page_table_constants {
	struct table_arch arch;
	struct irange input;  /* the addresses that are this table's to map */
	struct prange memory; /* where mappings may lead (pmem_lb, pmem_ub) */
	unsigned int pa_bits; /* of the CPU: what an address may be where no table asks */
	bool counted;	      /* its mappings hold references to frames */
	/* Whether descriptors can say exactly this. */
	bool (*expresses)(struct page_property property);
};

struct page_table_state {
	struct mappings mappings;
	struct page_table_constants constants;
};

/* The smallest frame, and the size of a leaf of @level (the Arm ARM's number), 0 if it has none. */
uint64_t table_arch_page(const struct table_arch *arch);
uint64_t table_arch_leaf(const struct table_arch *arch, int level);

/* NULL, or what about the levels is impossible. */
const char *table_arch_invariant(const struct table_arch *arch);

/* Whether a leaf of @size bytes may stand for @mapping: a size that a level has, and aligned to it. */
bool table_arch_is_leaf(const struct table_arch *arch, const struct mapping *mapping);

/* NULL, or the invariant of the state that does not hold. */
const char *page_table_state_invariant(const struct page_table_state *state);

/* ---- The rules ----------------------------------------------------------------------------- */

/* The state of a new table. */
bool page_table_init(const struct page_table_state *state);

bool page_table_map_pre(const struct page_table_state *state, const struct mapping *mapping);
bool page_table_unmap_pre(const struct page_table_state *state, struct irange range);
bool page_table_query_pre(const struct page_table_state *state, struct iaddr address);

/*
 * Each says whether @after and @status are what the operation must make of @before: NULL, or the rule
 * that was broken. Where the precondition does not hold, a refusal is right and success is not.
 *
 * map: MM_EXISTS, and nothing changes, if any address is mapped; else MM_OK, and exactly @mapping is
 * there besides.
 */
const char *page_table_map_post(const struct page_table_state *before,
				const struct page_table_state *after, const struct mapping *mapping,
				enum mm_status status);
/* unmap: MM_NOT_MAPPED, and nothing changes, if no address is mapped; else MM_OK, and none is. */
const char *page_table_unmap_post(const struct page_table_state *before,
				  const struct page_table_state *after, struct irange range,
				  enum mm_status status);
/*
 * query: MM_NOT_MAPPED if @address is not mapped; else MM_OK, and @found is a frame of some level
 * around it that says what the mappings say. Nothing changes.
 */
const char *page_table_query_post(const struct page_table_state *before,
				  const struct page_table_state *after, struct iaddr address,
				  enum mm_status status, const struct mapping *found);

/* ---- The interface ------------------------------------------------------------------------- */

/* An implementation; @table is the object it works on. */
struct page_table_interface {
	const char *name;
	/* Makes the table anew: its view is page_table_init. False: there is no room for it. */
	bool (*init)(void *table);
	/* Ends what init began. */
	void (*release)(void *table);
	/* NULL, or which of its own invariants does not hold: of nodes, descriptors, lists. */
	const char *(*invariants)(const void *table);
	/* What the table means. @out has the empty mappings, and gets all of it. False: no room. */
	bool (*view)(const void *table, struct page_table_state *out);
	/* Part of constants.memory that may be mapped by whoever tries it out. */
	struct prange (*outputs)(const void *table);

	enum mm_status (*map)(void *table, struct mapping mapping);
	enum mm_status (*unmap)(void *table, struct irange range);
	enum mm_status (*query)(void *table, struct iaddr address, struct mapping *found);
};

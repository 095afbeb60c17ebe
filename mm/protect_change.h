/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another property for everything in a range. The tables are walked up to four times:
 *
 *	plan	what becomes of each property, and the tables that splits at the edges need: all that can
 *		fail is here, and nothing is written
 *	write	permissions in place; a leaf whose memory type changes becomes invalid, and keeps its
 *		other bits
 *	make	after one flush, the leaves that are invalid get their new attributes
 *	merge	what has become alike
 *
 * protect_plan.c plans, protect_write.c does the rest.
 */
#pragma once

#include "cursor_private.h"
#include "protect_range.h"

/* Descriptors that the loops over a table take at once. */
#define PROTECT_STEP 16

/* Flags and cache policies: so many properties can a stage express. */
#define PROPERTIES_MAX (32 * CACHE_POLICY_COUNT)

/* What becomes of leaves that are alike: all their bits but the address. */
struct leaf_change {
	uint64_t old;
	uint64_t new;
	struct page_property was;
	bool breaks; /* break-before-make is needed */
};

struct range_change {
	struct cursor *cursor;
	struct table top; /* that spans the range, or the part of a leaf of it */
	page_property_update update;
	void *update_context;
	protect_range_visit visit; /* may be NULL */
	void *visit_context;
	struct node_reserve *reserve; /* where the tables for splits come from */
	bool is_planned;	      /* @reserve was filled by the caller, and may have more */
	size_t tables;		      /* that splits need */
	uint64_t leaves;	      /* changed */
	bool broken;		      /* some leaves are invalid */
	bool split;		      /* some blocks were */
	bool to_pages;		      /* blocks that change are split */
	/* What update said, in the order in which it was asked. */
	struct property_change changes[PROPERTIES_MAX];
	size_t count;
	bool alike; /* all leaves in the range have the bits of the first one */
	uint64_t first;
	struct leaf_change last; /* asked for last; old is 0 at first, as in no leaf */
};

/* Attributes and type, and the bits that are the software's: all of a leaf but where it leads. */
static inline uint64_t but_address(uint64_t leaf)
{
	return leaf & ~DESCRIPTOR_ADDRESS;
}

static inline bool leaf_changes(const struct leaf_change *leaf)
{
	return leaf->old != leaf->new;
}

/* Whether a leaf at @level is split before it changes, where @part does. */
static inline bool leaf_is_cut(const struct range_change *change, int level, struct irange span,
			       struct irange part)
{
	return !irange_contains(part, span) || (change->to_pages && level < LEVEL_PAGE);
}

/* Asks what becomes of each property in @range, counts the tables that splits need, and writes nothing.
 * MM_NOT_SUPPORTED: the stage cannot express an answer. */
MM_MUST_CHECK enum mm_status protect_plan(struct range_change *change, struct irange range);

/* What becomes of a leaf at @level with the bits of @leaf beside its address; it was asked for. */
const struct leaf_change *leaf_change(struct range_change *change, uint64_t leaf, int level);

/* Whether something becomes of it, or of what a CPU may make of it. */
bool leaf_may_change(struct range_change *change, uint64_t leaf, int level);

/* How many descriptors of @table, from @index to @last at most, are alike but for their addresses; a block
 * is a run of its own, as an edge may cut it. */
size_t leaf_run(const struct table *table, size_t index, size_t last);

/* Does what was planned, with the tables in the reserve. It cannot fail. */
void protect_commit(struct range_change *change, struct irange range);

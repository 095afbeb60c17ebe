/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mappings: the abstract state of one space. What a translation table *means*, with no trace of how
 * it is laid out: an ordered map from input addresses to output address, property, counted or not.
 *
 * Invariant: kept as maximal extents. Extents are page aligned, non-empty and disjoint; two that
 * touch differ in property or counting, or their output addresses do not continue. So there is
 * exactly one representation of each meaning, and two states are equal if their extents are.
 *
 *	input   |  A  |     |  B  |C |        B and C touch: other property, or other output
 *	output  | A+δ |     | B+ε |C'|
 */
#pragma once

#include "arena.h"
#include "tree.h"

#include <arch/address.h>
#include <strata/cursor.h>

/* Consecutive input addresses mapped to consecutive output addresses alike. */
struct mapping {
	struct irange range;
	struct paddr output; /* of the start of range */
	struct page_property property;
	bool counted; /* its pages are frames that the entry holds a reference to */
};

struct extent {
	RB_ENTRY(extent) link;
	struct mapping mapping;
};

struct mappings {
	RB_HEAD(extent_tree, extent) extents;
	struct model_pool *pool; /* of cells of struct extent */
};

/*
 * Whether a leaf whose property was given as @given may say @found: the same, or, where CPUs set flags,
 * accessed, and dirty if it can become so.
 */
bool property_found(struct page_property given, struct page_property found, bool hardware_flags);

/* No mappings. */
void mappings_init(struct mappings *mappings, struct model_pool *pool);

/* Forgets all mappings. */
void mappings_clear(struct mappings *mappings);

/* The extent that contains @address; false if nothing is mapped there. */
bool mappings_find(const struct mappings *mappings, struct iaddr address, struct mapping *out);
bool mappings_has(const struct mappings *mappings, struct iaddr address);

/*
 * The first extent that has an address at or after @address. It may start before @address. False if
 * there is none. Iterates: begin with address 0, go on with the end of what was found.
 */
bool mappings_next(const struct mappings *mappings, struct iaddr address, struct mapping *out);

/* As mappings_next, cut to what of it lies in @range; false if nothing of @range is mapped. */
bool mappings_next_in(const struct mappings *mappings, struct irange range, struct mapping *out);

/* Whether a leaf that is as @item says is all mapped: by one extent, but where CPUs set flags that make one
 * leaf of what is known as several. */
bool mappings_are_leaf(const struct mappings *mappings, const struct cursor_item *item,
		       bool hardware_flags);

/*
 * Adds @mapping, whose range is page aligned, non-empty and a hole now.
 * False if the arena is full; nothing was changed.
 */
bool mappings_insert(struct mappings *mappings, struct mapping mapping);

/* Makes @range, page aligned, perhaps empty, a hole. False if the arena is full; nothing was changed. */
bool mappings_remove(struct mappings *mappings, struct irange range);

/* The part of @mapping that lies in @range, which overlaps it. */
struct mapping mapping_cut(struct mapping mapping, struct irange range);

/* Where @address, inside @mapping, goes. */
struct paddr mapping_output(const struct mapping *mapping, struct iaddr address);

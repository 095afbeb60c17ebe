/* SPDX-License-Identifier: BSD-3-Clause */
#include "mappings.h"

static int extent_compare(const struct extent *a, const struct extent *b)
{
	uint64_t a_start = a->mapping.range.start.value;
	uint64_t b_start = b->mapping.range.start.value;

	return (a_start > b_start) - (a_start < b_start);
}

TREE_GENERATE(extent_tree, extent, link, extent_compare)

bool property_found(struct page_property given, struct page_property found, bool hardware_flags)
{
	if (hardware_flags) {
		given.flags |= found.flags & PAGE_ACCESSED;
		if (given.flags & PAGE_DIRTY_STATE)
			given.flags |= found.flags & PAGE_WRITE;
	}
	return page_property_equal(given, found);
}

void mappings_init(struct mappings *mappings, struct model_pool *pool)
{
	RB_INIT(&mappings->extents);
	mappings->pool = pool;
}

static void extent_delete(struct mappings *mappings, struct extent *extent)
{
	RB_REMOVE(extent_tree, &mappings->extents, extent);
	model_pool_give(mappings->pool, extent);
}

void mappings_clear(struct mappings *mappings)
{
	while (!RB_EMPTY(&mappings->extents))
		extent_delete(mappings, RB_ROOT(&mappings->extents));
}

/* Extents are disjoint, so they are ordered by their ends as well as by their starts. */
static struct extent *first_ending_after(const struct mappings *mappings, struct iaddr address)
{
	struct extent *extent = RB_ROOT(&mappings->extents);
	struct extent *best = NULL;

	while (extent != NULL) {
		if (extent->mapping.range.end.value > address.value) {
			best = extent;
			extent = RB_LEFT(extent, link);
		} else {
			extent = RB_RIGHT(extent, link);
		}
	}
	return best;
}

bool mappings_next(const struct mappings *mappings, struct iaddr address, struct mapping *out)
{
	const struct extent *extent = first_ending_after(mappings, address);

	if (extent == NULL)
		return false;
	*out = extent->mapping;
	return true;
}

bool mappings_find(const struct mappings *mappings, struct iaddr address, struct mapping *out)
{
	const struct extent *extent = first_ending_after(mappings, address);

	if (extent == NULL || !irange_has(extent->mapping.range, address))
		return false;
	*out = extent->mapping;
	return true;
}

bool mappings_has(const struct mappings *mappings, struct iaddr address)
{
	struct mapping mapping;

	return mappings_find(mappings, address, &mapping);
}

bool mappings_next_in(const struct mappings *mappings, struct irange range, struct mapping *out)
{
	const struct extent *extent = first_ending_after(mappings, range.start);

	if (irange_is_empty(range) || extent == NULL ||
	    !irange_overlaps(extent->mapping.range, range))
		return false;
	*out = mapping_cut(extent->mapping, range);
	return true;
}

bool mappings_are_leaf(const struct mappings *mappings, const struct cursor_item *item,
		       bool hardware_flags)
{
	struct irange left = item->range;
	struct mapping mapping;

	while (mappings_next_in(mappings, left, &mapping)) {
		uint64_t offset = mapping.range.start.value - item->range.start.value;

		if (mapping.range.start.value != left.start.value ||
		    mapping.output.value != item->output.value + offset ||
		    mapping.counted != item->counted ||
		    !property_found(mapping.property, item->property, hardware_flags))
			return false;
		left.start = mapping.range.end;
	}
	return irange_is_empty(left);
}

struct paddr mapping_output(const struct mapping *mapping, struct iaddr address)
{
	return paddr(mapping->output.value + (address.value - mapping->range.start.value));
}

struct mapping mapping_cut(struct mapping mapping, struct irange range)
{
	if (range.start.value > mapping.range.start.value) {
		mapping.output = mapping_output(&mapping, range.start);
		mapping.range.start = range.start;
	}
	if (range.end.value < mapping.range.end.value)
		mapping.range.end = range.end;
	return mapping;
}

/* Whether @after is @before, continued. */
static bool continues(const struct mapping *before, const struct mapping *after)
{
	return before->range.end.value == after->range.start.value &&
	       mapping_output(before, before->range.end).value == after->output.value &&
	       page_property_equal(before->property, after->property) &&
	       before->counted == after->counted;
}

bool mappings_insert(struct mappings *mappings, struct mapping mapping)
{
	struct extent *extent = model_pool_take(mappings->pool);

	if (extent == NULL)
		return false;
	extent->mapping = mapping;
	RB_INSERT(extent_tree, &mappings->extents, extent);

	struct extent *before = RB_PREV(extent_tree, &mappings->extents, extent);
	struct extent *after = RB_NEXT(extent_tree, &mappings->extents, extent);

	/* Growing an extent over its neighbour, once that is gone, leaves the order as it is. */
	if (after != NULL && continues(&extent->mapping, &after->mapping)) {
		struct iaddr end = after->mapping.range.end;

		extent_delete(mappings, after);
		extent->mapping.range.end = end;
	}
	if (before != NULL && continues(&before->mapping, &extent->mapping)) {
		struct iaddr end = extent->mapping.range.end;

		extent_delete(mappings, extent);
		before->mapping.range.end = end;
	}
	return true;
}

/* The one case that needs a cell: @range lies strictly inside @extent, and two pieces remain. */
static bool extent_pierce(struct mappings *mappings, struct extent *extent, struct irange range)
{
	struct extent *upper = model_pool_take(mappings->pool);

	if (upper == NULL)
		return false;
	upper->mapping = mapping_cut(extent->mapping, irange(range.end, extent->mapping.range.end));
	extent->mapping.range.end = range.start;
	RB_INSERT(extent_tree, &mappings->extents, upper);
	return true;
}

bool mappings_remove(struct mappings *mappings, struct irange range)
{
	struct extent *extent = first_ending_after(mappings, range.start);

	if (irange_is_empty(range))
		return true;
	while (extent != NULL && irange_overlaps(extent->mapping.range, range)) {
		struct extent *next = RB_NEXT(extent_tree, &mappings->extents, extent);
		struct irange *have = &extent->mapping.range;
		bool keeps_lower = have->start.value < range.start.value;
		bool keeps_upper = have->end.value > range.end.value;

		if (keeps_lower && keeps_upper)
			return extent_pierce(mappings, extent, range);
		if (keeps_lower)
			have->end = range.start;
		else if (keeps_upper) /* its start moves up, but stays below that of the next one */
			extent->mapping =
				mapping_cut(extent->mapping, irange(range.end, have->end));
		else
			extent_delete(mappings, extent);
		extent = next;
	}
	return true;
}

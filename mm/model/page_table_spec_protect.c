/* SPDX-License-Identifier: BSD-3-Clause */
/* protect, of all that is mapped in a range, and protect_next, of the first. */
#include "spec_refusals.h"

#include "leaf_shapes.h"

status_set spec_protect_next_statuses(const struct space_state *space,
				      const struct cursor_state *cursor, struct irange range,
				      struct page_property property)
{
	status_set refusals = range_refusals(cursor, range);

	if (!cursor->may_change)
		refusals |= STATUS_SET(MM_ACCESS_DENIED);
	if (!is_anything_mapped(space, range))
		/* No mapping, no new property: there is nothing else to refuse. */
		return refusals != 0 ? refusals : STATUS_SET(MM_NOT_MAPPED);
	if (!is_expressible(space, property))
		refusals |= STATUS_SET(MM_NOT_SUPPORTED);
	return refused_or_ok(refusals) | may_need_tables(space, range);
}

bool spec_protect_next_changes(const struct mappings *mappings, struct irange range,
			       struct irange changed)
{
	struct mapping first;
	struct mapping whole;

	if (!mappings_next_in(mappings, range, &first) ||
	    !mappings_find(mappings, first.range.start, &whole) ||
	    changed.start.value != first.range.start.value)
		return false;
	return leaf_part_possible(&whole, range, changed);
}

bool spec_protect_next_step(struct space_state *space, struct cursor_state *cursor,
			    struct irange changed, struct page_property property)
{
	struct mapping mapping;

	cursor->position = changed.end;
	/* One, but where CPUs made one leaf of what is known to be more. */
	while (mappings_next_in(&space->mappings, changed, &mapping)) {
		changed.start = mapping.range.end;
		if (page_property_equal(mapping.property, property))
			continue;
		mapping.property = property;
		if (!mappings_remove(&space->mappings, mapping.range) ||
		    !mappings_insert(&space->mappings, mapping))
			return false;
	}
	return true;
}

/*
 * What becomes of @was. Where CPUs set flags, @was is the least there is, and the answers about all that
 * it may have been leave the least that there may be.
 */
static bool find_change(const struct space_state *space, struct property_changes changes,
			struct page_property was, struct page_property *becomes)
{
	bool found = false;

	for (size_t i = 0; i < changes.count; i++) {
		if (!property_found(was, changes.changes[i].was, space->hardware_flags))
			continue;
		if (found)
			becomes->flags &= changes.changes[i].becomes.flags;
		else
			*becomes = changes.changes[i].becomes;
		found = true;
	}
	return found;
}

status_set spec_protect_statuses(const struct space_state *space, const struct cursor_state *cursor,
				 struct irange range, struct property_changes changes)
{
	status_set refusals = range_refusals(cursor, range);
	struct irange left = range;
	struct mapping mapping;

	if (!cursor->may_change)
		refusals |= STATUS_SET(MM_ACCESS_DENIED);
	if (refusals != 0)
		return refusals;
	while (mappings_next_in(&space->mappings, left, &mapping)) {
		struct page_property becomes;

		if (find_change(space, changes, mapping.property, &becomes) &&
		    !is_expressible(space, becomes))
			refusals |= STATUS_SET(MM_NOT_SUPPORTED);
		left.start = mapping.range.end;
	}
	return refused_or_ok(refusals) | may_need_tables(space, range);
}

bool spec_protect_forgets(const struct space_state *space, struct irange range,
			  struct property_changes changes, struct iaddr *at)
{
	struct mapping mapping;

	while (mappings_next_in(&space->mappings, range, &mapping)) {
		struct page_property becomes;

		*at = mapping.range.start;
		if (!find_change(space, changes, mapping.property, &becomes))
			return true;
		range.start = mapping.range.end;
	}
	return false;
}

/* The next mapping in @range whose property changes, with the new one. */
static bool next_changed(const struct space_state *space, struct irange range,
			 struct property_changes changes, struct mapping *out)
{
	while (mappings_next_in(&space->mappings, range, out)) {
		struct page_property becomes;

		if (find_change(space, changes, out->property, &becomes) &&
		    !page_property_equal(out->property, becomes)) {
			out->property = becomes;
			return true;
		}
		range.start = out->range.end;
	}
	return false;
}

bool spec_protect_step(struct space_state *space, struct cursor_state *cursor, struct irange range,
		       struct property_changes changes)
{
	struct mapping mapping;

	cursor->position = range.end;
	while (next_changed(space, range, changes, &mapping)) {
		if (!mappings_remove(&space->mappings, mapping.range) ||
		    !mappings_insert(&space->mappings, mapping))
			return false;
		range.start = mapping.range.end;
	}
	return true;
}

struct leaf_bounds spec_changed_leaves(const struct space_state *space, struct irange range,
				       struct property_changes changes)
{
	struct leaf_bounds bounds = { 0, 0 };
	struct mapping mapping;

	while (next_changed(space, range, changes, &mapping)) {
		bounds.least += leaf_count_least(&mapping);
		bounds.most += irange_size(mapping.range) / PAGE_SIZE;
		range.start = mapping.range.end;
	}
	return bounds;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "page_table_spec.h"

#include "leaf_shapes.h"
#include "space_part.h"

/* What is right: the refusals that apply, and success only if none does. */
static status_set refused_or_ok(status_set refusals)
{
	return refusals != 0 ? refusals : STATUS_SET(MM_OK);
}

bool spec_property_expressible(enum translation_stage stage, struct page_property property)
{
	const uint8_t known = PAGE_READ | PAGE_WRITE | PAGE_EXECUTE | PAGE_ACCESSED;
	bool writes = property.flags & PAGE_WRITE;
	bool executes = property.flags & PAGE_EXECUTE;

	if ((property.flags & ~known) != 0 || property.cache >= CACHE_POLICY_COUNT)
		return false;
	if (property.cache == CACHE_DEVICE && executes)
		return false;
	if (stage == STAGE_2)
		return true;
	return (property.flags & PAGE_READ) && !(writes && executes);
}

/* The same of a space, which may let CPUs keep dirty state. */
static bool expressible(const struct space_state *space, struct page_property property)
{
	if (space->hardware_flags)
		property.flags &= (uint8_t)~PAGE_DIRTY_STATE;
	return spec_property_expressible(space->stage, property);
}

status_set spec_open_statuses(const struct space_state *space, struct irange range,
			      enum held_here held)
{
	/* The interface fixes this order, so exactly one refusal is right. */
	if (irange_is_empty(range))
		return STATUS_SET(MM_INVALID_ARGS);
	if (!irange_contains(space_addresses(space->part, space->ia_bits), range))
		return STATUS_SET(MM_OUT_OF_BOUND);
	if (!irange_is_page_aligned(range))
		return STATUS_SET(MM_NOT_ALIGNED);
	switch (held) {
	case HELD_IN_RANGE:
		return STATUS_SET(MM_BUSY);
	case HELD_ELSEWHERE:
		return STATUS_SET(MM_BUSY) | STATUS_SET(MM_OK);
	default:
		return STATUS_SET(MM_OK);
	}
}

/* Refusals of a range that an operation takes from the position on. */
static status_set range_refusals(const struct cursor_state *cursor, struct irange range)
{
	status_set refusals = 0;

	if (!is_page_aligned(irange_size(range)))
		refusals |= STATUS_SET(MM_NOT_ALIGNED);
	if (irange_size(range) > cursor->range.end.value - cursor->position.value)
		refusals |= STATUS_SET(MM_OUT_OF_BOUND);
	return refusals;
}

static bool anything_mapped(const struct space_state *space, struct irange range)
{
	struct mapping mapping;

	return mappings_next_in(&space->mappings, range, &mapping);
}

/* What map and replace refuse alike. */
static status_set map_refusals(const struct space_state *space, const struct cursor_state *cursor,
			       const struct map_request *request)
{
	status_set refusals = range_refusals(cursor, request->range);
	uint64_t size = irange_size(request->range);
	uint64_t limit = UINT64_C(1) << space->pa_bits;

	if (!cursor->may_change)
		refusals |= STATUS_SET(MM_ACCESS_DENIED);
	/* Empty, or the end lies before the start: also where the size, 2^64 more, looks small. */
	if (request->output.value + size <= request->output.value)
		refusals |= STATUS_SET(MM_INVALID_ARGS);
	if (!is_page_aligned(request->output.value))
		refusals |= STATUS_SET(MM_NOT_ALIGNED);
	if (request->output.value > limit || size > limit - request->output.value)
		refusals |= STATUS_SET(MM_OUT_OF_BOUND);
	if (!expressible(space, request->property))
		refusals |= STATUS_SET(MM_NOT_SUPPORTED);
	if (!spec_is_el2s_own(space) && request->output_denied)
		refusals |= STATUS_SET(MM_ACCESS_DENIED);
	return refusals;
}

status_set spec_map_statuses(const struct space_state *space, const struct cursor_state *cursor,
			     const struct map_request *request)
{
	status_set refusals = map_refusals(space, cursor, request);

	if (anything_mapped(space, request->range))
		refusals |= STATUS_SET(MM_EXISTS);
	return refused_or_ok(refusals) | STATUS_SET(MM_NO_MEMORY);
}

bool spec_map_step(struct space_state *space, struct cursor_state *cursor,
		   const struct map_request *request)
{
	struct mapping mapping = { request->range, request->output, request->property,
				   request->counted };

	cursor->position = request->range.end;
	return mappings_insert(&space->mappings, mapping);
}

status_set spec_replace_statuses(const struct space_state *space, const struct cursor_state *cursor,
				 const struct map_request *request)
{
	status_set refusals = map_refusals(space, cursor, request);
	struct mapping mapping;

	if (!mappings_find(&space->mappings, cursor->position, &mapping))
		refusals |= STATUS_SET(MM_NOT_MAPPED);
	else if (!mapping.counted)
		refusals |= STATUS_SET(MM_ACCESS_DENIED);
	return refused_or_ok(refusals) | STATUS_SET(MM_NO_MEMORY);
}

bool spec_replace_step(struct space_state *space, struct cursor_state *cursor,
		       const struct map_request *request)
{
	return mappings_remove(&space->mappings, request->range) &&
	       spec_map_step(space, cursor, request);
}

/* Whether a block may have to be split at @edge: one that lies on both sides of it. */
static bool may_split_at(const struct mappings *mappings, struct iaddr edge)
{
	struct mapping mapping;
	struct irange leaf;

	return mappings_find(mappings, edge, &mapping) &&
	       leaf_possible_astride(&mapping, edge, &leaf);
}

static status_set may_need_tables(const struct space_state *space, struct irange range)
{
	if (may_split_at(&space->mappings, range.start) ||
	    may_split_at(&space->mappings, range.end))
		return STATUS_SET(MM_NO_MEMORY);
	return 0;
}

status_set spec_unmap_statuses(const struct space_state *space, const struct cursor_state *cursor,
			       struct irange range)
{
	status_set refusals = range_refusals(cursor, range);

	if (!cursor->may_change)
		refusals |= STATUS_SET(MM_ACCESS_DENIED);
	return refused_or_ok(refusals) | may_need_tables(space, range);
}

bool spec_unmap_step(struct space_state *space, struct cursor_state *cursor, struct irange range)
{
	cursor->position = range.end;
	return mappings_remove(&space->mappings, range);
}

struct leaf_bounds spec_leaf_bounds(const struct mappings *mappings, struct irange range)
{
	struct leaf_bounds bounds = { 0, 0 };
	struct mapping mapping;

	while (mappings_next_in(mappings, range, &mapping)) {
		bounds.least += leaf_count_least(&mapping);
		bounds.most += irange_size(mapping.range) / PAGE_SIZE;
		range.start = mapping.range.end;
	}
	return bounds;
}

status_set spec_protect_next_statuses(const struct space_state *space,
				      const struct cursor_state *cursor, struct irange range,
				      struct page_property property)
{
	status_set refusals = range_refusals(cursor, range);

	if (!cursor->may_change)
		refusals |= STATUS_SET(MM_ACCESS_DENIED);
	if (!anything_mapped(space, range))
		/* No mapping, no new property: there is nothing else to refuse. */
		return refusals != 0 ? refusals : STATUS_SET(MM_NOT_MAPPED);
	if (!expressible(space, property))
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
		    !expressible(space, becomes))
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

status_set spec_query_statuses(const struct space_state *space, const struct cursor_state *cursor)
{
	struct mapping mapping;

	if (cursor->position.value >= cursor->range.end.value)
		return STATUS_SET(MM_OUT_OF_BOUND);
	if (mappings_find(&space->mappings, cursor->position, &mapping) && mapping.counted)
		return STATUS_SET(MM_OK) | STATUS_SET(MM_SATURATED);
	return STATUS_SET(MM_OK);
}

bool spec_query_agrees(const struct space_state *space, const struct cursor_state *cursor,
		       const struct cursor_item *item)
{
	struct mapping mapping;

	if (!irange_has(item->range, cursor->position))
		return false;
	if (!mappings_find(&space->mappings, cursor->position, &mapping))
		return !item->mapped && !anything_mapped(space, item->range);
	return item->mapped && mappings_are_leaf(&space->mappings, item, space->hardware_flags);
}

status_set spec_find_next_statuses(const struct space_state *space,
				   const struct cursor_state *cursor, struct irange range)
{
	status_set refusals = range_refusals(cursor, range);

	if (refusals != 0)
		return refusals;
	return STATUS_SET(anything_mapped(space, range) ? MM_OK : MM_NOT_MAPPED);
}

void spec_find_next_step(const struct space_state *space, struct cursor_state *cursor,
			 struct irange range)
{
	struct mapping mapping;

	if (mappings_next_in(&space->mappings, range, &mapping))
		cursor->position = mapping.range.start;
	else
		cursor->position = range.end;
}

status_set spec_jump_statuses(const struct cursor_state *cursor, struct iaddr target)
{
	status_set refusals = 0;

	if (!is_page_aligned(target.value))
		refusals |= STATUS_SET(MM_NOT_ALIGNED);
	if (target.value < cursor->range.start.value || target.value > cursor->range.end.value)
		refusals |= STATUS_SET(MM_OUT_OF_BOUND);
	return refused_or_ok(refusals);
}

void spec_jump_step(struct cursor_state *cursor, struct iaddr target)
{
	cursor->position = target;
}

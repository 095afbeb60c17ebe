/* SPDX-License-Identifier: BSD-3-Clause */
#include "spec_refusals.h"

#include "leaf_shapes.h"
#include "space_part.h"

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
	case HELD_NOTHING:
		break;
	}
	return STATUS_SET(MM_OK);
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
	if (!is_expressible(space, request->property))
		refusals |= STATUS_SET(MM_NOT_SUPPORTED);
	if (!spec_is_el2s_own(space) && request->output_denied)
		refusals |= STATUS_SET(MM_ACCESS_DENIED);
	return refusals;
}

status_set spec_map_statuses(const struct space_state *space, const struct cursor_state *cursor,
			     const struct map_request *request)
{
	status_set refusals = map_refusals(space, cursor, request);

	if (is_anything_mapped(space, request->range))
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
		return !item->mapped && !is_anything_mapped(space, item->range);
	return item->mapped && mappings_are_leaf(&space->mappings, item, space->hardware_flags);
}

status_set spec_find_next_statuses(const struct space_state *space,
				   const struct cursor_state *cursor, struct irange range)
{
	status_set refusals = range_refusals(cursor, range);

	if (refusals != 0)
		return refusals;
	return STATUS_SET(is_anything_mapped(space, range) ? MM_OK : MM_NOT_MAPPED);
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

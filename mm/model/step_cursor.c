/* SPDX-License-Identifier: BSD-3-Clause */
/* Cursors: page_table_spec.h says what they do to a table, and here it is asked with the store's state;
 * and what they do to handles and counts. */
#include "accounting.h"
#include "one_step.h"
#include "permission.h"

/* What this CPU holds of the space already. Exclusion is by table nodes (cursor.h), so a range beside
 * the one held may be refused as well. */
static enum held_here held_here(const struct store *store, const struct live_space *space,
				const struct op *op)
{
	enum held_here held = HELD_NOTHING;
	const struct open_cursor *open;

	LIST_FOREACH(open, &store->registry.cursors, link)
	{
		if (open->space != space || open->cpu != op->cpu)
			continue;
		if (irange_overlaps(open->state.range, op->range))
			return HELD_IN_RANGE;
		held = HELD_ELSEWHERE;
	}
	return held;
}

status_set cursor_open_statuses(struct store *store, const struct live_space *space,
				const struct op *op)
{
	status_set statuses =
		spec_open_statuses(&space->state, op->range, held_here(store, space, op));

	return status_in(statuses, MM_OK) && store_may_refuse(store, op->cpu)
		       ? statuses | STATUS_SET(MM_BUSY)
		       : statuses;
}

/* What is to be mapped, from the position on: a handle's pages, or those that are asked for. */
static struct map_request map_request(const struct store *store, const struct open_cursor *cursor,
				      const struct op *op, bool *open)
{
	const struct space_state *space = &cursor->space->state;
	const struct iaddr start = cursor->state.position;
	const uint64_t limit = UINT64_C(1) << space->pa_bits;
	struct prange pages = op->kind == OPERATION_CURSOR_MAP_IOMEM || !prange_is_empty(op->pages)
				      ? op->pages
				      : op->handle_pages;
	uint64_t size = pages.end.value - pages.start.value;
	struct map_request request = {
		.range = irange(start, iaddr(start.value + size)),
		.output = pages.start,
		.property = op->property,
		.counted = op->kind != OPERATION_CURSOR_MAP_IOMEM,
	};

	if (spec_is_el2s_own(space) || !is_page_aligned(pages.start.value) ||
	    pages.start.value >= limit || size > limit - pages.start.value)
		return request;
	if (request.counted) {
		enum permission permission =
			owners_permission(store, cursor->space->owner, pages, store_alone(store));

		request.output_denied = permission == NOT_PERMITTED;
		*open = permission == OPEN;
	} else {
		request.output_denied = accounting_is_memory(store, pages);
	}
	return request;
}

static status_set map_statuses(const struct store *store, const struct open_cursor *cursor,
			       const struct op *op)
{
	bool open = false; /* whether the pages are another's */
	struct map_request request = map_request(store, cursor, op, &open);
	status_set statuses =
		op->kind == OPERATION_CURSOR_REPLACE
			? spec_replace_statuses(&cursor->space->state, &cursor->state, &request)
			: spec_map_statuses(&cursor->space->state, &cursor->state, &request);

	return statuses | (open ? STATUS_SET(MM_ACCESS_DENIED) : 0);
}

static status_set open_cursor_statuses(const struct store *store, const struct open_cursor *cursor,
				       const struct op *op)
{
	const struct space_state *space = &cursor->space->state;
	const struct cursor_state *state = &cursor->state;
	const struct irange range =
		irange(state->position, iaddr(state->position.value + op->length));

	switch ((enum cursor_operation)op->kind) {
	case OPERATION_CURSOR_QUERY:
		return spec_query_statuses(space, state);
	case OPERATION_CURSOR_PEEK: /* takes no reference */
		return spec_query_statuses(space, state) & ~STATUS_SET(MM_SATURATED);
	case OPERATION_CURSOR_FIND_NEXT:
		return spec_find_next_statuses(space, state, range);
	case OPERATION_CURSOR_JUMP:
		return spec_jump_statuses(state, op->address);
	case OPERATION_CURSOR_MAP:
	case OPERATION_CURSOR_MAP_SEGMENT:
	case OPERATION_CURSOR_MAP_IOMEM:
	case OPERATION_CURSOR_REPLACE:
		return map_statuses(store, cursor, op);
	case OPERATION_CURSOR_UNMAP:
		return spec_unmap_statuses(space, state, range);
	case OPERATION_CURSOR_PROTECT:
		return spec_protect_statuses(space, state, range, op->changes);
	case OPERATION_CURSOR_PROTECT_NEXT:
		return spec_protect_next_statuses(space, state, range, op->property);
	case OPERATION_CURSOR_OPEN: /* is asked of a space */
	case OPERATION_CURSOR_CLOSE:
	case OPERATION_CURSOR_VIRT_ADDR:
		return STATUS_SET(MM_OK);
	}
	return STATUS_NONE;
}

status_set cursor_statuses(struct store *store, const struct op *op)
{
	const struct open_cursor *cursor =
		registry_cursor(&store->registry, (const struct cursor *)(uintptr_t)op->cursor);
	const struct live_space *space = store_space(store, op->space);

	if (op->kind == OPERATION_CURSOR_OPEN)
		return space == NULL ? STATUS_ANY : cursor_open_statuses(store, space, op);
	return cursor == NULL || cursor->space == NULL ? STATUS_ANY
						       : open_cursor_statuses(store, cursor, op);
}

void cursor_step(const struct step *step)
{
	const struct op *op = step->op;

	switch ((enum cursor_operation)op->kind) {
	case OPERATION_CURSOR_MAP:
	case OPERATION_CURSOR_MAP_SEGMENT:
	case OPERATION_CURSOR_REPLACE:
		step_move(step, op->pages, step_given(step),
			  op->space == 0 ? COUNT_BEFORE : COUNT_ENTRIES);
		step_end_handle(step);
		break;
	case OPERATION_CURSOR_QUERY:
		step_move(step, op->pages, COUNT_NOTHING, step_new(step, 0, SHARE_FRAME));
		step_made(step, 0, SHARE_FRAME, op->pages);
		break;
	case OPERATION_CURSOR_OPEN: /* these leave handles and counts as they are */
	case OPERATION_CURSOR_CLOSE:
	case OPERATION_CURSOR_VIRT_ADDR:
	case OPERATION_CURSOR_PEEK:
	case OPERATION_CURSOR_FIND_NEXT:
	case OPERATION_CURSOR_JUMP:
	case OPERATION_CURSOR_MAP_IOMEM:
	case OPERATION_CURSOR_UNMAP: /* what it parks is FLUSH_ISSUE */
	case OPERATION_CURSOR_PROTECT:
	case OPERATION_CURSOR_PROTECT_NEXT:
		break;
	}
}

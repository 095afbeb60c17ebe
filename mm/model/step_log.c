/* SPDX-License-Identifier: BSD-3-Clause */
/* Dirty logs: which statuses are right, by what the log has taken and what is mapped there now. */
#include "one_step.h"
#include "spec_refusals.h"

#define OK STATUS_SET(MM_OK)

static bool anything_with(const struct open_cursor *cursor, struct irange range, uint8_t flag)
{
	struct mapping mapping;

	while (mappings_next_in(&cursor->space->state.mappings, range, &mapping)) {
		if (mapping.property.flags & flag)
			return true;
		range.start = mapping.range.end;
	}
	return false;
}

/* MM_NO_MEMORY where there may be a block, inside or at an end, and no page to split it with. */
static status_set ok_but_for_blocks(const struct open_cursor *cursor, struct irange range)
{
	struct leaf_bounds bounds = spec_leaf_bounds(&cursor->space->state.mappings, range);

	return OK | (bounds.least < bounds.most ? STATUS_SET(MM_NO_MEMORY) : 0) |
	       may_need_tables(&cursor->space->state, range);
}

status_set log_start_statuses(const struct open_cursor *cursor, const struct op *op)
{
	const struct iaddr start = cursor->state.position;
	struct irange range = irange(start, iaddr(start.value + op->length));
	status_set statuses = property_statuses(cursor, range);

	if (op->length == 0)
		return STATUS_SET(MM_INVALID_ARGS) | (statuses & ~OK);
	if (!status_in(statuses, MM_OK) || !cursor->space->state.hardware_flags)
		return statuses;
	statuses = ok_but_for_blocks(cursor, range);
	if (anything_with(cursor, range, PAGE_DIRTY_STATE))
		statuses = (statuses & ~OK) | STATUS_SET(MM_IN_USE);
	return statuses;
}

/*
 * Of what is asked at another cursor than one on all of the log. One that does not run (NULL), or that was
 * begun before the model, is in a space that is not this one.
 */
static status_set log_refusals(const struct open_cursor *cursor, const struct live_log *log)
{
	status_set refusals = 0;

	if (log == NULL)
		return STATUS_SET(MM_OUT_OF_BOUND) | STATUS_SET(MM_INVALID_ARGS);
	if (log->space != cursor->space)
		refusals |= STATUS_SET(MM_INVALID_ARGS);
	if (!irange_contains(cursor->state.range, log->range))
		refusals |= STATUS_SET(MM_OUT_OF_BOUND);
	if (!cursor->state.may_change)
		refusals |= STATUS_SET(MM_ACCESS_DENIED);
	return refusals;
}

status_set log_take_statuses(const struct open_cursor *cursor, const struct live_log *log)
{
	status_set refusals = log_refusals(cursor, log);

	if (refusals != 0)
		return refusals;
	return cursor->space->state.hardware_flags ? ok_but_for_blocks(cursor, log->range)
						   : property_statuses(cursor, log->range);
}

/* Whether something that the log gives back cannot be written. */
static bool cannot_be_given(const struct open_cursor *cursor, const struct live_log *log)
{
	const struct space_state *space = &cursor->space->state;
	struct irange left = log->range;
	struct mapping taken, mapping;

	if (space->hardware_flags)
		return false;
	while (mappings_next_in(&log->taken, left, &taken)) {
		left.start = taken.range.end;
		while (mappings_next_in(&space->mappings, taken.range, &mapping)) {
			mapping.property.flags |= PAGE_WRITE;
			if (!spec_property_expressible(space->stage, mapping.property))
				return true;
			taken.range.start = mapping.range.end;
		}
	}
	return false;
}

status_set log_stop_statuses(const struct open_cursor *cursor, const struct live_log *log)
{
	status_set refusals = log_refusals(cursor, log);

	if (refusals == 0 && cannot_be_given(cursor, log))
		refusals = STATUS_SET(MM_NOT_SUPPORTED);
	return refusals != 0 ? refusals : ok_but_for_blocks(cursor, log->range);
}

/* The log's is what it took; by hardware, as long as it can be written. @log is NULL if it does not run. */
static bool is_served(const struct open_cursor *cursor, const struct live_log *log,
		      const struct mapping *mapping)
{
	struct iaddr page = cursor->state.position;

	if (log == NULL || !irange_has(log->range, page) || !mappings_has(&log->taken, page))
		return false;
	return !cursor->space->state.hardware_flags || mapping == NULL ||
	       (mapping->property.flags & (PAGE_WRITE | PAGE_DIRTY_STATE)) != 0;
}

status_set log_fault_statuses(const struct open_cursor *cursor, const struct live_log *log)
{
	const struct iaddr page = cursor->state.position;
	struct mapping mapping;
	bool mapped = mappings_find(&cursor->space->state.mappings, page, &mapping);
	status_set refusals = 0;

	if (log == NULL || log->space != cursor->space)
		refusals |= STATUS_SET(MM_INVALID_ARGS);
	if (page.value >= cursor->state.range.end.value)
		return refusals | STATUS_SET(MM_OUT_OF_BOUND);
	if (!cursor->state.may_change || !is_served(cursor, log, mapped ? &mapping : NULL))
		refusals |= STATUS_SET(MM_ACCESS_DENIED);
	if (!mapped)
		refusals |= STATUS_SET(MM_NOT_MAPPED);
	if (refusals != 0)
		return refusals;
	mapping.property.flags |= PAGE_WRITE;
	return spec_protect_next_statuses(&cursor->space->state, &cursor->state,
					  irange(page, iaddr(page.value + PAGE_SIZE)),
					  mapping.property);
}

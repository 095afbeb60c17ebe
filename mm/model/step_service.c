/* SPDX-License-Identifier: BSD-3-Clause */
/* Services at a cursor: which statuses the mappings of their range allow. What they are made of are
 * operations of their own, each judged by itself. */
#include "one_step.h"

#define OK STATUS_SET(MM_OK)

status_set property_statuses(const struct open_cursor *cursor, struct irange range)
{
	struct cursor_state at = cursor->state;

	at.position = range.start;
	return spec_protect_statuses(&cursor->space->state, &at, range,
				     (struct property_changes){ NULL, 0 });
}

/* What the operation is about, from the position on. */
static struct irange asked(const struct open_cursor *cursor, const struct op *op)
{
	const struct iaddr start = cursor->state.position;

	return irange(start, iaddr(start.value + op->length));
}

/* Tables are needed for each block that a page is taken out of. */
static status_set reclaim_statuses(const struct open_cursor *cursor, const struct op *op)
{
	status_set statuses = property_statuses(cursor, asked(cursor, op));

	return status_in(statuses, MM_OK)
		       ? statuses | STATUS_SET(MM_NO_MEMORY) | STATUS_SET(MM_SATURATED)
		       : statuses;
}

/* Only the table has the page: what else holds it may be another CPU's for a moment. */
static bool is_private(struct store *store, struct paddr page)
{
	const struct page_record *record = store_page(store, page, 0);

	return record == NULL || record->references == 1;
}

static status_set migrate_statuses(struct store *store, const struct open_cursor *cursor)
{
	struct mapping mapping;

	if (!cursor->state.may_change)
		return STATUS_SET(MM_ACCESS_DENIED);
	if (cursor->state.position.value >= cursor->state.range.end.value)
		return STATUS_SET(MM_OUT_OF_BOUND);
	if (!mappings_find(&cursor->space->state.mappings, cursor->state.position, &mapping))
		return STATUS_SET(MM_NOT_MAPPED);
	if (!mapping.counted)
		return STATUS_SET(MM_ACCESS_DENIED);
	if (mapping.property.cache != CACHE_WRITEBACK)
		return STATUS_SET(MM_NOT_SUPPORTED) | STATUS_SET(MM_SATURATED);
	if (!is_private(store, mapping_output(&mapping, cursor->state.position)))
		return STATUS_SET(MM_IN_USE) | STATUS_SET(MM_SATURATED) | step_race(store, OK);
	/* That the new page may be the space's, the replacement says that it is made of. */
	return OK | STATUS_SET(MM_NO_MEMORY) | STATUS_SET(MM_ACCESS_DENIED) |
	       step_race(store, STATUS_SET(MM_IN_USE));
}

status_set service_statuses(struct store *store, const struct op *op)
{
	const struct open_cursor *cursor =
		registry_cursor(&store->registry, (const struct cursor *)(uintptr_t)op->cursor);

	const struct live_log *log = store_log(store, op->log);

	if (cursor == NULL)
		return STATUS_ANY;
	switch ((enum service_operation)op->kind) {
	case OPERATION_CURSOR_MIGRATE:
		return migrate_statuses(store, cursor);
	case OPERATION_CURSOR_RECLAIM:
		return reclaim_statuses(cursor, op);
	case OPERATION_DIRTY_LOG_START:
		return log_start_statuses(cursor, op);
	case OPERATION_DIRTY_LOG_FAULT:
		return log_fault_statuses(cursor, log);
	case OPERATION_DIRTY_LOG_TAKE:
		return log_take_statuses(cursor, log);
	case OPERATION_DIRTY_LOG_STOP:
		return log_stop_statuses(cursor, log);
	case OPERATION_CURSOR_AGE:
	case OPERATION_CURSOR_WRITE_PROTECT:
		return property_statuses(cursor, asked(cursor, op));
	case OPERATION_DIRTY_LOG_ADOPT: /* says what there will be, and changes nothing */
		return OK;
	}
	return STATUS_NONE;
}

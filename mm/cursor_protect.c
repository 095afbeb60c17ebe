/* SPDX-License-Identifier: BSD-3-Clause */
#include "protect_change.h"

static enum mm_status plan_and_commit(struct range_change *change, struct irange range)
{
	enum mm_status status = protect_plan(change, range);

	if (status == MM_OK && !change->is_planned)
		status = node_reserve_fill(change->reserve, change->tables);
	if (status == MM_OK)
		protect_commit(change, range);
	return status;
}

static enum mm_status change_range(struct range_change *change, uint64_t length)
{
	struct cursor *cursor = change->cursor;
	const struct iaddr before = cursor->position;
	const struct irange range = irange(before, iaddr(before.value + length));
	enum mm_status status = cursor->access == CURSOR_MUTABLE
					? cursor_check_length(cursor, length)
					: MM_ACCESS_DENIED;

	if (status == MM_OK && length > 0)
		status = plan_and_commit(change, range);
	if (status == MM_OK)
		cursor->position = range.end;
	REPORT(.kind = OPERATION_CURSOR_PROTECT, .status = status, .space = cursor->space,
	       .cursor = cursor, .position = before, .range = range, .changes = change->changes,
	       .change_count = change->count, .leaves = change->leaves);
	return status;
}

/* Of its large arrays nothing is written before it is used. */
static void begin(struct range_change *change, struct cursor *cursor, page_property_update update,
		  void *context, struct node_reserve *reserve)
{
	change->reserve = reserve;
	change->is_planned = false;
	change->cursor = cursor;
	change->top = covering_table(cursor);
	change->update = update;
	change->update_context = context;
	change->visit = NULL;
	change->tables = 0;
	change->leaves = 0;
	change->broken = false;
	change->split = false;
	change->to_pages = false;
	change->count = 0;
	change->alike = true;
	change->last.old = 0;
}

/*
 * The property that was asked for: of several answers, since a CPU may set flags meanwhile, the least that
 * there may be; of a refused change the last one, which is what cannot be.
 */
static struct page_property asked_for(const struct range_change *change, enum mm_status status)
{
	struct page_property property = change->changes[change->count - 1].becomes;

	for (size_t i = 0; status == MM_OK && i < change->count; i++)
		property.flags &= change->changes[i].becomes.flags;
	return property;
}

enum mm_status cursor_protect_next(struct cursor *cursor, uint64_t length,
				   page_property_update update, void *context,
				   struct irange *changed)
{
	enum mm_status status = cursor->access == CURSOR_MUTABLE
					? cursor_check_length(cursor, length)
					: MM_ACCESS_DENIED;
	struct iaddr before = cursor->position;
	struct irange range = irange(before, iaddr(before.value + length));
	struct page_property property = { 0, 0 };
	struct irange part = { { 0 }, { 0 } };
	struct lookup lookup;

	if (status == MM_OK && !cursor_find(cursor, range, &lookup)) {
		cursor->position = range.end;
		status = MM_NOT_MAPPED;
	} else if (status == MM_OK) {
		struct node_reserve reserve;
		struct range_change change;

		begin(&change, cursor, update, context, &reserve);
		change.top = lookup.table;
		part = irange_intersection(range, lookup.span);
		status = plan_and_commit(&change, part);
		property = asked_for(&change, status);
		if (status == MM_OK) {
			cursor->position = part.end;
			if (changed != NULL)
				*changed = part;
		}
	}
	REPORT(.kind = OPERATION_CURSOR_PROTECT_NEXT, .status = status, .space = cursor->space,
	       .cursor = cursor, .position = before, .range = range, .changed = part,
	       .property = property);
	(void)property;
	return status;
}

enum mm_status cursor_protect(struct cursor *cursor, uint64_t length, page_property_update update,
			      void *context, uint64_t *changed_leaves)
{
	struct node_reserve reserve;
	struct range_change change;
	enum mm_status status;

	begin(&change, cursor, update, context, &reserve);
	status = change_range(&change, length);
	if (status == MM_OK && changed_leaves != NULL)
		*changed_leaves = change.leaves;
	return status;
}

enum mm_status protect_range(struct cursor *cursor, uint64_t length, page_property_update update,
			     protect_range_visit visit, void *context)
{
	struct node_reserve reserve;
	struct range_change change;

	begin(&change, cursor, update, NULL, &reserve);
	change.visit = visit;
	change.visit_context = context;
	return change_range(&change, length);
}

enum mm_status protect_range_to_pages(struct cursor *cursor, uint64_t length,
				      page_property_update update, protect_range_visit visit,
				      void *context)
{
	struct node_reserve reserve;
	struct range_change change;

	begin(&change, cursor, update, NULL, &reserve);
	change.visit = visit;
	change.visit_context = context;
	change.to_pages = true;
	return change_range(&change, length);
}

enum mm_status protect_range_from(struct node_reserve *reserve, struct cursor *cursor,
				  uint64_t length, page_property_update update)
{
	struct range_change change;

	begin(&change, cursor, update, NULL, reserve);
	change.is_planned = true;
	return change_range(&change, length);
}

struct page_property without_write(struct page_property property, void *context)
{
	(void)context;
	property.flags &= (uint8_t) ~(PAGE_WRITE | PAGE_DIRTY_STATE);
	return property;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "protect_range.h"

#include "cursor_private.h"

/* One part that changed, or will. */
struct change {
	page_property_update update;
	struct irange part;
	struct page_property was;
};

static struct page_property remember(struct page_property property, void *context)
{
	struct change *change = context;

	change->was = property;
	return change->update(property, NULL);
}

static struct page_property restore(struct page_property property, void *context)
{
	const struct change *change = context;

	(void)property;
	return change->was;
}

static enum mm_status change_next(struct cursor *cursor, struct iaddr end, struct change *change)
{
	uint64_t left = end.value - cursor_virt_addr(cursor).value;

	return cursor_protect_next(cursor, left, remember, change, &change->part);
}

/* Inside the range, always. */
static void go_to(struct cursor *cursor, struct iaddr position)
{
	enum mm_status status = cursor_jump(cursor, position);

	MM_INVARIANT(status == MM_OK, "a jump inside the range succeeds", position.value);
}

/* The leaf that straddles the end of @range, if one does: it needs tables. */
static enum mm_status change_tail(struct cursor *cursor, struct irange range, struct change *tail)
{
	struct cursor_item item;

	go_to(cursor, iaddr(range.end.value - PAGE_SIZE));

	enum mm_status status = cursor_peek(cursor, &item);

	if (status != MM_OK || !item.mapped || item.range.end.value <= range.end.value)
		return status;
	go_to(cursor, irange_intersection(range, item.range).start);
	return change_next(cursor, range.end, tail);
}

/* Its tables are there: this cannot fail. */
static void undo(struct cursor *cursor, struct change *change)
{
	enum mm_status status = MM_OK;

	go_to(cursor, change->part.start);
	while (status == MM_OK && cursor_virt_addr(cursor).value < change->part.end.value)
		status = cursor_protect_next(
			cursor, change->part.end.value - cursor_virt_addr(cursor).value, restore,
			change, NULL);
	MM_INVARIANT(status == MM_OK, "what was split can be changed back",
		     change->part.start.value);
}

/*
 * Only a leaf that straddles an edge of the range is split, so only the last and the first leaf can
 * want memory: they come first, and what lies between them cannot fail. (A table that became a block
 * meanwhile has the new property throughout, and is not written again.)
 */
enum mm_status protect_range(struct cursor *cursor, uint64_t length, page_property_update update,
			     protect_range_visit visit, void *context)
{
	enum mm_status status = cursor->access == CURSOR_MUTABLE
					? cursor_check_length(cursor, length)
					: MM_ACCESS_DENIED;
	const struct iaddr start = cursor_virt_addr(cursor);

	if (status != MM_OK || length == 0)
		return status;

	const struct irange range = irange(start, iaddr(start.value + length));
	struct change tail = { .update = update, .part = irange(range.end, range.end) };
	struct change change = { .update = update };

	status = change_tail(cursor, range, &tail);
	if (status == MM_OK)
		go_to(cursor, start);
	for (bool first = true; status == MM_OK; first = false) {
		if (cursor_virt_addr(cursor).value == tail.part.start.value)
			break;
		status = change_next(cursor, tail.part.start, &change);
		if (status == MM_OK)
			visit(change.part, change.was, context);
		MM_INVARIANT(first || status == MM_OK || status == MM_NOT_MAPPED,
			     "leaves inside a range are changed without memory",
			     change.part.start.value);
	}
	if (status != MM_OK && status != MM_NOT_MAPPED) {
		if (!irange_is_empty(tail.part))
			undo(cursor, &tail);
		go_to(cursor, start);
		return status;
	}
	if (!irange_is_empty(tail.part))
		visit(tail.part, tail.was, context);
	go_to(cursor, range.end);
	return MM_OK;
}

struct page_property without_write(struct page_property property, void *context)
{
	(void)context;
	property.flags &= (uint8_t)~PAGE_WRITE;
	return property;
}

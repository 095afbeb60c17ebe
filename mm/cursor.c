/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/barrier.h>
#include "cursor_lock.h"
#include "share.h"
#include "slot.h"

void cursor_begin(struct cursor *cursor, struct vm_space *space, struct irange range,
		  enum cursor_access access, const struct covering *covering)
{
	cursor->space = space;
	cursor->range = range;
	cursor->position = range.start;
	cursor->access = access;
	cursor->covering_table = covering->table.descriptors;
	cursor->covering_level = covering->table.level;
	cursor->covering_range = covering->span;
	cursor->changed = false;
	cursor_forget_leaf_table(cursor);
	gather_init(&cursor->gather);
}

enum mm_status cursor_open(struct vm_space *space, struct irange range, enum cursor_access access,
			   struct cursor *out)
{
	enum mm_status status = MM_OK;

	if (irange_is_empty(range))
		status = MM_INVALID_ARGS;
	else if (!irange_contains(vm_space_range(space), range))
		status = MM_OUT_OF_BOUND;
	else if (!irange_is_page_aligned(range))
		status = MM_NOT_ALIGNED;

	/* A cursor is large: it is built where it stays, and only once nothing can fail any more. */
	if (status == MM_OK) {
		struct covering covering;

		if (cursor_lock(space, range, LEVEL_PAGE, &covering)) {
			cursor_begin(out, space, range, access, &covering);
			atomic_fetch_add_explicit(&space->open_cursors, 1, memory_order_relaxed);
		} else {
			status = MM_BUSY;
		}
	}
	REPORT(.kind = OPERATION_CURSOR_OPEN, .status = status, .space = space,
	       .cursor = status == MM_OK ? out : NULL, .range = range);
	return status;
}

void cursor_close(struct cursor *cursor)
{
	gather_flush(cursor->space, &cursor->gather);
	REPORT(.kind = OPERATION_CURSOR_CLOSE, .space = cursor->space, .cursor = cursor,
	       .position = cursor->position);

	struct table covering = covering_table(cursor);
	bool tidy = cursor->changed && table_is_untidy(cursor->space, &covering);

	cursor_unlock(cursor);
	if (tidy)
		space_tidy(cursor->space, covering.base, covering.level - 1);
	atomic_fetch_sub_explicit(&cursor->space->open_cursors, 1, memory_order_release);
}

void cursor_flush(struct cursor *cursor)
{
	gather_flush(cursor->space, &cursor->gather);
	REPORT(.kind = OPERATION_CURSOR_FLUSH, .space = cursor->space, .cursor = cursor,
	       .position = cursor->position);
}

struct iaddr cursor_virt_addr(const struct cursor *cursor)
{
	return cursor->position;
}

enum mm_status cursor_jump(struct cursor *cursor, struct iaddr position)
{
	enum mm_status status = MM_OK;
	struct iaddr before = cursor->position;

	if (!is_page_aligned(position.value))
		status = MM_NOT_ALIGNED;
	else if (!irange_has(cursor->range, position) && position.value != cursor->range.end.value)
		status = MM_OUT_OF_BOUND;
	else
		cursor->position = position;
	REPORT(.kind = OPERATION_CURSOR_JUMP, .status = status, .space = cursor->space,
	       .cursor = cursor, .position = before, .range = irange(position, position));
	(void)before;
	return status;
}

enum mm_status cursor_check_length(const struct cursor *cursor, uint64_t length)
{
	if (!is_page_aligned(length))
		return MM_NOT_ALIGNED;
	if (length > cursor->range.end.value - cursor->position.value)
		return MM_OUT_OF_BOUND;
	return MM_OK;
}

struct lookup cursor_lookup(const struct cursor *cursor, struct iaddr ia)
{
	struct table table = covering_table(cursor);

	if (irange_has(cursor->leaf_table_range, ia))
		table = (struct table){ cursor->leaf_table, LEVEL_PAGE,
					cursor->leaf_table_range.start };
	for (;;) {
		size_t index = table_index(&table, ia);
		uint64_t descriptor = descriptor_read(&table.descriptors[index]);

		if (!descriptor_is_table(descriptor, table.level))
			return (struct lookup){ &table.descriptors[index], descriptor, table,
						table_span(&table, index) };
		table = table_child(&table, index, descriptor);
	}
}

static enum mm_status describe(const struct cursor *cursor, struct cursor_item *item)
{
	if (cursor->position.value >= cursor->range.end.value)
		return MM_OUT_OF_BOUND;

	struct lookup lookup = cursor_lookup(cursor, cursor->position);

	*item = (struct cursor_item){ .range = lookup.span };
	if (lookup.descriptor == 0)
		return MM_OK;
	item->mapped = true;
	item->counted = !(lookup.descriptor & DESCRIPTOR_NOT_COUNTED);
	item->output = descriptor_address(lookup.descriptor);
	item->property = property_decode(cursor->space->stage, leaf_attributes(lookup.descriptor));
	return MM_OK;
}

static enum mm_status query(const struct cursor *cursor, struct cursor_item *item, frame_t *frame,
			    uintptr_t by)
{
	struct cursor_item found = { .mapped = false };
	enum mm_status status = describe(cursor, &found);

	if (status == MM_OK && frame != NULL && found.mapped && found.counted) {
		uint64_t offset = cursor->position.value - found.range.start.value;
		struct paddr page = paddr(found.output.value + offset);

		/* The table entry holds the page while the cursor is open: one more is a clone. */
		status = slots_acquire(prange(page, paddr(page.value + PAGE_SIZE)));
		if (status == MM_OK) {
			frame->paddr = page;
			SHARE_MAKE(frame, SHARE_FRAME, prange(page, paddr(page.value + PAGE_SIZE)),
				   by);
		}
	}
	if (status == MM_OK)
		*item = found;
	REPORT(.kind = OPERATION_CURSOR_QUERY, .status = status, .space = cursor->space,
	       .cursor = cursor, .position = cursor->position, .item = found);
	return status;
}

enum mm_status cursor_query(const struct cursor *cursor, struct cursor_item *item, frame_t *frame)
{
	return query(cursor, item, frame, SHARE_CALLER());
}

enum mm_status cursor_peek(const struct cursor *cursor, struct cursor_item *item)
{
	return query(cursor, item, NULL, SHARE_CALLER());
}

/* The first descriptor that is not zero, in @table or below it, of those that @range touches. */
static bool find_below(const struct table *table, struct irange range, struct lookup *found)
{
	size_t last = table_index(table, iaddr(range.end.value - 1));

	for (size_t i = table_index(table, range.start); i <= last; i++) {
		uint64_t descriptor = descriptor_read(&table->descriptors[i]);
		struct irange span = table_span(table, i);

		if (descriptor == 0)
			continue;
		if (!descriptor_is_table(descriptor, table->level)) {
			*found =
				(struct lookup){ &table->descriptors[i], descriptor, *table, span };
			return true;
		}

		struct table child = table_child(table, i, descriptor);

		if (find_below(&child, irange_intersection(range, span), found))
			return true;
	}
	return false;
}

bool cursor_find(const struct cursor *cursor, struct irange range, struct lookup *found)
{
	struct table covering = covering_table(cursor);

	return !irange_is_empty(range) && find_below(&covering, range, found);
}

enum mm_status cursor_find_next(struct cursor *cursor, uint64_t length)
{
	enum mm_status status = cursor_check_length(cursor, length);
	struct iaddr before = cursor->position;
	struct irange range = irange(before, iaddr(before.value + length));
	struct lookup found;

	if (status == MM_OK) {
		if (!cursor_find(cursor, range, &found)) {
			cursor->position = range.end;
			status = MM_NOT_MAPPED;
		} else if (found.span.start.value > before.value) {
			cursor->position = found.span.start;
		}
	}
	REPORT(.kind = OPERATION_CURSOR_FIND_NEXT, .status = status, .space = cursor->space,
	       .cursor = cursor, .position = before, .range = range);
	return status;
}

void cursor_publish(const struct cursor *cursor)
{
	dsb_ishst();
	if (cursor->space->stage == STAGE_1)
		isb();
}

#if STRATA_CHECKED

static mm_operation_observer operation_observer;

void mm_operation_attach(mm_operation_observer observer)
{
	operation_observer = observer;
}

void operation_report(const struct mm_operation *operation)
{
	if (operation_observer != NULL)
		operation_observer(operation);
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/barrier.h>
#include <arch/canary.h>
#include "cursor_lock.h"
#include "share.h"
#include "slot.h"

__attribute__((noinline)) static enum mm_status open_slowly(struct vm_space *space,
							    struct irange range,
							    enum cursor_access access,
							    struct cursor *out)
{
	enum mm_status status = MM_OK;

	if (irange_is_empty(range))
		status = MM_INVALID_ARGS;
	else if (!irange_contains(vm_space_range(space), range))
		status = MM_OUT_OF_BOUND;
	else if (!irange_is_page_aligned(range))
		status = MM_NOT_ALIGNED;
	else if (!cursor_lock(out, space, range, access, LEVEL_PAGE, node_patience()))
		status = MM_BUSY;
	else
		mm_this_cpu()->open_cursors++;
	REPORT(.kind = OPERATION_CURSOR_OPEN, .status = status, .space = space,
	       .cursor = status == MM_OK ? out : NULL, .range = range);
	return status;
}

enum mm_status cursor_open(struct vm_space *space, struct irange range, enum cursor_access access,
			   struct cursor *out)
{
	if (!irange_is_empty(range) && irange_contains(vm_space_range(space), range) &&
	    irange_is_page_aligned(range) && cursor_lock_page_table(out, space, range, access)) {
		mm_this_cpu()->open_cursors++;
		REPORT(.kind = OPERATION_CURSOR_OPEN, .space = space, .cursor = out,
		       .range = range);
		return MM_OK;
	}
	return open_slowly(space, range, access, out);
}

__attribute__((noinline)) static void close_slowly(struct cursor *cursor)
{
	struct vm_space *space = cursor->space;
	struct table covering = covering_table(cursor);
	/* An empty one in which nothing was changed is what a CPU could not tidy away (space_tidy). */
	bool tidy = cursor->changed
			    ? table_is_untidy(space, &covering)
			    : cursor->access == CURSOR_MUTABLE && table_is_empty(space, &covering);

	mm_this_cpu()->open_cursors--;
	if (!tidy) {
		cursor_unlock(cursor);
		return;
	}
	/* Relaxed: giving back the node, a release, makes it seen by who finds that nobody holds one. */
	atomic_fetch_add_explicit(&space->tidying, 1, memory_order_relaxed);
	cursor_unlock(cursor);
	space_tidy(space, covering.base, covering.level - 1);
	/* Release: who finds nobody tidying may free what was looked at here (vm_space_hold). */
	atomic_fetch_sub_explicit(&space->tidying, 1, memory_order_release);
}

void cursor_close(struct cursor *cursor)
{
	if (!gather_is_empty(&cursor->gather))
		gather_flush(cursor->space, &cursor->gather);
	REPORT(.kind = OPERATION_CURSOR_CLOSE, .space = cursor->space, .cursor = cursor,
	       .position = cursor->position);

	const struct slot *node = cursor->covering_node;

	/* Most covering tables are of level 3, and neither empty nor full. (Of a concatenated root this
	 * CPU may not have the first page, which the node is: not even a look is allowed.) */
	if (cursor->covering_level != LEVEL_PAGE || node->children == 0 ||
	    node->children == TABLE_ENTRIES) {
		close_slowly(cursor);
		return;
	}
	mm_this_cpu()->open_cursors--;
	node_unlock(cursor->covering_node);
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
	else if (!CANARY(jump_anywhere) && !irange_has(cursor->range, position) &&
		 position.value != cursor->range.end.value)
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

	if (irange_has(cursor->leaf_table_range, ia)) {
		table = (struct table){ cursor->leaf_table, LEVEL_PAGE,
					cursor->leaf_table_range.start };

		size_t index = table_index(&table, ia);

		return (struct lookup){ &table.descriptors[index],
					descriptor_read(&table.descriptors[index]), table,
					table_span(&table, index) };
	}
	for (;;) {
		size_t index = table_index(&table, ia);
		uint64_t descriptor = descriptor_read(&table.descriptors[index]);

		if (!descriptor_is_table(descriptor, table.level))
			return (struct lookup){ &table.descriptors[index], descriptor, table,
						table_span(&table, index) };
		table = table_child(&table, index, descriptor);
	}
}

static void describe(const struct cursor *cursor, uint64_t descriptor, struct irange span,
		     struct cursor_item *item)
{
	if (descriptor == 0) {
		*item = (struct cursor_item){ .range = span };
		return;
	}
	item->range = span;
	item->mapped = true;
	item->counted = !(descriptor & DESCRIPTOR_NOT_COUNTED);
	item->output = descriptor_address(descriptor);
	item->property = property_decode(cursor->space->stage, leaf_attributes(descriptor));
}

enum mm_status cursor_peek(const struct cursor *cursor, struct cursor_item *item)
{
	const struct iaddr ia = cursor->position;
	enum mm_status status = MM_OK;

	if (ia.value >= cursor->range.end.value) {
		status = MM_OUT_OF_BOUND;
	} else if (irange_has(cursor->leaf_table_range, ia)) {
		size_t index = (ia.value - cursor->leaf_table_range.start.value) >> PAGE_SHIFT;

		describe(cursor, descriptor_read(&cursor->leaf_table[index]),
			 irange(ia, iaddr(ia.value + PAGE_SIZE)), item);
	} else {
		struct lookup lookup = cursor_lookup(cursor, ia);

		describe(cursor, lookup.descriptor, lookup.span, item);
	}
	REPORT(.kind = OPERATION_CURSOR_PEEK, .status = status, .space = cursor->space,
	       .cursor = cursor, .position = ia,
	       .item = status == MM_OK ? *item : (struct cursor_item){ .mapped = false });
	return status;
}

enum mm_status cursor_query(const struct cursor *cursor, struct cursor_item *item, frame_t *frame)
{
	IN_FLIGHT();

	struct cursor_item found = { .mapped = false };
	enum mm_status status = MM_OK;

	if (frame == NULL)
		return cursor_peek(cursor, item);
	if (cursor->position.value >= cursor->range.end.value) {
		status = MM_OUT_OF_BOUND;
	} else {
		struct lookup lookup = cursor_lookup(cursor, cursor->position);

		describe(cursor, lookup.descriptor, lookup.span, &found);
	}
	if (status == MM_OK && found.mapped && found.counted) {
		uint64_t offset = cursor->position.value - found.range.start.value;
		struct paddr page = paddr(found.output.value + offset);
		struct prange range = page_range(page);

		/* The table entry holds the page while the cursor is open: one more is a clone. */
		status = slots_acquire(range);
		if (status == MM_OK) {
			frame->paddr = page;
			SHARE_MAKE(frame, SHARE_FRAME, range, SHARE_CALLER());
		}
	}
	if (status != MM_OK) {
		REPORT(.kind = OPERATION_CURSOR_QUERY, .status = status, .space = cursor->space,
		       .cursor = cursor, .position = cursor->position);
		return status;
	}
	*item = found;
	if (found.mapped && found.counted)
		REPORT(.kind = OPERATION_CURSOR_QUERY, .space = cursor->space, .cursor = cursor,
		       .position = cursor->position, .item = found,
		       .made = { REPORTED_FRAME(frame) });
	else
		REPORT(.kind = OPERATION_CURSOR_QUERY, .space = cursor->space, .cursor = cursor,
		       .position = cursor->position, .item = found);
	return MM_OK;
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
	if (!CANARY(dsb_missing_publish))
		dsb_ishst();
	if (cursor->space->stage == STAGE_1)
		isb();
}

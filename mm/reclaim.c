/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/reclaim.h>

#include "cursor_private.h"

/* Pages that share one flush. */
#define BATCH_PAGES 16

struct reclaim {
	struct cursor *cursor;
	struct irange range;
	uint64_t wanted;
	uint64_t taken;
	reclaim_receiver receiver;
	void *context;
	size_t count;
	struct reclaimed_page batch[BATCH_PAGES];
};

static void deliver(struct reclaim *reclaim)
{
	cursor_flush(reclaim->cursor);
	for (size_t i = 0; i < reclaim->count; i++)
		reclaim->receiver(&reclaim->batch[i], reclaim->context);
	reclaim->count = 0;
}

/* The page at the position. On an error nothing happened. */
static enum mm_status take_page(struct reclaim *reclaim)
{
	struct reclaimed_page *page = &reclaim->batch[reclaim->count];
	const struct vm_space *space = reclaim->cursor->space;
	struct cursor_item item;
	struct removal removal;
	frame_t frame;
	enum mm_status status = cursor_query(reclaim->cursor, &item, &frame);

	if (status != MM_OK)
		return status;
	*page = (struct reclaimed_page){ cursor_virt_addr(reclaim->cursor), item.property, frame };
	status = cursor_unmap_telling(reclaim->cursor, PAGE_SIZE, &removal);
	if (status != MM_OK) {
		frame_drop(&page->frame);
		return status;
	}
	/* A CPU may have set flags since the query. */
	page->property = property_decode(space->stage, leaf_attributes(removal.last));
	reclaim->taken++;
	if (++reclaim->count == BATCH_PAGES)
		deliver(reclaim);
	return MM_OK;
}

/* All of the range with PAGE_ACCESSED as @accessed says. */
static enum mm_status take_pages(struct reclaim *reclaim, uint8_t accessed)
{
	struct cursor *cursor = reclaim->cursor;
	enum mm_status status = cursor_jump(cursor, reclaim->range.start);

	while (status == MM_OK && reclaim->taken < reclaim->wanted &&
	       cursor_virt_addr(cursor).value < reclaim->range.end.value) {
		struct cursor_item item;

		status = cursor_peek(cursor, &item);
		if (status != MM_OK)
			break;
		if (item.mapped && item.counted &&
		    (item.property.flags & PAGE_ACCESSED) == accessed)
			status = take_page(reclaim);
		else
			status = cursor_jump(cursor,
					     irange_intersection(item.range, reclaim->range).end);
	}
	return status;
}

enum mm_status cursor_reclaim(struct cursor *cursor, uint64_t length, uint64_t wanted,
			      reclaim_receiver receiver, void *context, uint64_t *taken)
{
	enum mm_status status = cursor->access == CURSOR_MUTABLE
					? cursor_check_length(cursor, length)
					: MM_ACCESS_DENIED;
	const struct iaddr start = cursor_virt_addr(cursor);

	if (status != MM_OK)
		return status;

	struct reclaim reclaim = {
		.cursor = cursor,
		.range = irange(start, iaddr(start.value + length)),
		.wanted = wanted,
		.receiver = receiver,
		.context = context,
	};

	status = take_pages(&reclaim, 0);
	if (status == MM_OK)
		status = take_pages(&reclaim, PAGE_ACCESSED);
	deliver(&reclaim);

	enum mm_status back = cursor_jump(cursor, start);

	MM_INVARIANT(back == MM_OK, "a cursor can go back to where it was", start.value);
	if (status != MM_OK && reclaim.taken == 0)
		return status;
	*taken = reclaim.taken;
	return MM_OK;
}

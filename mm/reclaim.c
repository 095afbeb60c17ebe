/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/reclaim.h>

#include "cursor_private.h"
#include "report.h"

/* Pages that share one flush. */
#define BATCH_PAGES 16

struct reclaim {
	struct cursor *cursor;
	struct irange range;
	uint64_t wanted;
	uint64_t taken;
	reclaim_receiver receiver;
	void *context;
	struct node_reserve reserve; /* for the splits */
	size_t count;
	struct reclaimed_page batch[BATCH_PAGES];
};

/* How many pages are to be taken, and what that needs. */
struct plan {
	uint64_t pages;
	size_t tables;
};

static bool is_candidate(const struct cursor_item *item)
{
	return item->mapped && item->counted;
}

static bool has_saturated(const struct cursor_item *item, struct irange part)
{
	uint64_t first = item->output.value + (part.start.value - item->range.start.value);

	for (uint64_t offset = 0; offset < irange_size(part); offset += PAGE_SIZE)
		if (atomic_load_explicit(&slot_of(paddr(first + offset))->references,
					 memory_order_relaxed) >= FRAME_REFERENCES_MAX)
			return true;
	return false;
}

/* The tables that a block needs so that each page of @part has a descriptor of its own. */
static size_t tables_to_pages(struct irange block, struct irange part)
{
	size_t tables = 0;

	for (uint64_t size = irange_size(block); size > PAGE_SIZE; size >>= LEVEL_BITS)
		tables += (part.end.value - 1) / size - part.start.value / size + 1;
	return tables;
}

/* Adds what taking from @item, as far as it is wanted, needs. */
static enum mm_status plan_item(const struct reclaim *reclaim, const struct cursor_item *item,
				struct plan *plan)
{
	struct irange part = irange_intersection(item->range, reclaim->range);
	uint64_t left = reclaim->wanted - plan->pages;

	if (irange_size(part) >> PAGE_SHIFT > left)
		part.end.value = part.start.value + (left << PAGE_SHIFT);
	if (has_saturated(item, part))
		return MM_SATURATED;
	plan->pages += irange_size(part) >> PAGE_SHIFT;
	plan->tables += tables_to_pages(item->range, part);
	return MM_OK;
}

/* What take_pages will find. */
static enum mm_status plan_pages(struct reclaim *reclaim, uint8_t accessed, struct plan *plan)
{
	struct cursor *cursor = reclaim->cursor;
	enum mm_status status = cursor_jump(cursor, reclaim->range.start);

	while (status == MM_OK && plan->pages < reclaim->wanted &&
	       cursor_virt_addr(cursor).value < reclaim->range.end.value) {
		struct cursor_item item;

		status = cursor_peek(cursor, &item);
		if (status == MM_OK && is_candidate(&item) &&
		    (item.property.flags & PAGE_ACCESSED) == accessed)
			status = plan_item(reclaim, &item, plan);
		if (status == MM_OK)
			status = cursor_jump(cursor,
					     irange_intersection(item.range, reclaim->range).end);
	}
	return status;
}

/* Where CPUs set the Access flag meanwhile nobody knows which pages will be cold: tables for all. */
static enum mm_status plan_all(const struct reclaim *reclaim, struct plan *plan)
{
	struct reclaim all = *reclaim;
	enum mm_status status;

	all.wanted = UINT64_MAX;
	status = plan_pages(&all, 0, plan);
	return status == MM_OK ? plan_pages(&all, PAGE_ACCESSED, plan) : status;
}

/* After this, taking cannot fail. */
static enum mm_status make_ready(struct reclaim *reclaim)
{
	struct plan plan = { 0 };
	enum mm_status status;

	if (reclaim->cursor->space->context.hardware_flags) {
		status = plan_all(reclaim, &plan);
	} else {
		status = plan_pages(reclaim, 0, &plan);
		if (status == MM_OK)
			status = plan_pages(reclaim, PAGE_ACCESSED, &plan);
	}
	return status == MM_OK ? node_reserve_fill(&reclaim->reserve, plan.tables) : status;
}

static void deliver(struct reclaim *reclaim)
{
	cursor_flush(reclaim->cursor);
	for (size_t i = 0; i < reclaim->count; i++)
		reclaim->receiver(&reclaim->batch[i], reclaim->context);
	reclaim->count = 0;
}

/* The page at the position has a descriptor of its own. */
static void split_to_page(struct reclaim *reclaim)
{
	struct cursor *cursor = reclaim->cursor;
	struct iaddr ia = cursor_virt_addr(cursor);
	struct lookup lookup = cursor_lookup(cursor, ia);

	while (lookup.table.level < LEVEL_PAGE) {
		block_split(cursor, &lookup.table, table_index(&lookup.table, ia),
			    &reclaim->reserve);
		lookup = cursor_lookup(cursor, ia);
	}
}

/* The page at the position. MM_SATURATED, with nothing done: somebody took references meanwhile. */
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
	split_to_page(reclaim);
	status = cursor_unmap_telling(reclaim->cursor, PAGE_SIZE, &removal);
	MM_INVARIANT(status == MM_OK, "a page with a descriptor of its own can be unmapped",
		     page->page.value);
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
		if (!is_candidate(&item) || (item.property.flags & PAGE_ACCESSED) != accessed)
			status = cursor_jump(cursor,
					     irange_intersection(item.range, reclaim->range).end);
		else if (take_page(reclaim) != MM_OK)
			status = cursor_jump(cursor, iaddr(cursor->position.value + PAGE_SIZE));
	}
	return status;
}

static enum mm_status reclaim_some(struct cursor *cursor, uint64_t length, uint64_t wanted,
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

	status = make_ready(&reclaim);
	if (status == MM_OK)
		status = take_pages(&reclaim, 0);
	if (status == MM_OK)
		status = take_pages(&reclaim, PAGE_ACCESSED);
	deliver(&reclaim);
	node_reserve_release(&reclaim.reserve);

	enum mm_status back = cursor_jump(cursor, start);

	MM_INVARIANT(back == MM_OK, "a cursor can go back to where it was", start.value);
	if (status == MM_OK)
		*taken = reclaim.taken;
	return status;
}

enum mm_status cursor_reclaim(struct cursor *cursor, uint64_t length, uint64_t wanted,
			      reclaim_receiver receiver, void *context, uint64_t *taken)
{
	const struct iaddr start = cursor_virt_addr(cursor);
	enum mm_status status;

	REPORT_SERVICE(OPERATION_CURSOR_RECLAIM, cursor, start, length, .begins = true,
		       .length = wanted);
	status = reclaim_some(cursor, length, wanted, receiver, context, taken);
	REPORT_SERVICE(OPERATION_CURSOR_RECLAIM, cursor, start, length, .status = status,
		       .length = wanted, .result = status == MM_OK ? *taken : 0);
	return status;
}

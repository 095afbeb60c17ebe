/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/canary.h>
#include <strata/heap.h>
#include <strata/kvirt_area.h>
#include "kvirt_area_private.h"
#include "lock.h"
#include "report.h"

#define GUARD PAGE_SIZE

struct kvirt_area {
	struct kvirt_space *kvirt;
	struct irange reserved; /* with its guard pages; constant */
	struct kvirt_area *next;
	struct kvirt_area *previous;
};

/*
 * Free addresses are not recorded: they are what lies between two neighbours of the list, so that what
 * is given back is one with what is free beside it, and giving back needs no memory.
 */
struct kvirt_space {
	struct vm_space *space;
	struct ticket_lock lock; /* of all links, and of search */
	/* The areas by ascending address, in a circle through this one, which has all addresses outside
	 * of the range: it begins where the range ends, and ends where the range begins. */
	struct kvirt_area outside;
	struct kvirt_area *search; /* free addresses are looked for behind this one first */
};

static enum mm_status make(struct vm_space *space, struct irange range, struct kvirt_space **out)
{
	struct kvirt_space *kvirt;
	struct cursor cursor;
	enum mm_status status;
	void *memory;

	if (space->stage != STAGE_1 || space->part == SPACE_IN_WINDOW)
		return MM_INVALID_ARGS;
	status = cursor_open(space, range, CURSOR_READ_ONLY, &cursor);
	if (status != MM_OK)
		return status;
	status = cursor_find_next(&cursor, irange_size(range));
	cursor_close(&cursor);
	if (status != MM_NOT_MAPPED)
		return status == MM_OK ? MM_EXISTS : status;
	status = heap_alloc(sizeof(*kvirt), &memory);
	if (status != MM_OK)
		return status;

	kvirt = memory;
	*kvirt = (struct kvirt_space){
		.space = space,
		.outside = { .reserved = irange(range.end, range.start),
			     .next = &kvirt->outside,
			     .previous = &kvirt->outside },
		.search = &kvirt->outside,
	};
	*out = kvirt;
	return MM_OK;
}

enum mm_status kvirt_space_new(struct vm_space *space, struct irange range,
			       struct kvirt_space **out)
{
	enum mm_status status = make(space, range, out);

	REPORT(.kind = OPERATION_KVIRT_NEW, .status = status, .space = space, .range = range,
	       .kvirt = status == MM_OK ? *out : NULL);
	return status;
}

enum mm_status kvirt_space_destroy(struct kvirt_space *kvirt)
{
	bool has_area;

	ticket_lock(&kvirt->lock, MM_LOCK_AREAS);
	has_area = kvirt->outside.next != &kvirt->outside;
	ticket_unlock(&kvirt->lock);
	REPORT(.kind = OPERATION_KVIRT_DESTROY, .status = has_area ? MM_BUSY : MM_OK,
	       .space = kvirt->space, .kvirt = kvirt);
	if (has_area)
		return MM_BUSY;
	heap_free(kvirt);
	return MM_OK;
}

/* Puts @area at free addresses; false if there are none. */
static bool link_area(struct kvirt_space *kvirt, struct kvirt_area *area, uint64_t reserved)
{
	struct kvirt_area *before = kvirt->search;

	do {
		struct iaddr start = before->reserved.end;

		if (CANARY(guards_overlap) && before != &kvirt->outside)
			start.value -= GUARD;

		if (reserved <= before->next->reserved.start.value - start.value) {
			area->reserved = irange(start, iaddr(start.value + reserved));
			area->previous = before;
			area->next = before->next;
			before->next->previous = area;
			before->next = area;
			kvirt->search = area;
			return true;
		}
		before = before->next;
	} while (before != kvirt->search);
	return false;
}

static void unlink_area(struct kvirt_space *kvirt, struct kvirt_area *area)
{
	area->previous->next = area->next;
	area->next->previous = area->previous;
	if (kvirt->search == area)
		kvirt->search = area->previous;
}

static enum mm_status area_alloc(struct kvirt_space *kvirt, uint64_t size, struct kvirt_area **out)
{
	uint64_t all = kvirt->outside.reserved.start.value - kvirt->outside.reserved.end.value;
	struct kvirt_area *area;
	enum mm_status status;
	void *memory;
	bool linked;

	if (size == 0)
		return MM_INVALID_ARGS;
	if (!is_page_aligned(size))
		return MM_NOT_ALIGNED;
	if (all < 2 * GUARD || size > all - 2 * GUARD)
		return MM_OUT_OF_BOUND;
	status = heap_alloc(sizeof(*area), &memory);
	if (status != MM_OK)
		return status;

	area = memory;
	area->kvirt = kvirt;
	ticket_lock(&kvirt->lock, MM_LOCK_AREAS);
	linked = link_area(kvirt, area, size + 2 * GUARD);
	ticket_unlock(&kvirt->lock);
	if (!linked) {
		heap_free(area);
		return MM_NO_MEMORY;
	}
	*out = area;
	return MM_OK;
}

enum mm_status kvirt_area_alloc(struct kvirt_space *kvirt, uint64_t size, struct kvirt_area **out)
{
	enum mm_status status = area_alloc(kvirt, size, out);

	if (status == MM_OK)
		REPORT(.kind = OPERATION_AREA_ALLOC, .space = kvirt->space, .kvirt = kvirt,
		       .length = size, .area = *out, .range = kvirt_area_range(*out));
	else
		REPORT(.kind = OPERATION_AREA_ALLOC, .status = status, .space = kvirt->space,
		       .kvirt = kvirt, .length = size);
	return status;
}

struct irange kvirt_area_range(const struct kvirt_area *area)
{
	return irange(iaddr(area->reserved.start.value + GUARD),
		      iaddr(area->reserved.end.value - GUARD));
}

enum mm_status kvirt_area_open(struct kvirt_area *area, uint64_t offset, uint64_t size,
			       enum cursor_access access, struct cursor *cursor)
{
	struct irange range = kvirt_area_range(area);
	struct iaddr start = iaddr(range.start.value + offset);

	if (!is_page_aligned(offset | size))
		return MM_NOT_ALIGNED;
	if (size == 0)
		return MM_INVALID_ARGS;
	if (offset > irange_size(range) || size > irange_size(range) - offset)
		return MM_OUT_OF_BOUND;
	return cursor_open(area->kvirt->space, irange(start, iaddr(start.value + size)), access,
			   cursor);
}

void kvirt_area_forget(struct kvirt_area *area)
{
	struct kvirt_space *kvirt = area->kvirt;

	/* Before: from then on others may get the addresses. */
	REPORT(.kind = OPERATION_AREA_DROP, .space = kvirt->space, .kvirt = kvirt, .area = area,
	       .range = kvirt_area_range(area));
	ticket_lock(&kvirt->lock, MM_LOCK_AREAS);
	unlink_area(kvirt, area);
	ticket_unlock(&kvirt->lock);
	heap_free(area);
}

enum mm_status kvirt_area_drop(struct kvirt_area *area)
{
	enum mm_status status =
		CANARY(area_not_emptied)
			? MM_OK
			: kvirt_area_unmap(area, 0, irange_size(kvirt_area_range(area)), NULL);

	/* Only then may somebody else get the addresses: no TLB remembers what was there. */
	if (status == MM_OK)
		kvirt_area_forget(area);
	return status;
}

enum mm_status kvirt_area_map_frames(struct kvirt_area *area, uint64_t offset, frame_t *frames,
				     size_t count, struct page_property property)
{
	struct cursor cursor;
	enum mm_status status;

	if (count > UINT64_MAX >> PAGE_SHIFT)
		return MM_OUT_OF_BOUND;
	status = kvirt_area_open(area, offset, (uint64_t)count << PAGE_SHIFT, CURSOR_MUTABLE,
				 &cursor);
	if (status != MM_OK)
		return status;
	status = cursor_map_frames(&cursor, frames, count, property);
	cursor_close(&cursor);
	return status;
}

enum mm_status kvirt_area_map_segment(struct kvirt_area *area, uint64_t offset,
				      struct segment *segment, struct page_property property)
{
	struct cursor cursor;
	enum mm_status status =
		kvirt_area_open(area, offset, segment_size(segment), CURSOR_MUTABLE, &cursor);

	if (status != MM_OK)
		return status;
	status = cursor_map_segment(&cursor, segment, property);
	cursor_close(&cursor);
	return status;
}

enum mm_status kvirt_area_map_untracked(struct kvirt_area *area, uint64_t offset,
					struct prange output, struct page_property property)
{
	struct cursor cursor;
	enum mm_status status;

	if (!prange_is_page_aligned(output))
		return MM_NOT_ALIGNED;
	if (prange_is_empty(output))
		return MM_INVALID_ARGS;
	status = kvirt_area_open(area, offset, prange_size(output), CURSOR_MUTABLE, &cursor);
	if (status != MM_OK)
		return status;
	status = cursor_map_iomem(&cursor, output, property);
	cursor_close(&cursor);
	return status;
}

enum mm_status kvirt_area_query(struct kvirt_area *area, uint64_t offset, struct cursor_item *item,
				frame_t *frame)
{
	struct cursor cursor;
	enum mm_status status = kvirt_area_open(area, offset, PAGE_SIZE, CURSOR_READ_ONLY, &cursor);

	if (status != MM_OK)
		return status;
	status = cursor_query(&cursor, item, frame);
	cursor_close(&cursor);
	return status;
}

enum mm_status kvirt_area_unmap(struct kvirt_area *area, uint64_t offset, uint64_t size,
				uint64_t *leaves)
{
	struct cursor cursor;
	enum mm_status status = kvirt_area_open(area, offset, size, CURSOR_MUTABLE, &cursor);

	if (status != MM_OK)
		return status;
	status = cursor_unmap(&cursor, size, leaves);
	cursor_close(&cursor);
	return status;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/canary.h>
#include <strata/frame_request.h>
#include "page_allocator.h"
#include "report.h"
#include "share.h"

static struct prange segment_range(const struct segment *segment)
{
	return prange(segment->start, segment->end);
}

/* A handle to @range, with a new share. */
static struct segment new_segment(struct prange range, uintptr_t by)
{
	struct segment segment = { .start = range.start, .end = range.end };

	SHARE_MAKE(&segment, SHARE_SEGMENT, range, by);
	return segment;
}

static enum mm_status validate_memory_range(struct prange range)
{
	if (!prange_is_page_aligned(range))
		return MM_NOT_ALIGNED;
	if (prange_is_empty(range))
		return MM_INVALID_ARGS;

	/* Memory ranges may touch: step from one to the next. */
	for (struct paddr page = range.start; page.value < range.end.value;) {
		const struct zone *zone = zone_of(page);

		if (zone == NULL)
			return MM_OUT_OF_BOUND;
		page = zone->range.end;
	}
	return MM_OK;
}

static bool is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static enum mm_status validate_request(const struct frame_request *request)
{
	if (request->page_count == 0 || (request->alignment != 0 && request->alignment < PAGE_SIZE))
		return MM_INVALID_ARGS;
	if ((request->alignment != 0 && !is_power_of_two(request->alignment)) ||
	    (request->colours != 0 && !is_power_of_two(request->colours)))
		return MM_INVALID_ARGS;
	if (request->colours == 0)
		return request->colour == 0 ? MM_OK : MM_INVALID_ARGS;
	/* Aligned addresses have only some of the colours. */
	if (request->colour >= request->colours ||
	    (request->alignment > PAGE_SIZE &&
	     (request->colour & ((request->alignment >> PAGE_SHIFT) - 1)) != 0))
		return MM_INVALID_ARGS;
	return MM_OK;
}

/* The smallest block that has @pages pages and is aligned to @alignment bytes. */
static unsigned int order_for(uint64_t pages, uint64_t alignment)
{
	unsigned int order = 0;

	while (order < ORDER_COUNT &&
	       (UINT64_C(1) << order < pages || PAGE_SIZE << order < alignment))
		order++;
	return order;
}

static enum mm_status take(const struct frame_request *request, struct segment *out, uintptr_t by)
{
	enum mm_status status = validate_request(request);
	uint64_t pages = request->page_count;
	uint64_t alignment = request->alignment;
	uint32_t colours = request->colours == 0 ? 1 : request->colours;
	struct block_place place = {
		.size = pages << PAGE_SHIFT,
		.limit = request->limit.value == 0 ? UINT64_MAX : request->limit.value,
		.colours = colours,
		.colour = request->colour,
	};
	unsigned int order;
	struct paddr block;

	if (status != MM_OK)
		return status;
	if (pages > (UINT64_C(1) << ORDER_MAX))
		return MM_NO_MEMORY;
	/*
	 * A block of several pages begins with a page of colour 0: where another is wanted the block
	 * has room for it, and what lies before goes back.
	 */
	if (pages > 1 && colours > 1) {
		place.size = (pages + request->colour) << PAGE_SHIFT;
		place.colours = 1;
		place.colour = 0;
		if (alignment < (uint64_t)colours << PAGE_SHIFT)
			alignment = (uint64_t)colours << PAGE_SHIFT;
	}
	order = order_for(place.size >> PAGE_SHIFT, alignment);
	status = block_allocate(
		order, request->limit.value == 0 && place.colours == 1 ? NULL : &place, &block);
	if (status != MM_OK)
		return status;

	uint64_t number = block.value >> PAGE_SHIFT;
	struct paddr start =
		paddr((number + ((request->colour - number) & (colours - 1))) << PAGE_SHIFT);
	struct paddr end = paddr(start.value + (pages << PAGE_SHIFT));

	pages_give_back(prange(block, start));
	pages_give_back(prange(end, paddr(block.value + (PAGE_SIZE << order))));
	if (request->contents == FRAME_ZEROED)
		zero_pages(prange(start, end));
	slots_publish(prange(start, end), PAGE_FRAME);
	*out = new_segment(prange(start, end), by);
	return MM_OK;
}

enum mm_status segment_request(const struct frame_request *request, struct segment *out)
{
	IN_FLIGHT();

	enum mm_status status = take(request, out, SHARE_CALLER());

	if (status == MM_OK)
		REPORT(.kind = OPERATION_SEGMENT_REQUEST, .request = request,
		       .made = { REPORTED_SEGMENT(out) });
	else
		REPORT(.kind = OPERATION_SEGMENT_REQUEST, .status = status, .request = request);
	return status;
}

enum mm_status segment_alloc(uint64_t page_count, uint64_t alignment, enum frame_contents contents,
			     struct segment *out)
{
	IN_FLIGHT();

	const struct frame_request request = {
		.page_count = page_count,
		.alignment = alignment,
		.contents = contents,
	};

	enum mm_status status =
		alignment == 0 ? MM_INVALID_ARGS : take(&request, out, SHARE_CALLER());

	if (status == MM_OK)
		REPORT(.kind = OPERATION_SEGMENT_ALLOC, .request = &request,
		       .made = { REPORTED_SEGMENT(out) });
	else
		REPORT(.kind = OPERATION_SEGMENT_ALLOC, .status = status, .request = &request);
	return status;
}

enum mm_status segment_from_unused(struct prange range, struct segment *out)
{
	IN_FLIGHT();

	enum mm_status status = validate_memory_range(range);
	struct paddr page = range.start;

	while (status == MM_OK && page.value < range.end.value) {
		status = page_take(page);
		if (status == MM_OK)
			page.value += PAGE_SIZE;
	}
	if (status != MM_OK) {
		if (page.value > range.start.value)
			pages_give_back(prange(range.start, page));
		REPORT(.kind = OPERATION_SEGMENT_FROM_UNUSED, .status = status, .pages = range);
		return status;
	}

	slots_publish(range, PAGE_FRAME);
	*out = new_segment(range, SHARE_CALLER());
	REPORT(.kind = OPERATION_SEGMENT_FROM_UNUSED, .pages = range,
	       .made = { REPORTED_SEGMENT(out) });
	return MM_OK;
}

enum mm_status segment_from_reserved(struct prange range, struct segment *out)
{
	IN_FLIGHT();

	enum mm_status status = validate_memory_range(range);
	struct slot *slot;

	for (struct paddr page = range.start; status == MM_OK && page.value < range.end.value;
	     page.value += PAGE_SIZE) {
		status = slot_lookup(page, &slot);
		if (status == MM_OK && slot_usage(slot) != PAGE_RESERVED)
			status = MM_ACCESS_DENIED;
	}
	if (status != MM_OK) {
		REPORT(.kind = OPERATION_SEGMENT_FROM_RESERVED, .status = status, .pages = range);
		return status;
	}

	slots_unreserve(range);
	*out = new_segment(range, SHARE_CALLER());
	REPORT(.kind = OPERATION_SEGMENT_FROM_RESERVED, .pages = range,
	       .made = { REPORTED_SEGMENT(out) });
	return MM_OK;
}

/* One more reference to each page of @sub; all or none. */
static enum mm_status acquire_part(const struct segment *segment, struct prange sub)
{
	if (!prange_is_page_aligned(sub))
		return MM_NOT_ALIGNED;
	if (prange_is_empty(sub) || !prange_contains(segment_range(segment), sub))
		return MM_OUT_OF_BOUND;
	if (CANARY(slice_too_short))
		sub.end.value -= PAGE_SIZE;
	return slots_acquire(sub);
}

enum mm_status segment_clone(const struct segment *segment, struct segment *out)
{
	IN_FLIGHT();

	struct prange range = segment_range(segment);

	if (!SHARE_USE(segment, SHARE_SEGMENT, range, SHARE_CALLER()))
		return MM_INVALID_ARGS;

	enum mm_status status = acquire_part(segment, range);

	if (status != MM_OK) {
		REPORT(.kind = OPERATION_SEGMENT_CLONE, .status = status,
		       .used = REPORTED_SEGMENT(segment));
		return status;
	}
	*out = new_segment(range, SHARE_CALLER());
	REPORT(.kind = OPERATION_SEGMENT_CLONE, .used = REPORTED_SEGMENT(segment),
	       .made = { REPORTED_SEGMENT(out) });
	return MM_OK;
}

enum mm_status segment_slice(const struct segment *segment, struct prange sub, struct segment *out)
{
	IN_FLIGHT();

	if (!SHARE_USE(segment, SHARE_SEGMENT, segment_range(segment), SHARE_CALLER()))
		return MM_INVALID_ARGS;

	enum mm_status status = acquire_part(segment, sub);

	if (status != MM_OK) {
		REPORT(.kind = OPERATION_SEGMENT_SLICE, .status = status, .pages = sub,
		       .used = REPORTED_SEGMENT(segment));
		return status;
	}
	*out = new_segment(sub, SHARE_CALLER());
	REPORT(.kind = OPERATION_SEGMENT_SLICE, .pages = sub, .used = REPORTED_SEGMENT(segment),
	       .made = { REPORTED_SEGMENT(out) });
	return MM_OK;
}

enum mm_status segment_split(struct segment *segment, uint64_t offset, struct segment *rest)
{
	struct prange range = segment_range(segment);
	struct paddr middle = paddr(range.start.value + offset);
	enum mm_status status = MM_OK;

	if (!SHARE_CLAIM(segment, SHARE_SEGMENT, range, SHARE_CALLER()))
		return MM_INVALID_ARGS;
	if (!is_page_aligned(offset))
		status = MM_NOT_ALIGNED;
	else if ((offset == 0 && !CANARY(split_of_nothing)) || offset >= prange_size(range))
		status = MM_OUT_OF_BOUND;
	SHARE_SETTLE(segment, status == MM_OK);
	if (status != MM_OK) {
		REPORT(.kind = OPERATION_SEGMENT_SPLIT, .status = status, .length = offset,
		       .used = REPORTED_SEGMENT(segment));
		return status;
	}

	struct segment first = new_segment(prange(range.start, middle), SHARE_CALLER());

	if (CANARY(split_loses_page))
		middle.value += PAGE_SIZE;
	*rest = new_segment(prange(middle, range.end), SHARE_CALLER());
	REPORT(.kind = OPERATION_SEGMENT_SPLIT, .length = offset, .used = REPORTED_SEGMENT(segment),
	       .made = { REPORTED_SEGMENT(&first), REPORTED_SEGMENT(rest) });
	*segment = first;
	return MM_OK;
}

bool segment_next(struct segment *segment, frame_t *out)
{
	struct prange range = segment_range(segment);
	struct prange first = page_range(range.start);
	struct segment rest = { .start = first.end, .end = range.end };

	if (range.start.value == range.end.value)
		return false;
	if (!SHARE_END(segment, SHARE_SEGMENT, range, SHARE_CALLER()))
		return false;

	if (first.end.value < range.end.value)
		rest = new_segment(segment_range(&rest), SHARE_CALLER());
	out->paddr = CANARY(next_is_second) ? first.end : first.start;
	SHARE_MAKE(out, SHARE_FRAME, first, SHARE_CALLER());
	REPORT(.kind = OPERATION_SEGMENT_NEXT, .used = REPORTED_SEGMENT(segment), .answer = true,
	       .made = { REPORTED_FRAME(out), REPORTED_SEGMENT(&rest) });
	*segment = rest;
	return true;
}

void segment_drop(struct segment *segment)
{
	IN_FLIGHT();

	if (!SHARE_END(segment, SHARE_SEGMENT, segment_range(segment), SHARE_CALLER()))
		return;
	REPORT(.kind = OPERATION_SEGMENT_DROP, .used = REPORTED_SEGMENT(segment));
	slots_release(segment_range(segment));
}

struct prange segment_into_raw(struct segment *segment)
{
	if (SHARE_END(segment, SHARE_SEGMENT, segment_range(segment), SHARE_CALLER())) {
		REPORT(.kind = OPERATION_SEGMENT_INTO_RAW, .used = REPORTED_SEGMENT(segment));
		SHARE_MAKE_RAW(SHARE_SEGMENT, segment_range(segment), SHARE_CALLER());
	}
	return segment_range(segment);
}

struct segment segment_from_raw(struct prange range)
{
	struct segment segment = { .start = range.start, .end = range.end };

	if (SHARE_TAKE_RAW(&segment, SHARE_SEGMENT, range, SHARE_CALLER()))
		REPORT(.kind = OPERATION_SEGMENT_FROM_RAW, .pages = range,
		       .made = { REPORTED_SEGMENT(&segment) });
	return segment;
}

struct segment segment_from_frame(frame_t *frame)
{
	struct prange page = page_range(frame->paddr);
	struct segment segment = { .start = page.start, .end = page.end };

	if (SHARE_END(frame, SHARE_FRAME, page, SHARE_CALLER())) {
		SHARE_MAKE(&segment, SHARE_SEGMENT, page, SHARE_CALLER());
		REPORT(.kind = OPERATION_SEGMENT_FROM_FRAME, .used = REPORTED_FRAME(frame),
		       .made = { REPORTED_SEGMENT(&segment) });
	}
	return segment;
}

uint64_t segment_size(const struct segment *segment)
{
	uint64_t size = prange_size(segment_range(segment));

	if (size != 0) /* what is left of one that ended is no segment */
		REPORT(.kind = OPERATION_SEGMENT_SIZE, .used = REPORTED_SEGMENT(segment),
		       .result = size);
	return size;
}

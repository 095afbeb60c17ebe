/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/memory.h>
#include <strata/segment.h>
#include "page_allocator.h"

static struct prange segment_range(const struct segment *segment)
{
	return prange(segment->start, segment->end);
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

static void zero_pages(struct prange range)
{
	for (struct paddr page = range.start; page.value < range.end.value; page.value += PAGE_SIZE)
		page_zero(linear(page));
}

enum mm_status segment_alloc(uint64_t page_count, uint64_t alignment, enum frame_contents contents,
			     struct segment *out)
{
	unsigned int order = 0;
	struct paddr start;

	if (page_count == 0 || alignment < PAGE_SIZE || (alignment & (alignment - 1)) != 0)
		return MM_INVALID_ARGS;
	while (order < ORDER_COUNT &&
	       (UINT64_C(1) << order < page_count || PAGE_SIZE << order < alignment))
		order++;

	enum mm_status status = block_allocate(order, &start);

	if (status != MM_OK)
		return status;

	struct paddr end = paddr(start.value + (page_count << PAGE_SHIFT));

	/* The block is a power of two; what is beyond the request goes back at once. */
	pages_give_back(prange(end, paddr(start.value + (PAGE_SIZE << order))));
	if (contents == FRAME_ZEROED)
		zero_pages(prange(start, end));
	slots_publish(prange(start, end), PAGE_FRAME);
	*out = (struct segment){ start, end };
	return MM_OK;
}

enum mm_status segment_from_unused(struct prange range, struct segment *out)
{
	enum mm_status status = validate_memory_range(range);
	struct paddr page = range.start;
	struct slot *slot;

	while (status == MM_OK && page.value < range.end.value) {
		status = slot_lookup(page, &slot);
		if (status == MM_OK)
			status = page_take(page);
		if (status == MM_OK)
			page.value += PAGE_SIZE;
	}
	if (status != MM_OK) {
		if (page.value > range.start.value)
			pages_give_back(prange(range.start, page));
		return status;
	}

	slots_publish(range, PAGE_FRAME);
	*out = (struct segment){ range.start, range.end };
	return MM_OK;
}

enum mm_status segment_from_reserved(struct prange range, struct segment *out)
{
	enum mm_status status = validate_memory_range(range);
	struct slot *slot;

	for (struct paddr page = range.start; status == MM_OK && page.value < range.end.value;
	     page.value += PAGE_SIZE) {
		status = slot_lookup(page, &slot);
		if (status == MM_OK && slot_usage(slot) != PAGE_RESERVED)
			status = MM_ACCESS_DENIED;
	}
	if (status != MM_OK)
		return status;

	slots_unreserve(range);
	*out = (struct segment){ range.start, range.end };
	return MM_OK;
}

enum mm_status segment_clone(const struct segment *segment, struct segment *out)
{
	return segment_slice(segment, segment_range(segment), out);
}

enum mm_status segment_slice(const struct segment *segment, struct prange sub, struct segment *out)
{
	if (!prange_is_page_aligned(sub))
		return MM_NOT_ALIGNED;
	if (prange_is_empty(sub) || !prange_contains(segment_range(segment), sub))
		return MM_OUT_OF_BOUND;

	enum mm_status status = slots_acquire(sub); /* all pages or none */

	if (status != MM_OK)
		return status;

	*out = (struct segment){ sub.start, sub.end };
	return MM_OK;
}

enum mm_status segment_split(struct segment *segment, uint64_t offset, struct segment *rest)
{
	if (!is_page_aligned(offset))
		return MM_NOT_ALIGNED;
	if (offset == 0 || offset >= segment_size(segment))
		return MM_OUT_OF_BOUND;

	struct paddr middle = paddr(segment->start.value + offset);

	*rest = (struct segment){ middle, segment->end };
	segment->end = middle;
	return MM_OK;
}

bool segment_next(struct segment *segment, frame_t *out)
{
	if (segment->start.value == segment->end.value)
		return false;
	out->paddr = segment->start;
	segment->start.value += PAGE_SIZE;
	return true;
}

void segment_drop(struct segment *segment)
{
	slots_release(segment_range(segment));
}

struct prange segment_into_raw(struct segment *segment)
{
	return segment_range(segment);
}

struct segment segment_from_raw(struct prange range)
{
	return (struct segment){ range.start, range.end };
}

struct segment segment_from_frame(frame_t *frame)
{
	return (struct segment){ frame->paddr, paddr(frame->paddr.value + PAGE_SIZE) };
}

uint64_t segment_size(const struct segment *segment)
{
	return prange_size(segment_range(segment));
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "fill.h"

#include <arch/canary.h>
#include <arch/memory.h>
#include <strata/cursor.h>
#include <strata/vm_writer.h>

static struct page_property mapped_property(const struct guest_region *region)
{
	struct page_property property = region->property;

	if (CANARY(writable_read_only) && !(property.flags & PAGE_EXECUTE))
		property.flags |= PAGE_WRITE;
	return property;
}

static enum mm_status map_segment(struct guest *guest, struct irange range, struct segment *segment,
				  struct page_property property)
{
	struct cursor cursor;
	enum mm_status status = cursor_open(&guest->space, range, CURSOR_MUTABLE, &cursor);

	if (status == MM_OK) {
		status = cursor_map_segment(&cursor, segment, property);
		cursor_close(&cursor);
	}
	if (status != MM_OK)
		segment_drop(segment);
	return status;
}

/* A private page with the program's bytes of @offset, and what follows the program zero. */
static enum mm_status program_page(const struct guest_region *region, uint64_t offset, frame_t *out)
{
	enum mm_status status = frame_alloc(FRAME_ZEROED, out);

	if (status != MM_OK || offset >= region->program_size)
		return status;

	uint64_t left = region->program_size - offset;
	uint64_t size = left < PAGE_SIZE ? left : PAGE_SIZE;
	struct vm_writer page;
	status = vm_writer_from_hypervisor(mm_linear(out->paddr), PAGE_SIZE, &page);
	if (status == MM_OK)
		status = vm_writer_write_val(&page, region->program + offset, size);
	if (status != MM_OK) {
		frame_drop(out);
		return status;
	}
	instruction_cache_sync(mm_linear(out->paddr), PAGE_SIZE);
	return MM_OK;
}

/* One reference to each page that backs @range of @region. */
static enum mm_status back(const struct guest_region *region, struct irange range,
			   struct segment *out)
{
	uint64_t offset = range.start.value - region->range.start.value;
	uint64_t size = irange_size(range);
	enum mm_status status;
	frame_t frame;

	switch (region->backing) {
	case BACKING_SHARED: {
		uint64_t start = region->shared->start.value + offset;

		return segment_slice(region->shared, prange(paddr(start), paddr(start + size)),
				     out);
	}
	case BACKING_ZERO:
		return segment_alloc(size >> PAGE_SHIFT, size, FRAME_ZEROED, out);
	case BACKING_PROGRAM:
		break;
	}

	status = program_page(region, offset, &frame);
	if (status == MM_OK)
		*out = segment_from_frame(&frame);
	return status;
}

/*
 * The 2 MiB around @page if they are to be filled at once: they lie in the region, nothing of them
 * is mapped or evicted, and the guest's generator wants it: half of them, so that a working set has
 * both.
 */
static bool block_around(struct guest *guest, const struct guest_region *region, struct iaddr page,
			 struct irange *out)
{
	uint64_t start = page.value & ~(BLOCK_SIZE - 1);
	struct irange block = irange(iaddr(start), iaddr(start + BLOCK_SIZE));
	struct cursor cursor;

	if (!region->blocks || !irange_contains(region->range, block) ||
	    evicted_any(&guest->evicted, block))
		return false;
	if (cursor_open(&guest->space, block, CURSOR_READ_ONLY, &cursor) != MM_OK)
		return false;

	bool empty = cursor_find_next(&cursor, BLOCK_SIZE) == MM_NOT_MAPPED;
	cursor_close(&cursor);
	*out = block;
	return empty && random_below(&guest->random, 2) == 0;
}

enum mm_status guest_fill(struct guest *guest, const struct guest_region *region, struct iaddr page)
{
	struct page_property property = mapped_property(region);
	struct segment segment;
	struct irange range;
	enum mm_status status;

	/* A block is a convenience: without 2 MiB of free memory in one piece, a page will do. */
	if (block_around(guest, region, page, &range) && back(region, range, &segment) == MM_OK &&
	    map_segment(guest, range, &segment, property) == MM_OK) {
		guest->statistics.blocks_filled++;
		return MM_OK;
	}

	range = irange(page, iaddr(page.value + PAGE_SIZE));
	status = back(region, range, &segment);
	if (status == MM_OK)
		status = map_segment(guest, range, &segment, property);
	if (status == MM_OK)
		guest->statistics.pages_filled++;
	return status;
}

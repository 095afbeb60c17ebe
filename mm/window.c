/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *  2 MiB of addresses, one level-3 table, for each CPU:
 *  ┌────────┬─ ─ ─ ─ ─ ─ ─┬────────┬─ ─ ─ ─ ─ ─ ─┐
 *  │ anchor │             │ window │             │
 *  └────────┴─ ─ ─ ─ ─ ─ ─┴────────┴─ ─ ─ ─ ─ ─ ─┘
 * The anchor is a page of zeroes that nobody reads: a table that has it is never empty, and stays.
 */
#include <arch/cpu.h>
#include <strata/heap.h>
#include <strata/window.h>
#include "kvirt_area_private.h"
#include "panic.h"

#define STRIDE (UINT64_C(2) << 20)
#define WINDOW_OFFSET (STRIDE / 2)

struct windows {
	struct kvirt_area *area;
	uint64_t first; /* offset in the area of the first CPU's 2 MiB, which are aligned */
};

/* Maps the anchor of each CPU, or none. */
static enum mm_status map_anchors(struct windows *windows, const frame_t *anchor)
{
	const struct page_property property =
		page_property(PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK);
	const uint64_t size = STRATA_MAX_CPUS * STRIDE;
	struct cursor cursor;
	enum mm_status status =
		kvirt_area_open(windows->area, windows->first, size, CURSOR_MUTABLE, &cursor);

	if (status != MM_OK)
		return status;

	struct iaddr start = cursor_virt_addr(&cursor);

	for (uint64_t cpu = 0; status == MM_OK && cpu < STRATA_MAX_CPUS; cpu++) {
		frame_t frame;

		status = cursor_jump(&cursor, iaddr(start.value + cpu * STRIDE));
		if (status == MM_OK)
			status = frame_clone(anchor, &frame);
		if (status != MM_OK)
			break;
		status = cursor_map(&cursor, &frame, property);
		if (status != MM_OK)
			frame_drop(&frame);
	}
	/* Pages, no blocks: nothing is split, and unmapping them cannot fail. */
	if (status != MM_OK &&
	    (cursor_jump(&cursor, start) != MM_OK || cursor_unmap(&cursor, size, NULL) != MM_OK))
		mm_panic("what was mapped can be unmapped", start.value);
	cursor_close(&cursor);
	return status;
}

static enum mm_status make(struct windows *windows, struct kvirt_space *kvirt)
{
	frame_t anchor;
	enum mm_status status =
		kvirt_area_alloc(kvirt, (STRATA_MAX_CPUS + 1) * STRIDE, &windows->area);

	if (status != MM_OK)
		return status;
	windows->first = -kvirt_area_range(windows->area).start.value & (STRIDE - 1);
	status = frame_alloc(FRAME_ZEROED, &anchor);
	if (status == MM_OK) {
		status = map_anchors(windows, &anchor);
		frame_drop(&anchor);
	}
	if (status != MM_OK)
		kvirt_area_forget(windows->area);
	return status;
}

enum mm_status windows_new(struct kvirt_space *kvirt, struct windows **out)
{
	struct windows *windows;
	void *memory;
	enum mm_status status = heap_alloc(sizeof(*windows), &memory);

	if (status != MM_OK)
		return status;
	windows = memory;
	status = make(windows, kvirt);
	if (status != MM_OK) {
		heap_free(windows);
		return status;
	}
	*out = windows;
	return MM_OK;
}

enum mm_status windows_destroy(struct windows *windows)
{
	enum mm_status status = kvirt_area_drop(windows->area);

	if (status == MM_OK)
		heap_free(windows);
	return status;
}

/* Offset in the area of this CPU's window. */
static uint64_t own_window(const struct windows *windows)
{
	return windows->first + cpu_index() * STRIDE + WINDOW_OFFSET;
}

enum mm_status window_map(struct windows *windows, struct paddr page, struct page_property property,
			  struct iaddr *out)
{
	uint64_t offset = own_window(windows);
	enum mm_status status;

	if (!is_page_aligned(page.value))
		return MM_NOT_ALIGNED;
	if (page.value >= UINT64_C(1) << ADDRESS_BITS_MAX)
		return MM_OUT_OF_BOUND;
	status = kvirt_area_map_untracked(windows->area, offset, page_range(page), property);
	if (status == MM_OK)
		*out = iaddr(kvirt_area_range(windows->area).start.value + offset);
	return status;
}

enum mm_status window_unmap(struct windows *windows)
{
	uint64_t leaves = 0;
	enum mm_status status =
		kvirt_area_unmap(windows->area, own_window(windows), PAGE_SIZE, &leaves);

	return status == MM_OK && leaves == 0 ? MM_NOT_MAPPED : status;
}

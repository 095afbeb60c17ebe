/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/canary.h>
#include <arch/memory.h>
#include <strata/frame.h>
#include "page_allocator.h"
#include "panic.h"
#include "per_cpu.h"
#include "report.h"
#include "share.h"

static inline enum mm_status give_out(struct taken_page taken, enum frame_contents contents,
				      frame_t *out, uintptr_t by)
{
	slot_publish(taken.slot, taken.page, PAGE_FRAME);
	usage_changed(PAGE_FRAME, 1);
	out->paddr = taken.page;
	SHARE_MAKE(out, SHARE_FRAME, page_range(taken.page), by);
	(void)by;
	(void)contents;
	REPORT(.kind = OPERATION_FRAME_ALLOC, .contents = contents,
	       .made = { REPORTED_FRAME(out) });
	return MM_OK;
}

__attribute__((noinline)) static enum mm_status alloc_slowly(enum frame_contents contents,
							     frame_t *out, uintptr_t by)
{
	struct taken_page taken = page_allocate();

	if (taken.slot == NULL) {
		REPORT(.kind = OPERATION_FRAME_ALLOC, .status = MM_NO_MEMORY, .contents = contents);
		return MM_NO_MEMORY;
	}
	if (contents == FRAME_ZEROED)
		page_zero(linear(taken.page));
	return give_out(taken, contents, out, by);
}

/* The common case calls nothing, and so saves no register. */
enum mm_status frame_alloc(enum frame_contents contents, frame_t *out)
{
	IN_FLIGHT();
	if (contents == FRAME_ZEROED)
		return alloc_slowly(contents, out, SHARE_CALLER());

	struct taken_page taken = page_at_hand();

	if (taken.slot == NULL)
		return alloc_slowly(contents, out, SHARE_CALLER());
	return give_out(taken, contents, out, SHARE_CALLER());
}

static enum mm_status from_unused(struct paddr page, struct frame_metadata *metadata, frame_t *out,
				  uintptr_t by)
{
	IN_FLIGHT();
	enum mm_status status = page_take(
		CANARY(frame_between_pages) ? paddr(page.value & ~(PAGE_SIZE - 1)) : page);

	if (status != MM_OK) {
		REPORT(.kind = OPERATION_FRAME_FROM_UNUSED, .status = status,
		       .pages = page_range(page));
		return status;
	}
	slot_publish_frame(slot_of(page), page, metadata);
	usage_changed(PAGE_FRAME, 1);
	out->paddr = page;
	SHARE_MAKE(out, SHARE_FRAME, page_range(page), by);
	(void)by;
	REPORT(.kind = OPERATION_FRAME_FROM_UNUSED, .pages = page_range(page),
	       .made = { REPORTED_FRAME(out) });
	return MM_OK;
}

enum mm_status frame_from_unused(struct paddr page, frame_t *out)
{
	return from_unused(page, NULL, out, SHARE_CALLER());
}

enum mm_status frame_from_unused_with_metadata(struct paddr page, struct frame_metadata *metadata,
					       frame_t *out)
{
	return from_unused(page, metadata, out, SHARE_CALLER());
}

struct frame_metadata *frame_metadata(const frame_t *frame)
{
	if (!SHARE_USE(frame, SHARE_FRAME, page_range(frame->paddr), SHARE_CALLER()))
		return NULL;
	return slot_of(frame->paddr)->metadata;
}

/* One more reference to a page that others have. */
static enum mm_status join(struct paddr page)
{
	struct slot *slot;
	enum mm_status status = slot_lookup(page, &slot);

	if (status != MM_OK)
		return status;

	uint32_t references = atomic_load_explicit(&slot->references, memory_order_acquire);

	do {
		if (references == SLOT_UNUSED || references == SLOT_CACHED)
			return MM_UNUSED;
		if (references == SLOT_UNIQUE)
			return CANARY(unique_joined) ? MM_OK : MM_UNIQUE;
		if (references == SLOT_UNDER_CONSTRUCTION)
			return MM_BUSY;
		if (slot_usage(slot) != PAGE_FRAME)
			return MM_ACCESS_DENIED;
		if (references >= FRAME_REFERENCES_MAX)
			return MM_SATURATED;
		/* Acquire: what the page's other holders published before is seen by this one. */
	} while (!atomic_compare_exchange_weak_explicit(&slot->references, &references,
							references + 1, memory_order_acquire,
							memory_order_acquire));
	/*
	 * Between the check and the exchange the page may have been freed and given out again with the
	 * same count. It is held now, so its usage stands still: look again.
	 */
	if (slot_usage(slot) != PAGE_FRAME) {
		page_release(page);
		return MM_ACCESS_DENIED;
	}
	return MM_OK;
}

enum mm_status frame_from_in_use(struct paddr page, frame_t *out)
{
	IN_FLIGHT();
	enum mm_status status = join(page);

	if (status != MM_OK) {
		REPORT(.kind = OPERATION_FRAME_FROM_IN_USE, .status = status,
		       .pages = page_range(page));
		return status;
	}
	out->paddr = page;
	SHARE_MAKE(out, SHARE_FRAME, page_range(page), SHARE_CALLER());
	REPORT(.kind = OPERATION_FRAME_FROM_IN_USE, .pages = page_range(page),
	       .made = { REPORTED_FRAME(out) });
	return MM_OK;
}

enum mm_status frame_clone(const frame_t *frame, frame_t *out)
{
	struct paddr page = frame->paddr;

	if (!SHARE_USE(frame, SHARE_FRAME, page_range(page), SHARE_CALLER()))
		return MM_INVALID_ARGS;

	IN_FLIGHT();
	enum mm_status status = CANARY(clone_not_counted) ? MM_OK : slots_acquire(page_range(page));

	if (status != MM_OK) {
		REPORT(.kind = OPERATION_FRAME_CLONE, .status = status,
		       .used = REPORTED_FRAME(frame));
		return status;
	}
	const frame_t given = *frame; /* which @out may be, if it was borrowed */

	(void)given;
	out->paddr = page;
	SHARE_MAKE(out, SHARE_FRAME, page_range(page), SHARE_CALLER());
	REPORT(.kind = OPERATION_FRAME_CLONE, .used = REPORTED_FRAME(&given),
	       .made = { REPORTED_FRAME(out) });
	return MM_OK;
}

void frame_drop(frame_t *frame)
{
	IN_FLIGHT();
	if (!SHARE_END(frame, SHARE_FRAME, page_range(frame->paddr), SHARE_CALLER()))
		return;
	REPORT(.kind = OPERATION_FRAME_DROP, .used = REPORTED_FRAME(frame));
	if (!CANARY(drop_not_counted))
		page_release(frame->paddr);
	if (CANARY(dropped_twice) && slot_usage(slot_of(frame->paddr)) == PAGE_FRAME)
		page_release(frame->paddr);
}

struct paddr frame_into_raw(frame_t *frame)
{
	if (SHARE_END(frame, SHARE_FRAME, page_range(frame->paddr), SHARE_CALLER())) {
		REPORT(.kind = OPERATION_FRAME_INTO_RAW, .used = REPORTED_FRAME(frame));
		SHARE_MAKE_RAW(SHARE_FRAME, page_range(frame->paddr), SHARE_CALLER());
	}
	return frame->paddr;
}

frame_t frame_from_raw(struct paddr page)
{
	frame_t frame = { .paddr = page };

	if (SHARE_TAKE_RAW(&frame, SHARE_FRAME, page_range(page), SHARE_CALLER()))
		REPORT(.kind = OPERATION_FRAME_FROM_RAW, .pages = page_range(page),
		       .made = { REPORTED_FRAME(&frame) });
	return frame;
}

frame_t frame_borrow(const frame_t *frame)
{
	frame_t borrowed = *frame;

	if (!SHARE_USE(frame, SHARE_FRAME, page_range(frame->paddr), SHARE_CALLER()))
		return borrowed;
	SHARE_BORROW(&borrowed);
	REPORT(.kind = OPERATION_FRAME_BORROW, .used = REPORTED_FRAME(frame),
	       .result = borrowed.paddr.value);
	return borrowed;
}

uint32_t frame_reference_count(const frame_t *frame)
{
	if (!SHARE_USE(frame, SHARE_FRAME, page_range(frame->paddr), SHARE_CALLER()))
		return 0;

	uint32_t references =
		atomic_load_explicit(&slot_of(frame->paddr)->references, memory_order_relaxed);

	REPORT(.kind = OPERATION_FRAME_REFERENCE_COUNT, .used = REPORTED_FRAME(frame),
	       .result = references);
	return references;
}

enum mm_status page_state(struct paddr page, struct page_state *out)
{
	struct slot *slot;
	enum mm_status status = slot_lookup(page, &slot);

	if (status != MM_OK)
		return status;

	enum page_usage usage = slot_usage(slot);
	uint32_t references = atomic_load_explicit(&slot->references, memory_order_relaxed);
	bool counted =
		(usage == PAGE_FRAME || usage == PAGE_TABLE) && references <= FRAME_REFERENCES_MAX;

	*out = (struct page_state){ .usage = usage, .references = counted ? references : 0 };
	return MM_OK;
}

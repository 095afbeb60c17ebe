/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/canary.h>
#include <arch/memory.h>
#include <strata/unique_frame.h>
#include "owner_table.h"
#include "page_allocator.h"
#include "panic.h"
#include "per_cpu.h"
#include "report.h"
#include "share.h"
#include "unique_page.h"

/* Makes a page that is under construction unique. */
static void begin_unique(struct paddr page, struct frame_metadata *metadata, unique_frame_t *out,
			 uintptr_t by)
{
	struct slot *slot = slot_of(page);

	slots_begin_life(page_range(page));
	slot_begin_frame(slot, metadata);
	slot_set_usage(slot, PAGE_FRAME);
	usage_changed(PAGE_FRAME, 1);
	/* Release: who finds the page UNIQUE sees whose it is. */
	atomic_store_explicit(&slot->references, CANARY(unique_with_reference) ? 1 : SLOT_UNIQUE,
			      memory_order_release);
	out->paddr = page;
	SHARE_MAKE(out, SHARE_UNIQUE_FRAME, page_range(page), by);
}

/* Nobody but the caller can see the page from here on: it is under construction again. */
static void end_unique(struct paddr page)
{
	struct slot *slot = slot_of(page);

	MM_INVARIANT(atomic_load_explicit(&slot->references, memory_order_relaxed) == SLOT_UNIQUE,
		     "a unique handle's page is UNIQUE", page.value);
	MM_INVARIANT(slot_list(slot) == 0, "a listed frame is dropped with its list", page.value);
	atomic_store_explicit(&slot->references, SLOT_UNDER_CONSTRUCTION, memory_order_relaxed);
	slot_drop_metadata(slot, page);
	usage_changed(PAGE_FRAME, -1);
}

enum mm_status unique_frame_from_unused(struct paddr page, struct frame_metadata *metadata,
					unique_frame_t *out)
{
	IN_FLIGHT();

	enum mm_status status = page_take(page);

	if (status != MM_OK) {
		REPORT(.kind = OPERATION_UNIQUE_FROM_UNUSED, .status = status,
		       .pages = page_range(page));
		return status;
	}
	begin_unique(page, metadata, out, SHARE_CALLER());
	REPORT(.kind = OPERATION_UNIQUE_FROM_UNUSED, .pages = page_range(page),
	       .metadata = metadata, .made = { REPORTED_UNIQUE(out) });
	return MM_OK;
}

enum mm_status unique_frame_alloc(enum frame_contents contents, struct frame_metadata *metadata,
				  unique_frame_t *out)
{
	IN_FLIGHT();
	struct taken_page taken = page_allocate();

	if (taken.slot == NULL) {
		REPORT(.kind = OPERATION_UNIQUE_ALLOC, .status = MM_NO_MEMORY, .contents = contents,
		       .metadata = metadata);
		return MM_NO_MEMORY;
	}
	if (contents == FRAME_ZEROED)
		page_zero(linear(taken.page));
	begin_unique(taken.page, metadata, out, SHARE_CALLER());
	REPORT(.kind = OPERATION_UNIQUE_ALLOC, .contents = contents, .metadata = metadata,
	       .made = { REPORTED_UNIQUE(out) });
	return MM_OK;
}

struct frame_metadata *unique_frame_metadata(const unique_frame_t *frame)
{
	if (!SHARE_USE(frame, SHARE_UNIQUE_FRAME, page_range(frame->paddr), SHARE_CALLER()))
		return NULL;

	struct frame_metadata *metadata = slot_of(frame->paddr)->metadata;

	REPORT(.kind = OPERATION_UNIQUE_METADATA, .used = REPORTED_UNIQUE(frame),
	       .metadata = metadata);
	return metadata;
}

void unique_frame_repurpose(unique_frame_t *frame, struct frame_metadata *metadata)
{
	if (!SHARE_USE(frame, SHARE_UNIQUE_FRAME, page_range(frame->paddr), SHARE_CALLER()))
		return;

	struct slot *slot = slot_of(frame->paddr);

	slot_drop_metadata(slot, frame->paddr);
	slot->metadata = metadata;
	REPORT(.kind = OPERATION_UNIQUE_REPURPOSE, .used = REPORTED_UNIQUE(frame),
	       .metadata = metadata);
}

frame_t unique_frame_into_shared(unique_frame_t *frame)
{
	IN_FLIGHT();

	frame_t shared = { .paddr = frame->paddr };

	if (!SHARE_END(frame, SHARE_UNIQUE_FRAME, page_range(frame->paddr), SHARE_CALLER()))
		return shared;
	/* Release: who takes a reference from now on sees the contents and the metadata. */
	atomic_store_explicit(&slot_of(frame->paddr)->references, 1, memory_order_release);
	SHARE_MAKE(&shared, SHARE_FRAME, page_range(frame->paddr), SHARE_CALLER());
	REPORT(.kind = OPERATION_UNIQUE_INTO_SHARED, .used = REPORTED_UNIQUE(frame),
	       .made = { REPORTED_FRAME(&shared) });
	return shared;
}

/* Whether the page, of which the caller has a reference, is the hypervisor's. */
static bool is_hypervisors(struct slot *slot)
{
	bool is;

	if (slot_owner(slot) == OWNER_ID_HYPERVISOR)
		return true;
	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
	is = owner_is_hypervisor(slot);
	ticket_unlock(&ownership_lock);
	return is;
}

static enum mm_status make_unique(struct slot *slot)
{
	uint32_t only = 1;

	if (CANARY(unique_despite_others))
		only = atomic_load_explicit(&slot->references, memory_order_relaxed);
	if (atomic_load_explicit(&slot->references, memory_order_relaxed) != only)
		return MM_IN_USE;
	if (!is_hypervisors(slot))
		return MM_ACCESS_DENIED;
	/* Acquire: what others did through references they have dropped happened before. */
	if (!atomic_compare_exchange_strong_explicit(&slot->references, &only,
						     SLOT_UNDER_CONSTRUCTION, memory_order_acquire,
						     memory_order_relaxed))
		return MM_IN_USE;
	/*
	 * Somebody may have taken a reference meanwhile, mapped the page, and dropped it. Release:
	 * who finds the page UNIQUE sees that it is the hypervisor's; who takes a reference sees
	 * what he would have.
	 */
	bool unique = is_hypervisors(slot);

	atomic_store_explicit(&slot->references, unique ? SLOT_UNIQUE : only, memory_order_release);
	return unique ? MM_OK : MM_ACCESS_DENIED;
}

enum mm_status unique_frame_try_from_shared(frame_t *frame, unique_frame_t *out)
{
	IN_FLIGHT();

	struct paddr page = frame->paddr;

	if (!SHARE_CLAIM(frame, SHARE_FRAME, page_range(page), SHARE_CALLER()))
		return MM_INVALID_ARGS;

	enum mm_status status = make_unique(slot_of(page));

	SHARE_SETTLE(frame, status == MM_OK);
	if (status != MM_OK) {
		REPORT(.kind = OPERATION_UNIQUE_TRY_FROM_SHARED, .status = status,
		       .used = REPORTED_FRAME(frame));
		return status;
	}
	out->paddr = CANARY(unique_by_linear_address) ? paddr((uintptr_t)linear(page)) : page;
	SHARE_MAKE(out, SHARE_UNIQUE_FRAME, page_range(page), SHARE_CALLER());
	REPORT(.kind = OPERATION_UNIQUE_TRY_FROM_SHARED, .used = REPORTED_FRAME(frame),
	       .made = { REPORTED_UNIQUE(out) });
	return MM_OK;
}

struct paddr unique_frame_into_raw(unique_frame_t *frame)
{
	if (SHARE_END(frame, SHARE_UNIQUE_FRAME, page_range(frame->paddr), SHARE_CALLER())) {
		REPORT(.kind = OPERATION_UNIQUE_INTO_RAW, .used = REPORTED_UNIQUE(frame));
		SHARE_MAKE_RAW(SHARE_UNIQUE_FRAME, page_range(frame->paddr), SHARE_CALLER());
	}
	return frame->paddr;
}

unique_frame_t unique_frame_from_raw(struct paddr page)
{
	unique_frame_t frame = { .paddr = page };

	if (SHARE_TAKE_RAW(&frame, SHARE_UNIQUE_FRAME, page_range(page), SHARE_CALLER()))
		REPORT(.kind = OPERATION_UNIQUE_FROM_RAW, .pages = page_range(page),
		       .made = { REPORTED_UNIQUE(&frame) });
	return frame;
}

void unique_page_drop(struct paddr page)
{
	end_unique(page);
	page_give_back(slot_of(page), page);
}

void unique_frame_drop(unique_frame_t *frame)
{
	IN_FLIGHT();

	if (!SHARE_END(frame, SHARE_UNIQUE_FRAME, page_range(frame->paddr), SHARE_CALLER()))
		return;
	REPORT(.kind = OPERATION_UNIQUE_DROP, .used = REPORTED_UNIQUE(frame));
	unique_page_drop(frame->paddr);
}

void unique_frame_reset_as_unused(unique_frame_t *frame)
{
	IN_FLIGHT();

	if (!SHARE_END(frame, SHARE_UNIQUE_FRAME, page_range(frame->paddr), SHARE_CALLER()))
		return;
	REPORT(.kind = OPERATION_UNIQUE_RESET_AS_UNUSED, .used = REPORTED_UNIQUE(frame));
	end_unique(frame->paddr);
	page_withhold(frame->paddr);
}

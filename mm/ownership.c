/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/memory.h>
#include <strata/ownership.h>
#include "cursor_private.h"
#include "owner_claim.h"
#include "share.h"
#include "sharing.h"

/* A change of owner, as asked for. */
struct change {
	enum mm_operation_kind kind;
	struct prange pages;
	struct owner *from; /* NULL: the hypervisor */
	struct owner *to;
	enum frame_contents contents;
};

static struct slot *next_page(struct paddr *page)
{
	struct slot *slot = slot_of(*page);

	page->value += PAGE_SIZE;
	return slot;
}

/* Frames again, with the segment's reference. Release: who takes one sees what the pages are now. */
static void thaw(struct prange pages)
{
	while (!prange_is_empty(pages))
		atomic_store_explicit(&next_page(&pages.start)->references, 1,
				      memory_order_release);
}

/* From now on nobody can get a reference: the pages look as if under construction. False, with nothing
 * done, if there are other references than the segment's. */
static bool freeze(struct prange pages)
{
	struct paddr page = pages.start;

	while (page.value < pages.end.value) {
		uint32_t only = 1;
		struct paddr before = page;

		/* Acquire: what was done through references that are gone is over. */
		if (!atomic_compare_exchange_strong_explicit(
			    &next_page(&page)->references, &only, SLOT_UNDER_CONSTRUCTION,
			    memory_order_acquire, memory_order_relaxed)) {
			thaw(prange(pages.start, before));
			return false;
		}
	}
	return true;
}

static void give(struct prange pages, const struct owner *to)
{
	uint16_t id = to == NULL ? OWNER_ID_HYPERVISOR : to->id;

	while (!prange_is_empty(pages))
		slot_set_owner(next_page(&pages.start), id);
}

/* All pages from one owner to the other, or none. Under the lock. */
static enum mm_status move(const struct change *change)
{
	struct prange pages = change->pages;
	uint64_t count = prange_size(pages) >> PAGE_SHIFT;
	struct paddr page = pages.start;

	while (page.value < pages.end.value) {
		struct paddr before = page;

		if (!owner_take_page(next_page(&page), change->from)) {
			give(prange(pages.start, before), change->from);
			return MM_ACCESS_DENIED;
		}
	}
	give(pages, change->to);
	if (change->to != NULL)
		owner_add_pages(change->to, count);
	if (change->from != NULL)
		owner_lose_pages_locked(change->from, count);
	return MM_OK;
}

static void zero_pages(struct prange pages)
{
	for (; !prange_is_empty(pages); pages.start.value += PAGE_SIZE)
		page_zero(linear(pages.start));
}

/* The owner of @sharing may have departed before: it is looked for under the lock. */
static struct owner *owner_of_sharing(const struct sharing *sharing)
{
	return owner_of_id(sharing->owner);
}

/* Says who the change is between. Under the lock. */
static void resolve(struct change *change, const struct sharing *sharing)
{
	switch (change->kind) {
	case OPERATION_OWNERSHIP_SHARE:
		change->from = owner_of_sharing(sharing);
		change->to = sharing->shared;
		break;
	case OPERATION_OWNERSHIP_UNSHARE:
		change->from = sharing->shared;
		change->to = owner_of_sharing(sharing);
		break;
	case OPERATION_OWNERSHIP_LEND:
		change->from = owner_of_sharing(sharing);
		change->to = sharing->lent;
		break;
	case OPERATION_OWNERSHIP_RECLAIM:
		change->from = sharing->lent;
		change->to = owner_of_sharing(sharing);
		break;
	default:
		break;
	}
}

static enum mm_status change_owner(struct change *change, struct sharing *sharing)
{
	/* What only widens access leaves those alone who have it. */
	bool alone = change->kind != OPERATION_OWNERSHIP_SHARE;
	struct prange pages = change->pages;
	enum mm_status status;

	if (alone && !freeze(pages))
		return MM_IN_USE;
	ticket_lock(&ownership_lock);
	resolve(change, sharing);
	status = move(change);
	ticket_unlock(&ownership_lock);
	if (!alone)
		return status;
	/* It takes its time, but nobody waits for it. */
	if (status == MM_OK && change->contents == FRAME_ZEROED)
		zero_pages(pages);
	thaw(pages);
	return status;
}

static enum mm_status run(struct change *change, struct segment *segment, struct sharing *sharing,
			  uintptr_t by)
{
	IN_FLIGHT();

	enum mm_status status;

	change->pages = prange(segment->start, segment->end);
	if (!SHARE_CLAIM(segment, SHARE_SEGMENT, change->pages, by))
		return MM_INVALID_ARGS;
	status = change_owner(change, sharing);
	SHARE_SETTLE(segment, false);
	REPORT(.kind = change->kind, .status = status, .used = REPORTED_SEGMENT(segment),
	       .pages = change->pages, .sharing = sharing, .contents = change->contents);
	return status;
}

enum mm_status ownership_share(struct segment *segment, struct sharing *sharing)
{
	struct change change = { .kind = OPERATION_OWNERSHIP_SHARE };

	return run(&change, segment, sharing, SHARE_CALLER());
}

enum mm_status ownership_unshare(struct segment *segment, struct sharing *sharing)
{
	struct change change = { .kind = OPERATION_OWNERSHIP_UNSHARE, .contents = FRAME_UNDEFINED };

	return run(&change, segment, sharing, SHARE_CALLER());
}

enum mm_status ownership_lend(struct segment *segment, struct sharing *sharing)
{
	struct change change = { .kind = OPERATION_OWNERSHIP_LEND, .contents = FRAME_UNDEFINED };

	return run(&change, segment, sharing, SHARE_CALLER());
}

enum mm_status ownership_reclaim(struct segment *segment, struct sharing *sharing,
				 enum frame_contents contents)
{
	struct change change = { .kind = OPERATION_OWNERSHIP_RECLAIM, .contents = contents };

	return run(&change, segment, sharing, SHARE_CALLER());
}

/* NULL is the hypervisor; a space that owns nothing is neither. */
static bool owns(const struct vm_space *space)
{
	return space == NULL || space_owner(space) != NULL;
}

enum mm_status ownership_donate(struct segment *segment, const struct vm_space *from,
				const struct vm_space *to, enum frame_contents contents)
{
	IN_FLIGHT();

	struct change change = {
		.kind = OPERATION_OWNERSHIP_DONATE,
		.pages = prange(segment->start, segment->end),
		.contents = contents,
	};
	enum mm_status status = MM_INVALID_ARGS;

	if (!SHARE_CLAIM(segment, SHARE_SEGMENT, change.pages, SHARE_CALLER()))
		return status;
	if (from != to && owns(from) && owns(to)) {
		change.from = from == NULL ? NULL : space_owner(from);
		change.to = to == NULL ? NULL : space_owner(to);
		status = change_owner(&change, NULL);
	}
	SHARE_SETTLE(segment, false);
	REPORT(.kind = change.kind, .status = status, .used = REPORTED_SEGMENT(segment),
	       .pages = change.pages, .from = from, .to = to, .contents = contents);
	return status;
}

/* The owner that the slot of a frame names. Under the lock. */
static struct page_owner owner_of_frame(const struct slot *slot)
{
	const struct owner *owner = owner_of_id(slot_owner(slot));

	if (owner != NULL && owner->space != NULL)
		return (struct page_owner){ .kind = OWNER_SPACE, .space = owner->space };
	if (owner != NULL && owner->sharing != NULL)
		return (struct page_owner){ .kind = OWNER_SHARING,
					    .sharing = owner->sharing,
					    .lent = owner->lent };
	return (struct page_owner){ .kind = OWNER_HYPERVISOR };
}

struct page_owner page_owner(struct paddr address)
{
	struct page_owner owner = { .kind = OWNER_HYPERVISOR };
	struct slot *slot;

	if (slot_lookup(paddr(page_align_down(address.value)), &slot) != MM_OK ||
	    slot_usage(slot) == PAGE_MMIO)
		return (struct page_owner){ .kind = OWNER_DEVICE };

	ticket_lock(&ownership_lock);
	/* Acquire: of a page that is a frame by now, what its slot said before is not seen any more. */
	uint32_t references = atomic_load_explicit(&slot->references, memory_order_acquire);

	if (slot_usage(slot) == PAGE_FRAME && references <= FRAME_REFERENCES_MAX)
		owner = owner_of_frame(slot);
	ticket_unlock(&ownership_lock);
	return owner;
}

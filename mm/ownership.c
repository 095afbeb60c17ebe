/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/canary.h>
#include <strata/ownership.h>
#include "cursor_private.h"
#include "owner_claim.h"
#include "share.h"
#include "sharing.h"

/* Between whom pages change hands: in a sharing, or from a giver to a taker (NULL: the hypervisor). */
struct between {
	const struct sharing *sharing;
	const struct vm_space *giver;
	const struct vm_space *taker;
};

/* One of them; NULL: the hypervisor. Under the lock: who made the sharing may have departed before. */
typedef struct owner *(*party)(const struct between *between);

static struct owner *maker(const struct between *between)
{
	return owner_of_id(between->sharing->owner);
}

static struct owner *sharers(const struct between *between)
{
	return between->sharing->shared;
}

static struct owner *borrowers(const struct between *between)
{
	return between->sharing->lent;
}

static struct owner *giver(const struct between *between)
{
	return between->giver == NULL ? NULL : space_owner(between->giver);
}

static struct owner *taker(const struct between *between)
{
	return between->taker == NULL ? NULL : space_owner(between->taker);
}

enum access {
	ACCESS_WIDENS, /* who had it has it */
	ACCESS_NARROWS,
};

/* What an operation does. */
struct change {
	party from;
	party to;
	enum access access;
};

static const struct change donation = { giver, taker, ACCESS_NARROWS };
static const struct change share = { maker, sharers, ACCESS_WIDENS };
static const struct change unshare = { sharers, maker, ACCESS_NARROWS };
static const struct change loan = { maker, borrowers, ACCESS_NARROWS };
static const struct change reclaim = { borrowers, maker, ACCESS_NARROWS };

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
static enum mm_status move(struct prange pages, struct owner *from, struct owner *to)
{
	uint64_t count = prange_size(pages) >> PAGE_SHIFT;
	struct paddr page = pages.start;

	while (page.value < pages.end.value) {
		struct paddr before = page;

		if (!owner_take_page(next_page(&page), from)) {
			give(prange(pages.start, before), from);
			return MM_ACCESS_DENIED;
		}
	}
	if (to != NULL)
		owner_add_pages(to, count);
	give(pages, to);
	if (CANARY(last_page_not_given))
		give(prange(paddr(pages.end.value - PAGE_SIZE), pages.end), from);
	if (from != NULL)
		owner_lose_pages_locked(from, count);
	return MM_OK;
}

/* What is asked; @reported is the function. */
struct request {
	const struct change *change; /* NULL: nothing can be meant by it */
	struct between between;
	struct segment *segment;
	enum frame_contents contents;
	enum mm_operation_kind reported;
};

static struct prange pages_of(const struct request *request)
{
	return prange(request->segment->start, request->segment->end);
}

static enum mm_status report(const struct request *request, enum mm_status status)
{
	REPORT(.kind = request->reported, .status = status,
	       .used = REPORTED_SEGMENT(request->segment), .pages = pages_of(request),
	       .from = request->between.giver, .to = request->between.taker,
	       .sharing = request->between.sharing, .contents = request->contents);
	(void)request;
	return status;
}

static enum mm_status change_owner(const struct request *request)
{
	const struct change *change = request->change;
	struct prange pages = pages_of(request);
	enum mm_status status;

	/* What only widens access leaves those alone who have it. */
	if (change->access == ACCESS_NARROWS && !freeze(pages))
		return report(request, MM_IN_USE);
	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
	status = move(pages, change->from(&request->between), change->to(&request->between));
	ticket_unlock(&ownership_lock);
	if (change->access == ACCESS_WIDENS)
		return report(request, status);
	/* It takes its time, but nobody waits for it. */
	if (status == MM_OK && request->contents == FRAME_ZEROED)
		zero_pages(pages);
	(void)report(request, status);
	thaw(pages);
	REPORT(.kind = OPERATION_OWNERSHIP_SETTLED, .pages = pages);
	return status;
}

static enum mm_status run(const struct request *request, uintptr_t by)
{
	IN_FLIGHT();

	struct segment *segment = request->segment;
	enum mm_status status;

	if (!SHARE_CLAIM(segment, SHARE_SEGMENT, pages_of(request), by))
		return MM_INVALID_ARGS;
	status = request->change == NULL ? report(request, MM_INVALID_ARGS) : change_owner(request);
	SHARE_SETTLE(segment, false);
	return status;
}

enum mm_status ownership_share(struct segment *segment, struct sharing *sharing)
{
	return run(&(struct request){ .change = &share,
				      .between = { .sharing = sharing },
				      .segment = segment,
				      .contents = FRAME_UNDEFINED,
				      .reported = OPERATION_OWNERSHIP_SHARE },
		   SHARE_CALLER());
}

enum mm_status ownership_unshare(struct segment *segment, struct sharing *sharing)
{
	return run(&(struct request){ .change = &unshare,
				      .between = { .sharing = sharing },
				      .segment = segment,
				      .contents = FRAME_UNDEFINED,
				      .reported = OPERATION_OWNERSHIP_UNSHARE },
		   SHARE_CALLER());
}

enum mm_status ownership_lend(struct segment *segment, struct sharing *sharing)
{
	return run(&(struct request){ .change = &loan,
				      .between = { .sharing = sharing },
				      .segment = segment,
				      .contents = FRAME_UNDEFINED,
				      .reported = OPERATION_OWNERSHIP_LEND },
		   SHARE_CALLER());
}

enum mm_status ownership_reclaim(struct segment *segment, struct sharing *sharing,
				 enum frame_contents contents)
{
	return run(&(struct request){ .change = &reclaim,
				      .between = { .sharing = sharing },
				      .segment = segment,
				      .contents = contents,
				      .reported = OPERATION_OWNERSHIP_RECLAIM },
		   SHARE_CALLER());
}

/* NULL is the hypervisor; a space that owns nothing is neither. */
static bool owns(const struct vm_space *space)
{
	return space == NULL || space_owner(space) != NULL;
}

enum mm_status ownership_donate(struct segment *segment, const struct vm_space *from,
				const struct vm_space *to, enum frame_contents contents)
{
	return run(&(struct request){ .change = from != to && owns(from) && owns(to) ? &donation
										     : NULL,
				      .between = { .giver = from, .taker = to },
				      .segment = segment,
				      .contents = contents,
				      .reported = OPERATION_OWNERSHIP_DONATE },
		   SHARE_CALLER());
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

/* Acquire: of a page that is a frame by now, what its slot said before is not seen any more. */
static bool is_counted_frame(const struct slot *slot)
{
	uint32_t references = atomic_load_explicit(&slot->references, memory_order_acquire);

	return slot_usage(slot) == PAGE_FRAME && references <= FRAME_REFERENCES_MAX;
}

struct page_owner page_owner(struct paddr address)
{
	struct page_owner owner = { .kind = OWNER_HYPERVISOR };
	struct slot *slot;

	if (slot_lookup(paddr(page_align_down(address.value)), &slot) != MM_OK ||
	    slot_usage(slot) == PAGE_MMIO)
		return (struct page_owner){ .kind = OWNER_DEVICE };

	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
	if (is_counted_frame(slot)) {
		owner = owner_of_frame(slot);
		/* Acquire: after its owner was read. Of another use what its slot says is no owner. */
		atomic_thread_fence(memory_order_acquire);
		if (!is_counted_frame(slot))
			owner = (struct page_owner){ .kind = OWNER_HYPERVISOR };
	}
	ticket_unlock(&ownership_lock);
	return owner;
}

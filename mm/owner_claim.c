/* SPDX-License-Identifier: BSD-3-Clause */
#include "owner_claim.h"
#include "sharing.h"

/* Whether @owner, a space, may map a page that is not the hypervisor's. Under the lock. */
static bool has_access(const struct owner *owner, const struct slot *slot)
{
	uint16_t id = slot_owner(slot);
	const struct owner *other;

	if (id == owner->id)
		return true;
	other = owner_of_id(id);
	return other->sharing != NULL && sharing_permits(other->sharing, other->lent, owner);
}

/* On its way, from the hypervisor; false if a map of a single page was faster. Under the lock:
 * relaxed, since who meets the mark takes that. */
static bool mark(struct slot *slot)
{
	uint16_t before = OWNER_ID_HYPERVISOR;

	return atomic_compare_exchange_strong_explicit(&slot->owner, &before, OWNER_ID_MOVING,
						       memory_order_relaxed, memory_order_relaxed);
}

enum mm_status owner_claim_owned_page(struct owner *owner, struct paddr page)
{
	struct slot *slot = slot_of(page);
	enum mm_status status = MM_OK;
	bool claimed;

	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
	claimed = owner_is_hypervisor(slot) && owner_claim_free_page(owner, slot);
	if (!claimed && !has_access(owner, slot))
		status = MM_ACCESS_DENIED;
	ticket_unlock(&ownership_lock);
	if (claimed || status != MM_OK)
		REPORT_CLAIM(owner, status, page_range(page));
	return status;
}

bool owner_take_page(struct slot *slot, const struct owner *from)
{
	if (from == NULL)
		return owner_is_hypervisor(slot) && mark(slot);
	/* Acquire: a page that became @from's by its first map, without the lock, is counted. */
	if (atomic_load_explicit(&slot->owner, memory_order_acquire) != from->id)
		return false;
	slot_set_owner(slot, OWNER_ID_MOVING);
	return true;
}

/* Marks the page as on its way to @owner, if that may be and need be; counts those marked. */
static bool begin_claim(struct owner *owner, struct slot *slot, uint64_t *moving)
{
	/* The same page twice in one call. */
	if (slot_owner(slot) == OWNER_ID_MOVING)
		return true;
	if (owner_take_page(slot, NULL)) {
		(*moving)++;
		return true;
	}
	return has_access(owner, slot);
}

static void end_claim(struct slot *slot, uint16_t id)
{
	if (slot_owner(slot) == OWNER_ID_MOVING)
		slot_set_owner(slot, id);
}

/* The part of @pages, from its start, whose slots are in one array. */
static struct prange first_part(struct prange pages)
{
	const struct zone *zone = zone_of(pages.start);

	return prange_intersection(pages, zone->range);
}

/* Marks pages for as long as they are the hypervisor's and nobody's before; the first that is not. */
static struct slot *begin_free(struct slot *slot, const struct slot *end)
{
	while (slot < end && mark(slot))
		slot++;
	return slot;
}

/* Gives @id to those that are on their way. */
static void end_marked(struct slot *slot, const struct slot *end, uint16_t id)
{
	for (; slot < end; slot++)
		end_claim(slot, id);
}

/* The same where all of them are. */
static void end_all(struct slot *slot, const struct slot *end, uint16_t id)
{
	for (; end - slot >= 4; slot += 4) {
		slot_set_owner(&slot[0], id);
		slot_set_owner(&slot[1], id);
		slot_set_owner(&slot[2], id);
		slot_set_owner(&slot[3], id);
	}
	for (; slot < end; slot++)
		slot_set_owner(slot, id);
}

/* Of @pages, @moving are on their way. */
static void end_range(struct prange pages, uint16_t id, uint64_t moving)
{
	void (*end_part)(struct slot *, const struct slot *, uint16_t) =
		moving == prange_size(pages) >> PAGE_SHIFT ? end_all : end_marked;

	while (!prange_is_empty(pages)) {
		struct prange part = first_part(pages);
		struct slot *slot = slot_of(part.start);

		end_part(slot, slot + (prange_size(part) >> PAGE_SHIFT), id);
		pages.start = part.end;
	}
}

/* Where it ends short of the end of @pages, the page there is another's. */
static struct paddr begin_range(struct owner *owner, struct prange pages, uint64_t *moving)
{
	while (!prange_is_empty(pages)) {
		struct prange part = first_part(pages);
		struct slot *first = slot_of(part.start);
		const struct slot *end = first + (prange_size(part) >> PAGE_SHIFT);
		struct slot *slot = first;

		while (slot < end) {
			struct slot *owned = begin_free(slot, end);

			*moving += (uint64_t)(owned - slot);
			slot = owned;
			if (slot < end && !begin_claim(owner, slot, moving))
				return paddr(part.start.value +
					     ((uint64_t)(slot - first) << PAGE_SHIFT));
			slot += slot < end;
		}
		pages.start = part.end;
	}
	return pages.start;
}

/* @pages without those that it begins with and @owner has already: what is its own needs no lock. */
static struct prange without_own(const struct owner *owner, struct prange pages)
{
	while (!prange_is_empty(pages) && slot_owner(slot_of(pages.start)) == owner->id)
		pages.start.value += PAGE_SIZE;
	return pages;
}

/*
 * The lock is held for as long as there are pages. Pages could be made @owner's one by one without it, and
 * given back on a refusal: but then a map of such a page by another space meanwhile was refused for
 * nothing, and a sharing of @owner's may have it, whose it never was.
 */
enum mm_status owner_claim_range(struct owner *owner, struct prange pages)
{
	uint64_t moving = 0;
	struct paddr end;
	bool claimed;

	if (owner == NULL)
		return MM_OK;
	pages = without_own(owner, pages);
	if (prange_is_empty(pages))
		return MM_OK;
	if (prange_size(pages) == PAGE_SIZE)
		return owner_claim_page(owner, pages.start);

	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
	end = begin_range(owner, pages, &moving);
	claimed = end.value == pages.end.value;
	if (claimed && moving > 0)
		owner_add_pages(owner, moving);
	end_range(prange(pages.start, end), claimed ? owner->id : OWNER_ID_HYPERVISOR, moving);
	ticket_unlock(&ownership_lock);
	if (!claimed || moving > 0)
		REPORT_CLAIM(owner, claimed ? MM_OK : MM_ACCESS_DENIED, pages);
	return claimed ? MM_OK : MM_ACCESS_DENIED;
}

static void report_frame(const struct owner *owner, const frame_t *frame, enum mm_status status)
{
	REPORT_CLAIM(owner, status, page_range(frame->paddr));
	(void)owner;
	(void)frame;
	(void)status;
}

enum mm_status owner_claim_frames(struct owner *owner, const frame_t *frames, size_t count,
				  size_t *denied)
{
	uint64_t moving = 0;
	size_t own = 0;

	if (owner == NULL)
		return MM_OK;
	/* As without_own. */
	while (own < count && slot_owner(slot_of(frames[own].paddr)) == owner->id)
		own++;
	if (own == count)
		return MM_OK;

	size_t begun = own;

	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
	while (begun < count && begin_claim(owner, slot_of(frames[begun].paddr), &moving))
		begun++;

	bool claimed = begun == count;

	if (claimed && moving > 0)
		owner_add_pages(owner, moving);
	for (size_t i = own; i < begun; i++)
		end_claim(slot_of(frames[i].paddr), claimed ? owner->id : OWNER_ID_HYPERVISOR);
	ticket_unlock(&ownership_lock);
	if (!claimed) {
		report_frame(owner, &frames[begun], MM_ACCESS_DENIED);
		*denied = begun;
		return MM_ACCESS_DENIED;
	}
	for (size_t i = own; STRATA_CHECKED && moving > 0 && i < count; i++)
		report_frame(owner, &frames[i], MM_OK);
	return MM_OK;
}

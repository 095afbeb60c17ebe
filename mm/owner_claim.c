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

/* From the hypervisor to @id; false if a map of a single page was faster. */
static bool exchange(struct slot *slot, uint16_t id)
{
	uint16_t before = OWNER_ID_HYPERVISOR;

	return atomic_compare_exchange_strong_explicit(&slot->owner, &before, id,
						       memory_order_relaxed, memory_order_relaxed);
}

enum mm_status owner_claim_owned_page(struct owner *owner, struct slot *slot)
{
	enum mm_status status = MM_OK;

	ticket_lock(&ownership_lock);
	if (owner_is_hypervisor(slot) && exchange(slot, owner->id))
		owner_add_pages(owner, 1);
	else if (!has_access(owner, slot))
		status = MM_ACCESS_DENIED;
	ticket_unlock(&ownership_lock);
	return status;
}

bool owner_take_page(struct slot *slot, const struct owner *from)
{
	if (from == NULL)
		return owner_is_hypervisor(slot) && exchange(slot, OWNER_ID_MOVING);
	if (slot_owner(slot) != from->id)
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
	while (slot < end && exchange(slot, OWNER_ID_MOVING))
		slot++;
	return slot;
}

/* Gives @id to all that are on their way, which @all are. */
static void end_part(struct slot *slot, const struct slot *end, uint16_t id, bool all)
{
	if (!all) {
		for (; slot < end; slot++)
			end_claim(slot, id);
		return;
	}
	for (; end - slot >= 4; slot += 4) {
		slot_set_owner(&slot[0], id);
		slot_set_owner(&slot[1], id);
		slot_set_owner(&slot[2], id);
		slot_set_owner(&slot[3], id);
	}
	for (; slot < end; slot++)
		slot_set_owner(slot, id);
}

static void end_range(struct prange pages, uint16_t id, bool all)
{
	while (!prange_is_empty(pages)) {
		struct prange part = first_part(pages);
		struct slot *slot = slot_of(part.start);

		end_part(slot, slot + (prange_size(part) >> PAGE_SHIFT), id, all);
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

enum mm_status owner_claim_range(struct owner *owner, struct prange pages)
{
	uint64_t count = prange_size(pages) >> PAGE_SHIFT;
	uint64_t moving = 0;
	struct paddr end;
	bool claimed;

	if (owner == NULL)
		return MM_OK;
	if (count == 1)
		return owner_claim_page(owner, pages.start);

	ticket_lock(&ownership_lock);
	end = begin_range(owner, pages, &moving);
	claimed = end.value == pages.end.value;
	end_range(prange(pages.start, end), claimed ? owner->id : OWNER_ID_HYPERVISOR,
		  moving == prange_size(prange(pages.start, end)) >> PAGE_SHIFT);
	if (claimed && moving > 0)
		owner_add_pages(owner, moving);
	ticket_unlock(&ownership_lock);
	return claimed ? MM_OK : MM_ACCESS_DENIED;
}

enum mm_status owner_claim_frames(struct owner *owner, const frame_t *frames, size_t count,
				  size_t *denied)
{
	uint64_t moving = 0;
	size_t begun = 0;

	if (owner == NULL)
		return MM_OK;

	ticket_lock(&ownership_lock);
	while (begun < count && begin_claim(owner, slot_of(frames[begun].paddr), &moving))
		begun++;

	bool claimed = begun == count;

	for (size_t i = 0; i < begun; i++)
		end_claim(slot_of(frames[i].paddr), claimed ? owner->id : OWNER_ID_HYPERVISOR);
	if (claimed && moving > 0)
		owner_add_pages(owner, moving);
	ticket_unlock(&ownership_lock);
	if (claimed)
		return MM_OK;
	*denied = begun;
	return MM_ACCESS_DENIED;
}

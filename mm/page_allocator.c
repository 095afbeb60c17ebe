/* SPDX-License-Identifier: BSD-3-Clause */
#include "page_allocator.h"
#include <strata/fault.h>
#include "buddy.h"
#include "deferred_tables.h"
#include "page_cache.h"
#include "panic.h"

#if STRATA_CHECKED

static _Atomic uint64_t failing_allocation;

void mm_fail_allocation(uint64_t nth)
{
	atomic_store_explicit(&failing_allocation, nth, memory_order_relaxed);
}

bool allocation_will_fail(void)
{
	return atomic_load_explicit(&failing_allocation, memory_order_relaxed) != 0;
}

bool allocation_must_fail(void)
{
	uint64_t left = atomic_load_explicit(&failing_allocation, memory_order_relaxed);

	if (left == 0)
		return false;
	atomic_store_explicit(&failing_allocation, left - 1, memory_order_relaxed);
	return left == 1;
}

#endif

static void slot_begin_construction(struct slot *slot)
{
	slot_set_order(slot, ORDER_NONE);
	/* Release: whoever sees rc 0 also sees that the page left the allocator. */
	atomic_store_explicit(&slot->references, SLOT_UNDER_CONSTRUCTION, memory_order_release);
}

static void slot_end(struct slot *slot, uint8_t order)
{
	slot_set_usage(slot, PAGE_UNUSED);
	slot_set_order(slot, order);
	slot->links = (struct slot_links){ LINK_NONE, LINK_NONE };
	atomic_store_explicit(&slot->references, SLOT_UNUSED, memory_order_release);
}

static void begin_construction(struct zone *zone, struct prange range)
{
	for (struct paddr page = range.start; page.value < range.end.value;
	     page.value += PAGE_SIZE) {
		zone_section_make_ready(zone, page);
		slot_begin_construction(zone_slot(zone, page));
	}
}

static bool take_block_from_some_zone(unsigned int order, const struct block_place *place,
				      struct paddr *out)
{
	for (struct zone *zone = zones; zone != NULL; zone = zone_next(zone)) {
		ticket_lock(&zone->lock, MM_LOCK_ZONE);
		bool taken = place == NULL ? buddy_take(zone, order, out)
					   : buddy_take_in_place(zone, order, place, out);

		if (taken)
			begin_construction(zone,
					   prange(*out, paddr(out->value + (PAGE_SIZE << order))));
		ticket_unlock(&zone->lock);
		if (taken)
			return true;
	}
	return false;
}

/* Gives the pages of one zone back to its free blocks. */
static void zone_give_back(struct zone *zone, struct prange range)
{
	ticket_lock(&zone->lock, MM_LOCK_ZONE);
	for (struct paddr page = range.start; page.value < range.end.value; page.value += PAGE_SIZE)
		slot_end(zone_slot(zone, page), ORDER_NONE);
	zone_add_free(zone, range);
	ticket_unlock(&zone->lock);
}

void zone_add_free(struct zone *zone, struct prange range)
{
	while (!prange_is_empty(range)) {
		unsigned int order = buddy_order_at(range);

		if (order < SECTION_ORDER)
			zone_section_make_ready(zone, range.start);
		buddy_put(zone, range.start, order);
		range.start.value += PAGE_SIZE << order;
	}
}

enum mm_status block_allocate(unsigned int order, const struct block_place *place,
			      struct paddr *out)
{
	if (allocation_must_fail())
		return MM_NO_MEMORY;
	if (order >= ORDER_COUNT)
		return MM_NO_MEMORY;
	if (take_block_from_some_zone(order, place, out))
		return MM_OK;
	/* Deferred tables, and single pages in the caches, may be what keeps a block apart. */
	(void)deferred_tables_drain();
	page_caches_drain();
	return take_block_from_some_zone(order, place, out) ? MM_OK : MM_NO_MEMORY;
}

static enum mm_status owned_status(uint32_t references)
{
	if (references == SLOT_UNIQUE)
		return MM_UNIQUE;
	return references == SLOT_UNDER_CONSTRUCTION ? MM_BUSY : MM_IN_USE;
}

void page_withhold(struct paddr page)
{
	struct zone *zone = zone_of(page);

	ticket_lock(&zone->lock, MM_LOCK_ZONE);
	slot_end(zone_slot(zone, page), ORDER_WITHHELD);
	ticket_unlock(&zone->lock);
}

enum mm_status page_take(struct paddr page)
{
	struct slot *slot;
	enum mm_status status = slot_lookup(page, &slot);

	if (status != MM_OK)
		return status;

	struct zone *zone = zone_of(page);
	bool drained = false;

	/* A page may move between a block and a cache while we look, but not for ever. */
	for (;;) {
		if (slot_take_cached(slot, SLOT_UNDER_CONSTRUCTION))
			return MM_OK;

		uint32_t references = atomic_load_explicit(&slot->references, memory_order_acquire);

		if (references == SLOT_CACHED)
			continue;
		if (references != SLOT_UNUSED) {
			/* It may be a deferred table's, and then it is nobody's. */
			if (slot_usage(slot) != PAGE_TABLE || drained)
				return owned_status(references);
			(void)deferred_tables_drain();
			drained = true;
			continue;
		}

		ticket_lock(&zone->lock, MM_LOCK_ZONE);
		bool taken = slot_order(slot) == ORDER_WITHHELD || buddy_take_at(zone, page, 0);

		if (taken)
			slot_begin_construction(slot);
		ticket_unlock(&zone->lock);
		if (taken)
			return MM_OK;
	}
}

void pages_give_back(struct prange range)
{
	while (!prange_is_empty(range)) {
		struct zone *zone = zone_of(range.start);
		struct paddr end = range.end;

		if (end.value > zone->range.end.value)
			end = zone->range.end;
		zone_give_back(zone, prange(range.start, end));
		range.start = end;
	}
}

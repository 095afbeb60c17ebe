/* SPDX-License-Identifier: BSD-3-Clause */
#include "page_allocator.h"
#include <strata/fault.h>
#include "buddy.h"
#include "panic.h"
#include "per_cpu.h"

#if STRATA_CHECKED

static _Atomic uint64_t failing_allocation;

void mm_fail_allocation(uint64_t nth)
{
	atomic_store_explicit(&failing_allocation, nth, memory_order_relaxed);
}

/* True for the one allocation that was chosen to fail. */
static bool must_fail(void)
{
	uint64_t left = atomic_load_explicit(&failing_allocation, memory_order_relaxed);

	if (left == 0)
		return false;
	atomic_store_explicit(&failing_allocation, left - 1, memory_order_relaxed);
	return left == 1;
}

#else

static bool must_fail(void)
{
	return false;
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
		ticket_lock(&zone->lock);
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
	ticket_lock(&zone->lock);
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

/* Moves pages from the zones to an empty cache; false if there is none. */
static bool cache_fill(struct page_cache *cache)
{
	for (struct zone *zone = zones; zone != NULL && cache->count == 0; zone = zone_next(zone)) {
		struct paddr batch[PAGE_CACHE_BATCH];
		uint32_t taken = 0;

		ticket_lock(&zone->lock);
		while (taken < PAGE_CACHE_BATCH && buddy_take(zone, 0, &batch[taken])) {
			zone_section_make_ready(zone, batch[taken]);
			slot_set_order(zone_slot(zone, batch[taken]), ORDER_CACHED);
			taken++;
		}
		ticket_unlock(&zone->lock);
		/* The cache is a stack: what was taken first is handed out first. */
		while (taken > 0)
			cache->pages[cache->count++] = batch[--taken];
	}
	return cache->count > 0;
}

/* Moves the oldest pages of a cache to their zones. */
static void cache_spill(struct page_cache *cache, uint32_t pages)
{
	for (uint32_t i = 0; i < pages; i++) {
		struct zone *zone = zone_of(cache->pages[i]);

		ticket_lock(&zone->lock);
		slot_set_order(zone_slot(zone, cache->pages[i]), ORDER_NONE);
		buddy_put(zone, cache->pages[i], 0);
		ticket_unlock(&zone->lock);
	}
	cache->count -= pages;
	for (uint32_t i = 0; i < cache->count; i++)
		cache->pages[i] = cache->pages[i + pages];
}

void page_caches_drain(void)
{
	for (unsigned int i = 0; i < STRATA_MAX_CPUS; i++) {
		struct page_cache *cache = &mm_cpus[i].cache;

		ticket_lock(&cache->lock);
		cache_spill(cache, cache->count);
		ticket_unlock(&cache->lock);
	}
}

enum mm_status page_allocate(struct paddr *out)
{
	struct page_cache *cache = &mm_this_cpu()->cache;

	if (must_fail())
		return MM_NO_MEMORY;

	ticket_lock(&cache->lock);
	if (cache->count == 0 && !cache_fill(cache)) {
		ticket_unlock(&cache->lock);
		return MM_NO_MEMORY;
	}

	struct paddr page = cache->pages[--cache->count];

	slot_begin_construction(slot_of(page));
	ticket_unlock(&cache->lock);
	*out = page;
	return MM_OK;
}

enum mm_status block_allocate(unsigned int order, const struct block_place *place,
			      struct paddr *out)
{
	if (must_fail())
		return MM_NO_MEMORY;
	if (order >= ORDER_COUNT)
		return MM_NO_MEMORY;
	if (take_block_from_some_zone(order, place, out))
		return MM_OK;
	/* Single pages in the caches may be what keeps a block apart. */
	page_caches_drain();
	return take_block_from_some_zone(order, place, out) ? MM_OK : MM_NO_MEMORY;
}

static bool cache_take(struct page_cache *cache, struct paddr page)
{
	bool taken = false;

	ticket_lock(&cache->lock);
	for (uint32_t i = 0; i < cache->count && !taken; i++) {
		if (cache->pages[i].value != page.value)
			continue;
		slot_begin_construction(slot_of(page));
		cache->count--;
		for (uint32_t j = i; j < cache->count; j++)
			cache->pages[j] = cache->pages[j + 1];
		taken = true;
	}
	ticket_unlock(&cache->lock);
	return taken;
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

	ticket_lock(&zone->lock);
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

	/* A page may move between a block and a cache while we look, but not for ever. */
	for (;;) {
		ticket_lock(&zone->lock);
		bool taken = slot_order(slot) == ORDER_WITHHELD || buddy_take_at(zone, page, 0);

		if (taken)
			slot_begin_construction(slot);
		ticket_unlock(&zone->lock);
		if (taken)
			return MM_OK;

		for (unsigned int i = 0; i < STRATA_MAX_CPUS; i++)
			if (cache_take(&mm_cpus[i].cache, page))
				return MM_OK;

		uint32_t references = atomic_load_explicit(&slot->references, memory_order_acquire);

		if (references != SLOT_UNUSED)
			return owned_status(references);
	}
}

void page_give_back(struct paddr page)
{
	struct page_cache *cache = &mm_this_cpu()->cache;

	ticket_lock(&cache->lock);
	if (cache->count == PAGE_CACHE_PAGES)
		cache_spill(cache, PAGE_CACHE_BATCH);
	slot_end(slot_of(page), ORDER_CACHED);
	cache->pages[cache->count++] = page;
	ticket_unlock(&cache->lock);
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

/* SPDX-License-Identifier: BSD-3-Clause */
#include "page_cache.h"
#include "buddy.h"
#include "deferred_tables.h"
#include "page_allocator.h"

/* Moves a batch from the zones to an empty cache. False if no page is free. */
static bool fill(struct page_cache *cache)
{
	for (struct zone *zone = zones; zone != NULL && cache->count == 0; zone = zone_next(zone)) {
		struct taken_page batch[PAGE_CACHE_BATCH];
		uint32_t taken = 0;

		ticket_lock(&zone->lock, MM_LOCK_ZONE);
		while (taken < PAGE_CACHE_BATCH && buddy_take(zone, 0, &batch[taken].page)) {
			zone_section_make_ready(zone, batch[taken].page);
			batch[taken].slot = zone_slot(zone, batch[taken].page);
			taken++;
		}
		/* The cache is a stack: what was taken first is handed out first. */
		while (taken-- > 0)
			page_cache_put(cache, batch[taken].slot, batch[taken].page);
		ticket_unlock(&zone->lock);
	}
	return cache->count > 0;
}

static struct taken_page take_or_fill(struct page_cache *cache)
{
	while (cache->count > 0 || fill(cache)) {
		struct taken_page taken = page_cache_take(cache);

		if (taken.slot != NULL)
			return taken;
	}
	return (struct taken_page){ .slot = NULL };
}

struct taken_page page_cache_take_slowly(struct page_cache *cache)
{
	struct taken_page taken = take_or_fill(cache);

	if (taken.slot != NULL)
		return taken;
	/* Free are also deferred tables, whoever frees them, and what is in the caches of other CPUs. */
	(void)deferred_tables_drain();
	page_caches_drain();
	return take_or_fill(cache);
}

/* Moves the page that an entry names to its zone, if it is cached still. */
static void spill(struct paddr page)
{
	struct zone *zone = zone_of(page);

	/* An entry that was never written, or of memory that is gone. */
	if (zone == NULL || !(zone_section(zone, page) & SECTION_READY))
		return;
	ticket_lock(&zone->lock, MM_LOCK_ZONE);
	if (slot_take_cached(zone_slot(zone, page), SLOT_UNUSED))
		buddy_put(zone, page, 0);
	ticket_unlock(&zone->lock);
}

static struct paddr page_of(const struct page_cache_entry *entry)
{
	return paddr(atomic_load_explicit(&entry->page, memory_order_relaxed));
}

void page_cache_spill(struct page_cache *cache)
{
	for (uint32_t i = 0; i < PAGE_CACHE_BATCH; i++)
		spill(page_of(&cache->entries[i]));
	cache->count -= PAGE_CACHE_BATCH;
	for (uint32_t i = 0; i < cache->count; i++) {
		const struct page_cache_entry *from = &cache->entries[i + PAGE_CACHE_BATCH];

		atomic_store_explicit(&cache->entries[i].page, page_of(from).value,
				      memory_order_relaxed);
		cache->entries[i].slot = from->slot;
	}
}

/* Of another CPU's cache the count is not known; old entries do no harm. */
void page_caches_drain(void)
{
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++)
		for (uint32_t i = 0; i < PAGE_CACHE_PAGES; i++)
			spill(page_of(&mm_cpu_of(cpu)->cache.entries[i]));
}

void page_caches_forget(void)
{
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++)
		mm_cpu_of(cpu)->cache.count = 0;
}

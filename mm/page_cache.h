/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page caches: single free pages at hand for each CPU, taken and put back without a lock.
 *
 * Invariant: an entry is a hint, the slot is the truth. Whoever exchanges a page's SLOT_CACHED for
 * another value has the page, whether an entry led there or the page's address did. So a page that is
 * SLOT_CACHED is named by at least one entry (but while it is on its way there), and an entry may name
 * a page that is long gone: it is then passed over.
 *
 * A cache is written by its own CPU alone; others only read the addresses in its entries.
 * SLOT_CACHED becomes SLOT_UNUSED, and SLOT_UNUSED SLOT_CACHED, under the lock of the page's zone.
 */
#pragma once

#include "host.h"
#include "per_cpu.h"
#include "slot.h"

/*
 * Acquire: what the page's last holder did to it, and to its slot, came before. On success nobody else
 * has the page: it is @to, SLOT_UNDER_CONSTRUCTION or, under the zone's lock, SLOT_UNUSED.
 */
static inline bool slot_take_cached(struct slot *slot, uint32_t to)
{
	uint32_t cached = SLOT_CACHED;

	return atomic_compare_exchange_strong_explicit(&slot->references, &cached, to,
						       memory_order_acquire, memory_order_relaxed);
}

/* A page under construction. slot is NULL if there is none. */
struct taken_page {
	struct slot *slot;
	struct paddr page;
};

/* What the last entry leads to. */
static inline struct taken_page page_cache_take(struct page_cache *cache)
{
	ASSERT_HELD(MM_HELD_CPU, NULL);
	if (cache->count == 0)
		return (struct taken_page){ .slot = NULL };

	const struct page_cache_entry *entry = &cache->entries[--cache->count];
	struct paddr page = paddr(atomic_load_explicit(&entry->page, memory_order_relaxed));

	if (!slot_take_cached(entry->slot, SLOT_UNDER_CONSTRUCTION))
		return (struct taken_page){ .slot = NULL };
	return (struct taken_page){ entry->slot, page };
}

/* The same without luck: passes over entries that lead nowhere, and fills an empty cache. */
struct taken_page page_cache_take_slowly(struct page_cache *cache);

/* Makes a page that is under construction, or, under the zone's lock, SLOT_UNUSED and in no free block,
 * SLOT_CACHED. There is room. */
static inline void page_cache_put(struct page_cache *cache, struct slot *slot, struct paddr page)
{
	ASSERT_HELD(MM_HELD_CPU, NULL);

	struct page_cache_entry *entry = &cache->entries[cache->count++];

	slot_set_usage(slot, PAGE_UNUSED);
	atomic_store_explicit(&entry->page, page.value, memory_order_relaxed);
	entry->slot = slot;
	/* Release: who takes the page sees what was done to it before. */
	atomic_store_explicit(&slot->references, SLOT_CACHED, memory_order_release);
}

/* Moves the oldest batch of a full cache to the zones. */
void page_cache_spill(struct page_cache *cache);

/* Makes all caches forget their entries. No operation is in flight, and the caches are drained. */
void page_caches_forget(void);

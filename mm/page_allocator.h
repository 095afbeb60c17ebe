/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Free pages: buddy blocks per zone, and a cache of single pages per CPU.
 *
 * Invariant: every page that is SLOT_UNUSED is in exactly one free block, or is withheld, or a
 * zone's lock is held; every page that is SLOT_CACHED is in no free block (page_cache.h). Two free
 * buddies never both exist: they are merged into the block of the next order.
 *
 * Pages handed out are under construction (rc 0, PAGE_UNUSED): the caller publishes them or gives
 * them back.
 */
#pragma once

#include <strata/status.h>
#include "buddy.h"
#include "page_cache.h"

#if STRATA_CHECKED
/* Whether mm_fail_allocation chose one to fail, and whether this is the one. */
bool allocation_will_fail(void);
bool allocation_must_fail(void);
#else
static inline bool allocation_will_fail(void)
{
	return false;
}

static inline bool allocation_must_fail(void)
{
	return false;
}
#endif

/* One page, and its slot; that is NULL if no page is free. */
static inline struct taken_page page_allocate(void)
{
	struct page_cache *cache = &mm_this_cpu()->cache;

	if (allocation_must_fail())
		return (struct taken_page){ .slot = NULL };

	struct taken_page taken = page_cache_take(cache);

	return __builtin_expect(taken.slot != NULL, 1) ? taken : page_cache_take_slowly(cache);
}

/* 2^@order contiguous pages aligned to their size, at @place (NULL: anywhere). MM_NO_MEMORY. */
MM_MUST_CHECK enum mm_status block_allocate(unsigned int order, const struct block_place *place,
					    struct paddr *out);

/*
 * The page at @paddr, if it is unused.
 *
 * MM_NOT_ALIGNED, MM_OUT_OF_BOUND: @paddr is not the address of a page of memory.
 * MM_IN_USE, MM_UNIQUE, MM_BUSY: somebody else has it.
 */
MM_MUST_CHECK enum mm_status page_take(struct paddr paddr);

/* The common case of page_allocate, which calls nothing: slot is NULL in all others. */
static inline struct taken_page page_at_hand(void)
{
	if (allocation_will_fail())
		return (struct taken_page){ .slot = NULL };
	return page_cache_take(&mm_this_cpu()->cache);
}

/* Makes a page under construction unused, but known to nobody: page_take finds it. */
void page_withhold(struct paddr paddr);

/* Gives back pages under construction. */
static inline void page_give_back(struct slot *slot, struct paddr page)
{
	struct page_cache *cache = &mm_this_cpu()->cache;

	if (__builtin_expect(cache->count == PAGE_CACHE_PAGES, 0))
		page_cache_spill(cache);
	page_cache_put(cache, slot, page);
}

void pages_give_back(struct prange range);

/* Puts memory (@range inside one zone, its slots not in use) under the allocator. The caller holds the
 * zone's lock, or is alone at start. */
void zone_add_free(struct zone *zone, struct prange range);

/* Moves what is in the caches of all CPUs to the zones. While other CPUs run, their caches may fill again
 * at once. */
void page_caches_drain(void);

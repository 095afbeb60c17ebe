/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Free pages: buddy blocks per zone, and a cache of single pages per CPU.
 *
 * Invariant: every page that is SLOT_UNUSED is in exactly one free block or one cache, or is withheld,
 * and no other page is. Two free buddies never both exist: they are merged into the block of the
 * next order.
 *
 * Pages handed out are under construction (rc 0, PAGE_UNUSED): the caller publishes them or gives
 * them back.
 */
#pragma once

#include <strata/status.h>
#include "buddy.h"
#include "slot.h"

/* One page. MM_NO_MEMORY. */
MM_MUST_CHECK enum mm_status page_allocate(struct paddr *out);

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

/* Makes a page under construction unused, but known to nobody: page_take finds it. */
void page_withhold(struct paddr paddr);

/* Gives back pages under construction. */
void page_give_back(struct paddr paddr);
void pages_give_back(struct prange range);

/* Puts memory (@range inside one zone, its slots not in use) under the allocator. The caller holds the
 * zone's lock, or is alone at start. */
void zone_add_free(struct zone *zone, struct prange range);

/* Moves what is in the caches of all CPUs to the zones. While other CPUs run, their caches may fill again
 * at once. */
void page_caches_drain(void);

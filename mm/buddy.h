/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buddy blocks of one zone. All functions are called with the zone's lock held.
 *
 * A block of order n is 2^n pages aligned to its size in physical memory. What says that a free
 * block begins at a page: for orders below SECTION_ORDER the page's slot, for the others the
 * section table, so that the slots inside a large free block need not exist yet.
 */
#pragma once

#include "slot.h"

/* Takes a block of exactly @order, dividing a larger one. False if there is none. */
bool buddy_take(struct zone *zone, unsigned int order, struct paddr *out);

/* Takes the aligned block of @order at @paddr out of the free block that has it. False if there is
 * none. */
bool buddy_take_at(struct zone *zone, struct paddr paddr, unsigned int order);

/* What a block must be, beside its size and alignment. */
struct block_place {
	uint64_t size;	  /* bytes of the block that are wanted, from its beginning on */
	uint64_t limit;	  /* what is wanted ends at or below */
	uint32_t colours; /* a power of two */
	uint32_t colour;  /* of the first page: its number modulo colours */
};

/* Takes a block of @order at @place. False if none is free. */
bool buddy_take_in_place(struct zone *zone, unsigned int order, const struct block_place *place,
			 struct paddr *out);

/* Puts a block under the allocator, merged with its buddies. */
void buddy_put(struct zone *zone, struct paddr paddr, unsigned int order);

/* The largest order of an aligned block that begins at range.start and lies in the range. */
unsigned int buddy_order_at(struct prange range);

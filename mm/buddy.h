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

/* Takes the one page @paddr out of the free block that has it. False if it is in none. */
bool buddy_take_page(struct zone *zone, struct paddr paddr);

/* Puts a block under the allocator, merged with its buddies. */
void buddy_put(struct zone *zone, struct paddr paddr, unsigned int order);

/* The largest order of an aligned block that begins at range.start and lies in the range. */
unsigned int buddy_order_at(struct prange range);

/* SPDX-License-Identifier: BSD-3-Clause */
#include "buddy.h"
#include "panic.h"

static uint64_t block_size(unsigned int order)
{
	return PAGE_SIZE << order;
}

static struct paddr block_at(const struct zone *zone, uint32_t number)
{
	return paddr(zone->range.start.value + ((uint64_t)number << PAGE_SHIFT));
}

static uint32_t block_number(const struct zone *zone, struct paddr paddr)
{
	return (uint32_t)((paddr.value - zone->range.start.value) >> PAGE_SHIFT);
}

static bool begins_free_block(struct zone *zone, struct paddr paddr, unsigned int order)
{
	uint8_t section = zone_section(zone, paddr);

	if (order >= SECTION_ORDER)
		return (section & SECTION_FREE_ORDER) == order;
	return (section & SECTION_READY) && slot_order(zone_slot(zone, paddr)) == order;
}

static void mark_free_block(struct zone *zone, struct paddr paddr, unsigned int order)
{
	if (order >= SECTION_ORDER)
		zone_section_set(zone, paddr, zone_section(zone, paddr) | (uint8_t)order);
	else
		slot_set_order(zone_slot(zone, paddr), (uint8_t)order);
}

static void unmark_free_block(struct zone *zone, struct paddr paddr, unsigned int order)
{
	if (order >= SECTION_ORDER)
		zone_section_set(zone, paddr, zone_section(zone, paddr) & SECTION_READY);
	else
		slot_set_order(zone_slot(zone, paddr), ORDER_NONE);
}

static void link_block(struct zone *zone, struct paddr paddr, unsigned int order)
{
	uint32_t number = block_number(zone, paddr);
	uint32_t next = zone->first_free[order];

	/* Only the first page's slot of a block is written: the others may not exist yet. */
	zone->slots[number].links = (struct slot_links){ .next = next, .previous = LINK_NONE };
	if (next != LINK_NONE)
		zone->slots[next].links.previous = number;
	zone->first_free[order] = number;
	zone->free_pages += UINT64_C(1) << order;
	mark_free_block(zone, paddr, order);
}

static void unlink_block(struct zone *zone, struct paddr paddr, unsigned int order)
{
	struct slot_links links = zone->slots[block_number(zone, paddr)].links;

	if (links.previous == LINK_NONE)
		zone->first_free[order] = links.next;
	else
		zone->slots[links.previous].links.next = links.next;
	if (links.next != LINK_NONE)
		zone->slots[links.next].links.previous = links.previous;
	zone->free_pages -= UINT64_C(1) << order;
	unmark_free_block(zone, paddr, order);
}

bool buddy_take(struct zone *zone, unsigned int order, struct paddr *out)
{
	unsigned int larger = order;

	while (larger < ORDER_COUNT && zone->first_free[larger] == LINK_NONE)
		larger++;
	if (larger == ORDER_COUNT)
		return false;

	struct paddr block = block_at(zone, zone->first_free[larger]);

	unlink_block(zone, block, larger);
	while (larger > order) {
		if (larger == SECTION_ORDER)
			zone_section_make_ready(zone, block);
		larger--;
		/* The upper half goes back: low addresses are handed out first. */
		link_block(zone, paddr(block.value + block_size(larger)), larger);
	}
	*out = block;
	return true;
}

/* Divides a free block until the block of @order at @wanted is left, and takes that. */
static void carve(struct zone *zone, struct paddr block, unsigned int larger, struct paddr wanted,
		  unsigned int order)
{
	unlink_block(zone, block, larger);
	while (larger > order) {
		if (larger == SECTION_ORDER)
			zone_section_make_ready(zone, block);
		larger--;

		struct paddr upper = paddr(block.value + block_size(larger));

		if (wanted.value < upper.value) {
			link_block(zone, upper, larger);
		} else {
			link_block(zone, block, larger);
			block = upper;
		}
	}
}

bool buddy_take_at(struct zone *zone, struct paddr wanted, unsigned int order)
{
	for (unsigned int larger = order; larger < ORDER_COUNT; larger++) {
		struct paddr block = paddr(wanted.value & ~(block_size(larger) - 1));

		if (!prange_has(zone->range, block))
			return false;
		if (begins_free_block(zone, block, larger)) {
			carve(zone, block, larger, wanted, order);
			return true;
		}
	}
	return false;
}

/* The lowest block of @order in the free block that is at @place. */
static bool find_in_block(struct paddr block, unsigned int larger, unsigned int order,
			  const struct block_place *place, struct paddr *out)
{
	const uint64_t end = block.value + block_size(larger);

	if (place->size > place->limit)
		return false;
	/* Colours come again after as many pages: no more candidates than colours need a look. */
	for (uint32_t i = 0; i < place->colours && block.value < end; i++) {
		if (block.value > place->limit - place->size)
			return false;
		if (((block.value >> PAGE_SHIFT) & (place->colours - 1)) == place->colour) {
			*out = block;
			return true;
		}
		block.value += block_size(order);
	}
	return false;
}

bool buddy_take_in_place(struct zone *zone, unsigned int order, const struct block_place *place,
			 struct paddr *out)
{
	for (unsigned int larger = order; larger < ORDER_COUNT; larger++) {
		uint32_t number = zone->first_free[larger];

		for (; number != LINK_NONE; number = zone->slots[number].links.next) {
			struct paddr block = block_at(zone, number);

			if (!find_in_block(block, larger, order, place, out))
				continue;
			carve(zone, block, larger, *out, order);
			return true;
		}
	}
	return false;
}

void buddy_put(struct zone *zone, struct paddr block, unsigned int order)
{
	while (order < ORDER_MAX) {
		struct paddr buddy = paddr(block.value ^ block_size(order));

		if (!prange_contains(zone->range,
				     prange(buddy, paddr(buddy.value + block_size(order)))) ||
		    !begins_free_block(zone, buddy, order))
			break;
		unlink_block(zone, buddy, order);
		if (buddy.value < block.value)
			block = buddy;
		order++;
	}
	link_block(zone, block, order);
}

unsigned int buddy_order_at(struct prange range)
{
	uint64_t size = prange_size(range);
	unsigned int order = ORDER_MAX;

	MM_INVARIANT(!prange_is_empty(range), "a block is not empty", range.start.value);
	while (block_size(order) > size || (range.start.value & (block_size(order) - 1)) != 0)
		order--;
	return order;
}

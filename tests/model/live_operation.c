/* SPDX-License-Identifier: BSD-3-Clause */
#include "live_operation.h"

#include <strata/frame.h>
#include <strata/segment.h>

uint64_t random_address(struct random *random, uint64_t limit)
{
	static const uint64_t centres[] = { 0, 2 * MIB, 4 * MIB, GIB, GIB + 2 * MIB, 2 * GIB };
	uint64_t centre = centres[random_below(random, 6)];
	uint64_t address = (centre + random_below(random, 8) * PAGE_SIZE) % limit;

	if (random_below(random, 50) == 0)
		address += random_below(random, PAGE_SIZE);
	return address;
}

uint64_t random_length(struct random *random)
{
	switch (random_below(random, 8)) {
	case 0:
		return 2 * MIB * (1 + random_below(random, 3));
	case 1:
		return GIB;
	case 2:
		return random_below(random, 2) ? 0 : random_below(random, 3 * PAGE_SIZE);
	default:
		return PAGE_SIZE * (1 + random_below(random, 12));
	}
}

static struct page_property random_property(struct random *random)
{
	uint64_t flags = PAGE_READ | PAGE_ACCESSED;

	if (random_below(random, 2))
		flags |= PAGE_WRITE;
	if (random_below(random, 8) == 0)
		flags = random_below(random, 32);
	return page_property((uint8_t)flags, random_below(random, 4) != 0
						     ? CACHE_WRITEBACK
						     : (enum cache_policy)random_below(random, 5));
}

static struct page_property set_property(struct page_property property, void *context)
{
	struct random *random = context;

	return random_below(random, 4) != 0 ? random_property(random) : property;
}

static void map_frame(struct cursor *cursor, struct random *random, bool replace)
{
	struct page_property property = random_property(random);
	enum mm_status status;
	frame_t frame;

	if (frame_alloc(FRAME_UNDEFINED, &frame) != MM_OK)
		return;
	status = replace ? cursor_replace(cursor, &frame, property)
			 : cursor_map(cursor, &frame, property);
	if (status != MM_OK)
		frame_drop(&frame);
}

static void map_segment(struct cursor *cursor, struct random *random)
{
	bool blocks = random_below(random, 2);
	uint64_t pages =
		blocks ? 512 * (1 + random_below(random, 3)) : 1 + random_below(random, 20);
	struct segment segment;

	if (segment_alloc(pages, blocks ? 2 * MIB : PAGE_SIZE, FRAME_UNDEFINED, &segment) != MM_OK)
		return;
	if (cursor_map_segment(cursor, &segment, random_property(random)) != MM_OK)
		segment_drop(&segment);
}

static void map_iomem(struct cursor *cursor, struct random *random)
{
	uint64_t start = cursor_virt_addr(cursor).value + DEVICE_BASE;
	uint64_t length = random_length(random);

	switch (random_below(random, 12)) {
	case 0:
		start = RAM_BASE;
		break;
	case 1:
		start = UINT64_C(1) << 44;
		break;
	case 2:
		start = DEVICE_IN_RAM +
			random_below(random, DEVICE_IN_RAM_SIZE / PAGE_SIZE) * PAGE_SIZE;
		break;
	default:
		break;
	}
	if (random_below(random, 20) == 0)
		start += random_below(random, 3);
	if (random_below(random, 20) == 0)
		length = -length;
	(void)!cursor_map_iomem(cursor, prange(paddr(start), paddr(start + length)),
				random_property(random));
}

static struct page_property make_data(struct page_property property, void *context)
{
	(void)property;
	(void)context;
	return page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK);
}

/* Maps @count units of the device, from unit @to on, at the position. */
static void map_units(struct cursor *cursor, uint64_t size, uint64_t to, uint64_t count,
		      struct page_property property)
{
	struct paddr start = paddr(DEVICE_BASE + to * size);

	if (count != 0)
		(void)!cursor_map_iomem(cursor, prange(start, paddr(start.value + count * size)),
					property);
}

/*
 * Fills all that one block translates in three parts, so that it becomes a block, or so nearly that
 * it must not: two units in the middle may be swapped, the last one may go elsewhere, one may have
 * another property, and get that of the others later.
 */
static void fill_block(struct cursor *cursor, struct random *random, uint64_t base)
{
	uint64_t size = random_below(random, 4) ? PAGE_SIZE : 2 * MIB; /* of a unit */
	uint64_t start = base + 512 * size * random_below(random, 2);
	uint64_t odd = random_below(random, 510);
	uint64_t swap = random_below(random, 4) == 0;
	uint64_t astray = random_below(random, 4) == 0;
	struct page_property data = make_data((struct page_property){ 0 }, NULL);
	struct page_property other = random_below(random, 2) ? data : random_property(random);

	if (cursor_jump(cursor, iaddr(start)) != MM_OK ||
	    cursor_unmap(cursor, 512 * size, NULL) != MM_OK)
		return;
	(void)!cursor_jump(cursor, iaddr(start));
	map_units(cursor, size, 0, odd, data);
	map_units(cursor, size, odd + swap, 1, other);
	map_units(cursor, size, odd + 1 - swap, 1, data);
	map_units(cursor, size, odd + 2, 509 - odd, data);
	map_units(cursor, size, 511 + astray, 1, data);
	(void)!cursor_jump(cursor, iaddr(start + odd * size));
	(void)!cursor_protect_next(cursor, size, make_data, NULL, NULL);
	(void)!cursor_jump(cursor, iaddr(start + random_below(random, 512) * size));
	(void)!cursor_protect_next(cursor, size, set_property, random, NULL);
	if (random_below(random, 2)) {
		(void)!cursor_jump(cursor, iaddr(start));
		(void)!cursor_unmap(cursor, 512 * size, NULL);
		(void)!cursor_jump(cursor, iaddr(start + odd * PAGE_SIZE));
		map_frame(cursor, random, false);
	}
}

void one_operation(struct cursor *cursor, struct random *random, uint64_t base)
{
	struct cursor_item item;
	struct irange changed;
	uint64_t leaves;
	frame_t frame = { .paddr = paddr(0) };

	switch (random_below(random, 15)) {
	case 0:
		if (cursor_query(cursor, &item, &frame) == MM_OK && item.mapped && item.counted)
			frame_drop(&frame);
		break;
	case 1:
	case 2:
		(void)!cursor_find_next(cursor, random_length(random));
		break;
	case 3:
	case 4:
		(void)!cursor_jump(cursor, iaddr(base + random_address(random, 4 * GIB)));
		break;
	case 5:
	case 6:
		map_frame(cursor, random, false);
		break;
	case 7:
		map_frame(cursor, random, true);
		break;
	case 8:
		map_segment(cursor, random);
		break;
	case 9:
		map_iomem(cursor, random);
		break;
	case 10:
		(void)!cursor_unmap(cursor, random_length(random), &leaves);
		break;
	case 11:
		(void)!cursor_protect_next(cursor, random_length(random), set_property, random,
					   &changed);
		break;
	case 12:
		(void)!cursor_protect(cursor, random_length(random), set_property, random, &leaves);
		break;
	case 13:
		fill_block(cursor, random, base);
		break;
	default:
		cursor_flush(cursor);
		break;
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "block_parts.h"

static void expect_property(struct vm_space *space, uint64_t ia, struct page_property property)
{
	const struct cursor_item item = item_at(space, ia);

	EXPECT_EQUAL(item.property.flags, property.flags);
	EXPECT_EQUAL(item.property.cache, property.cache);
	EXPECT_FALSE(item.counted);
}

void expect_block_part(struct world *world, struct vm_space *space, const struct block_part *part,
		       struct page_property property)
{
	const uint64_t start = BLOCK_PARTS_BASE + part->start;
	const uint64_t end = start + part->size;

	expect_property(space, start, property);
	expect_property(space, end - PAGE_SIZE, property);
	if (part->start > 0)
		expect_property(space, start - PAGE_SIZE, DEVICE);
	if (part->start + part->size < part->block)
		expect_property(space, end, DEVICE);
	expect_mmu_agrees(world, space, BLOCK_PARTS_BASE, part->block, part->block / 512);
	expect_mmu_agrees(world, space, start - PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE);
	expect_mmu_agrees(world, space, end - PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE);
}

void expect_whole_block(struct world *world, struct vm_space *space, const struct block_part *part,
			uint64_t tables)
{
	expect_mapped(space, BLOCK_PARTS_BASE + part->start, NO_MEMORY_BASE + part->start,
		      part->block, DEVICE);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	expect_mmu_agrees(world, space, BLOCK_PARTS_BASE, part->block, part->block / 512);
}

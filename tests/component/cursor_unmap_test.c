/* SPDX-License-Identifier: BSD-3-Clause */
/* Unmapping: blocks are split at the edges, tables that are empty go, pages come back. */
#include "mapping.h"

TEST(unmap_counts_leaves)
{
	struct vm_space space;

	world_space(world, &space);
	map_segment_at(world, &space, MIB(2), 512 + 3, MIB(2), READ_WRITE);
	map_frame_at(world, &space, GIB(2), READ_WRITE);
	EXPECT_EQUAL(unmap_at(&space, GIB(3), GIB(1)), 0);
	EXPECT_EQUAL(unmap_at(&space, 0, GIB(4)), 5);
	EXPECT_EQUAL(unmap_at(&space, 0, GIB(4)), 0);
	EXPECT_EQUAL(world_pages(PAGE_FRAME), world->before.pages[PAGE_FRAME]);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Once nothing is mapped the space has no table but its root, however it came about. */
TEST(unmap_frees_empty_tables)
{
	static const uint64_t steps[] = { PAGE_SIZE, 3 * PAGE_SIZE, KIB(1020), MIB(2), MIB(6) };

	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct vm_space space;

		world_space(world, &space);

		uint64_t tables = world_pages(PAGE_TABLE);
		uint64_t start = GIB(2) - MIB(3);

		/* Not aligned alike: pages only, over two tables of level 2. */
		map_segment_at(world, &space, start + PAGE_SIZE, 1536 - 1, MIB(2), READ_WRITE);
		EXPECT_TRUE(world_pages(PAGE_TABLE) > tables);
		for (uint64_t done = 0; done < MIB(6); done += steps[i]) {
			uint64_t left = MIB(6) - done;

			unmap_at(&space, start + done, steps[i] < left ? steps[i] : left);
		}
		EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
		EXPECT_EQUAL(world_pages(PAGE_FRAME), world->before.pages[PAGE_FRAME]);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

/* A hole anywhere in a block: exactly that is gone, the rest is mapped as before, with leaves no
 * smaller than the hole's edges demand. */
TEST(unmap_splits_blocks_at_both_edges)
{
	static const struct {
		uint64_t block, start, size;
		uint64_t before, after; /* leaf sizes just outside the hole */
		unsigned int leaves;
	} cases[] = {
		{ MIB(2), 0, PAGE_SIZE, 0, PAGE_SIZE, 1 },
		{ MIB(2), MIB(2) - PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 0, 1 },
		{ MIB(2), KIB(16), KIB(32), PAGE_SIZE, PAGE_SIZE, 8 },
		{ MIB(2), 0, MIB(2), 0, 0, 1 },
		{ GIB(1), 0, PAGE_SIZE, 0, PAGE_SIZE, 1 },
		{ GIB(1), MIB(512), MIB(2), MIB(2), MIB(2), 1 },
		{ GIB(1), GIB(1) - PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 0, 1 },
		{ GIB(1), MIB(3), MIB(4), PAGE_SIZE, PAGE_SIZE, 256 + 1 + 256 },
		{ GIB(1), PAGE_SIZE, GIB(1) - 2 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE,
		  511 + 510 + 511 },
		{ GIB(1), MIB(2) + PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 1 },
		{ GIB(1), 0, GIB(1), 0, 0, 1 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t base = GIB(4);
		uint64_t hole = base + cases[i].start;
		uint64_t end = hole + cases[i].size;
		struct vm_space space;

		world_space(world, &space);
		map_iomem_at(&space, base, NO_MEMORY_BASE, cases[i].block, DEVICE);
		expect_mapped(&space, base, NO_MEMORY_BASE, cases[i].block, DEVICE);
		EXPECT_EQUAL(unmap_at(&space, hole, cases[i].size), cases[i].leaves);

		expect_hole(&space, hole);
		expect_hole(&space, end - PAGE_SIZE);
		if (cases[i].before != 0)
			expect_mapped(&space, hole - PAGE_SIZE,
				      NO_MEMORY_BASE + cases[i].start - PAGE_SIZE, cases[i].before,
				      DEVICE);
		if (cases[i].after != 0)
			expect_mapped(&space, end, NO_MEMORY_BASE + cases[i].start + cases[i].size,
				      cases[i].after, DEVICE);
		expect_mmu_agrees(world, &space, base, cases[i].block,
				  cases[i].block / 512 == PAGE_SIZE ? PAGE_SIZE : MIB(2));
		expect_mmu_agrees(world, &space, hole - PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE);
		expect_mmu_agrees(world, &space, end - PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

/* References follow: a page of a split block is free, its neighbours are not. */
TEST(unmap_part_of_a_block_frees_that_part)
{
	struct vm_space space;

	world_space(world, &space);

	struct paddr start = map_segment_at(world, &space, MIB(2), 512, MIB(2), READ_WRITE);

	EXPECT_EQUAL(unmap_at(&space, MIB(3), 3 * PAGE_SIZE), 3);
	for (uint64_t i = 0; i < 512; i++)
		EXPECT_EQUAL(references_of(paddr(start.value + i * PAGE_SIZE)),
			     i >= 256 && i < 259 ? 0 : 1);
	EXPECT_OK(vm_space_destroy(&space));
}

/* What is unmapped stays referenced until it is flushed. */
TEST(unmapped_pages_are_parked_until_the_flush)
{
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);

	struct paddr page = map_frame_at(world, &space, MIB(2), READ_WRITE);

	open_at(&space, MIB(2), MIB(2), &cursor);
	EXPECT_OK(cursor_unmap(&cursor, PAGE_SIZE, NULL));
	EXPECT_EQUAL(references_of(page), 1);
	cursor_flush(&cursor);
	EXPECT_EQUAL(references_of(page), 0);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

/* More than a gather holds, scattered so that nothing joins: all of it is flushed, sooner or later. */
TEST(unmap_more_than_a_gather_holds)
{
	enum { PAGES = 200 };
	struct vm_space space;
	struct cursor cursor;
	frame_t held[PAGES];
	uint64_t leaves;

	world_space(world, &space);
	for (uint64_t i = 0; i < PAGES; i++) {
		frame_t spacer = world_frame(world);

		held[i].paddr = map_frame_at(world, &space, i * MIB(2), READ_WRITE);
		EXPECT_OK(frame_from_in_use(held[i].paddr, &held[i]));
		frame_drop(&spacer);
	}
	open_at(&space, 0, PAGES * MIB(2), &cursor);
	EXPECT_OK(cursor_unmap(&cursor, PAGES * MIB(2), &leaves));
	EXPECT_EQUAL(leaves, PAGES);
	cursor_close(&cursor);
	for (uint64_t i = 0; i < PAGES; i++) {
		EXPECT_EQUAL(frame_reference_count(&held[i]), 1);
		frame_drop(&held[i]);
	}
	expect_mmu_agrees(world, &space, 0, PAGES * MIB(2), MIB(2));
	EXPECT_OK(vm_space_destroy(&space));
}

TEST(replace_puts_another_page_there)
{
	struct vm_space space;
	struct cursor cursor;
	frame_t frame = world_frame(world);
	struct paddr new_page = frame.paddr;

	world_space(world, &space);

	struct paddr old_page = map_frame_at(world, &space, MIB(2), READ_WRITE);

	open_at(&space, MIB(2), MIB(2), &cursor);
	EXPECT_OK(cursor_replace(&cursor, &frame, READ_ONLY));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(2) + PAGE_SIZE);
	/* Break-before-make has flushed: the old page is free already. */
	EXPECT_EQUAL(references_of(old_page), 0);
	EXPECT_EQUAL(references_of(new_page), 1);
	cursor_close(&cursor);
	expect_mapped(&space, MIB(2), new_page.value, PAGE_SIZE, READ_ONLY);
	expect_mmu_agrees(world, &space, MIB(2), 2 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Any page of a block can be replaced; the others stay. */
TEST(replace_in_a_block_splits_it)
{
	static const uint64_t offsets[] = { 0, MIB(1), MIB(2) - PAGE_SIZE };

	for (size_t i = 0; i < COUNT_OF(offsets); i++) {
		struct vm_space space;
		struct cursor cursor;
		frame_t frame = world_frame(world);
		struct paddr new_page = frame.paddr;

		world_space(world, &space);

		struct paddr start = map_segment_at(world, &space, MIB(2), 512, MIB(2), READ_WRITE);

		open_at(&space, MIB(2), MIB(2), &cursor);
		EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(2) + offsets[i])));
		EXPECT_OK(cursor_replace(&cursor, &frame, READ_WRITE));
		cursor_close(&cursor);
		for (uint64_t at = 0; at < MIB(2); at += PAGE_SIZE)
			expect_mapped(&space, MIB(2) + at,
				      at == offsets[i] ? new_page.value : start.value + at,
				      PAGE_SIZE, READ_WRITE);
		EXPECT_EQUAL(references_of(paddr(start.value + offsets[i])), 0);
		expect_mmu_agrees(world, &space, MIB(2), MIB(2), PAGE_SIZE);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

TEST(replace_refuses_holes_devices_and_bad_properties)
{
	struct vm_space space;
	struct cursor cursor;
	frame_t frame = world_frame(world);
	struct page_property impossible = page_property(PAGE_READ | PAGE_EXECUTE, CACHE_DEVICE);

	world_space(world, &space);
	map_iomem_at(&space, PAGE_SIZE, NO_MEMORY_BASE, PAGE_SIZE, DEVICE);
	map_frame_at(world, &space, 2 * PAGE_SIZE, READ_ONLY);
	open_at(&space, 0, MIB(2), &cursor);
	EXPECT_STATUS(cursor_replace(&cursor, &frame, READ_WRITE), MM_NOT_MAPPED);
	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGE_SIZE)));
	EXPECT_STATUS(cursor_replace(&cursor, &frame, READ_WRITE), MM_ACCESS_DENIED);
	EXPECT_OK(cursor_jump(&cursor, iaddr(2 * PAGE_SIZE)));
	EXPECT_STATUS(cursor_replace(&cursor, &frame, impossible), MM_NOT_SUPPORTED);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, 2 * PAGE_SIZE);
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	cursor_close(&cursor);
	EXPECT_EQUAL(item_at(&space, 2 * PAGE_SIZE).property.flags, READ_ONLY.flags);
	frame_drop(&frame);
	EXPECT_OK(vm_space_destroy(&space));
}

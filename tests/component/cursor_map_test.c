/* SPDX-License-Identifier: BSD-3-Clause */
/* Mapping: what is asked for is there, with the largest leaves, or nothing has changed. */
#include "mapping.h"

TEST(map_moves_the_reference_into_the_table)
{
	struct vm_space space;
	struct cursor cursor;
	frame_t frame = world_frame(world);
	frame_t held;

	world_space(world, &space);
	EXPECT_OK(frame_clone(&frame, &held));
	open_at(&space, MIB(4), MIB(2), &cursor);
	EXPECT_OK(cursor_map(&cursor, &frame, READ_WRITE));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(4) + PAGE_SIZE);
	EXPECT_EQUAL(frame_reference_count(&held), 2);
	cursor_close(&cursor);
	expect_mapped(&space, MIB(4), held.paddr.value, PAGE_SIZE, READ_WRITE);
	expect_hole(&space, MIB(4) + PAGE_SIZE);
	expect_mmu_agrees(world, &space, MIB(4) - PAGE_SIZE, 3 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_EQUAL(frame_reference_count(&held), 1);
	frame_drop(&held);
}

/* What is mapped is not mapped over, be it by a page, a block or something not counted. */
TEST(map_refuses_what_is_mapped)
{
	struct vm_space space;
	struct cursor cursor;
	frame_t frame = world_frame(world);

	world_space(world, &space);
	map_frame_at(world, &space, 0, READ_ONLY);
	map_segment_at(world, &space, MIB(2), 512, MIB(2), READ_ONLY);
	map_iomem_at(&space, MIB(4), NO_MEMORY_BASE, PAGE_SIZE, DEVICE);
	open_at(&space, 0, MIB(6), &cursor);
	for (uint64_t ia = 0; ia < MIB(6); ia += MIB(2)) {
		EXPECT_OK(cursor_jump(&cursor, iaddr(ia)));
		EXPECT_STATUS(cursor_map(&cursor, &frame, READ_WRITE), MM_EXISTS);
		EXPECT_EQUAL(cursor_virt_addr(&cursor).value, ia);
		EXPECT_EQUAL(frame_reference_count(&frame), 1);
	}
	cursor_close(&cursor);
	frame_drop(&frame);
	EXPECT_OK(vm_space_destroy(&space));
}

/* One page in the way, at every place of the range that matters: no page is mapped, no table is made. */
TEST(map_segment_is_all_or_nothing)
{
	static const uint64_t in_the_way[] = { 0,      PAGE_SIZE, MIB(2) - PAGE_SIZE,
					       MIB(2), MIB(3),	  MIB(4) - PAGE_SIZE };

	for (size_t i = 0; i < COUNT_OF(in_the_way); i++) {
		struct vm_space space;
		struct cursor cursor;
		struct segment segment = world_segment(world, 1024, PAGE_SIZE);
		struct paddr start = segment.start;

		world_space(world, &space);
		map_frame_at(world, &space, GIB(1) + in_the_way[i], READ_ONLY);

		uint64_t tables = world_pages(PAGE_TABLE);

		open_at(&space, GIB(1), MIB(4), &cursor);
		EXPECT_STATUS(cursor_map_segment(&cursor, &segment, READ_WRITE), MM_EXISTS);
		EXPECT_EQUAL(cursor_virt_addr(&cursor).value, GIB(1));
		EXPECT_EQUAL(segment.start.value, start.value);
		cursor_close(&cursor);
		EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
		for (uint64_t ia = 0; ia < MIB(4); ia += PAGE_SIZE)
			if (ia != in_the_way[i])
				expect_hole(&space, GIB(1) + ia);
		segment_drop(&segment);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

TEST(map_segment_refuses_one_that_is_too_long)
{
	struct vm_space space;
	struct cursor cursor;
	struct segment segment = world_segment(world, 3, PAGE_SIZE);

	world_space(world, &space);
	open_at(&space, 0, 2 * PAGE_SIZE, &cursor);
	EXPECT_STATUS(cursor_map_segment(&cursor, &segment, READ_WRITE), MM_OUT_OF_BOUND);
	cursor_close(&cursor);
	open_at(&space, 0, 4 * PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(2 * PAGE_SIZE)));
	EXPECT_STATUS(cursor_map_segment(&cursor, &segment, READ_WRITE), MM_OUT_OF_BOUND);
	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGE_SIZE)));
	EXPECT_OK(cursor_map_segment(&cursor, &segment, READ_WRITE));
	cursor_close(&cursor);
	expect_hole(&space, 0);
	expect_mmu_agrees(world, &space, 0, 6 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Each leaf is as large as the alignment of both addresses and what is left permit. */
TEST(map_uses_the_largest_leaves)
{
	static const struct {
		uint64_t ia, output, size;
		struct {
			uint64_t at, leaf;
		} samples[5];
	} cases[] = {
		{ GIB(1), 0, GIB(1), { { 0, GIB(1) }, { GIB(1) - PAGE_SIZE, GIB(1) } } },
		{ GIB(1), 0, MIB(2), { { 0, MIB(2) } } },
		{ GIB(1), 0, PAGE_SIZE, { { 0, PAGE_SIZE } } },
		{ GIB(1), MIB(2), GIB(1), { { 0, MIB(2) }, { GIB(1) - MIB(2), MIB(2) } } },
		{ GIB(1), PAGE_SIZE, MIB(4), { { 0, PAGE_SIZE }, { MIB(2), PAGE_SIZE } } },
		{ GIB(1) - MIB(2),
		  GIB(1) - MIB(2),
		  GIB(2) + MIB(4),
		  { { 0, MIB(2) },
		    { MIB(2), GIB(1) },
		    { GIB(1) + MIB(2), GIB(1) },
		    { GIB(2) + MIB(2), MIB(2) } } },
		{ MIB(2) - PAGE_SIZE,
		  MIB(2) - PAGE_SIZE,
		  GIB(1),
		  { { 0, PAGE_SIZE }, { PAGE_SIZE, MIB(2) }, { GIB(1) - PAGE_SIZE, PAGE_SIZE } } },
		{ GIB(511), GIB(1), GIB(2), { { 0, GIB(1) }, { GIB(1), GIB(1) } } },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t output = NO_MEMORY_BASE + cases[i].output;
		struct vm_space space;

		world_space(world, &space);
		map_iomem_at(&space, cases[i].ia, output, cases[i].size, DEVICE);
		for (size_t j = 0; j < COUNT_OF(cases[i].samples); j++)
			if (cases[i].samples[j].leaf != 0)
				expect_mapped(&space, cases[i].ia + cases[i].samples[j].at,
					      output + cases[i].samples[j].at,
					      cases[i].samples[j].leaf, DEVICE);
		expect_hole(&space, cases[i].ia - PAGE_SIZE);
		expect_hole(&space, cases[i].ia + cases[i].size);
		expect_mmu_agrees(world, &space, cases[i].ia - PAGE_SIZE, 3 * PAGE_SIZE, PAGE_SIZE);
		expect_mmu_agrees(world, &space, cases[i].ia + cases[i].size - 2 * PAGE_SIZE,
				  3 * PAGE_SIZE, PAGE_SIZE);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

/* A block holds one reference on each of its pages. */
TEST(map_segment_counts_every_page)
{
	struct vm_space space;

	world_space(world, &space);

	struct paddr start =
		map_segment_at(world, &space, MIB(2) - 3 * PAGE_SIZE, 520, MIB(2), READ_WRITE);

	for (uint64_t i = 0; i < 520; i++)
		EXPECT_EQUAL(references_of(paddr(start.value + i * PAGE_SIZE)), 1);
	EXPECT_EQUAL(world_pages(PAGE_FRAME), world->before.pages[PAGE_FRAME] + 520);
	EXPECT_OK(vm_space_destroy(&space));
}

/* A page may be mapped many times, and in many spaces; each mapping is one reference. */
TEST(a_page_is_mapped_as_often_as_it_is_counted)
{
	struct vm_space spaces[2];
	frame_t frame = world_frame(world);
	struct sharing *sharing;

	for (size_t i = 0; i < 2; i++)
		world_space(world, &spaces[i]);
	sharing = share_frame(&frame, &spaces[0], &spaces[1]);
	for (uint64_t i = 0; i < 8; i++) {
		struct cursor cursor;
		frame_t clone;

		EXPECT_OK(frame_clone(&frame, &clone));
		open_at(&spaces[i % 2], i * MIB(1), PAGE_SIZE, &cursor);
		EXPECT_OK(cursor_map(&cursor, &clone, READ_ONLY));
		cursor_close(&cursor);
		EXPECT_EQUAL(frame_reference_count(&frame), 2 + i);
	}
	EXPECT_OK(vm_space_destroy(&spaces[0]));
	EXPECT_EQUAL(frame_reference_count(&frame), 5);
	EXPECT_OK(vm_space_destroy(&spaces[1]));
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	frame_drop(&frame);
	EXPECT_OK(sharing_destroy(sharing));
}

/* Page by page, on one cursor, over the end of a table and in both directions. */
TEST(pages_map_one_by_one_in_both_directions)
{
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	open_at(&space, MIB(1), MIB(4), &cursor);
	for (uint64_t ia = MIB(1); ia < MIB(3); ia += PAGE_SIZE) {
		frame_t frame = world_frame(world);

		EXPECT_OK(cursor_map(&cursor, &frame, READ_WRITE));
	}
	for (uint64_t ia = MIB(5) - PAGE_SIZE; ia >= MIB(4); ia -= PAGE_SIZE) {
		frame_t frame = world_frame(world);

		EXPECT_OK(cursor_jump(&cursor, iaddr(ia)));
		EXPECT_OK(cursor_map(&cursor, &frame, READ_ONLY));
	}
	cursor_close(&cursor);
	expect_mmu_agrees(world, &space, MIB(1) - PAGE_SIZE, MIB(4) + 2 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Frames that happen to be neighbours become a block, as if they had been mapped one by one. */
TEST(map_frames_maps_all_or_none)
{
	enum { PAGES = 512 };
	static frame_t frames[PAGES + 1];
	struct segment segment = world_segment(world, PAGES, MIB(2));
	const uint64_t start = segment.start.value;
	struct vm_space space;
	struct cursor cursor;
	size_t count = 0;

	while (segment_next(&segment, &frames[count]))
		count++;
	frames[PAGES] = world_frame(world);
	world_space(world, &space);
	open_at(&space, GIB(1), MIB(2), &cursor);
	EXPECT_STATUS(cursor_map_frames(&cursor, frames, 0, READ_WRITE), MM_INVALID_ARGS);
	EXPECT_STATUS(cursor_map_frames(&cursor, frames, PAGES + 1, READ_WRITE), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_map_frames(&cursor, frames, SIZE_MAX, READ_WRITE), MM_OUT_OF_BOUND);
	EXPECT_OK(cursor_jump(&cursor, iaddr(GIB(1) + MIB(1))));
	EXPECT_OK(cursor_map_frames(&cursor, &frames[PAGES], 1, READ_ONLY));
	EXPECT_OK(cursor_jump(&cursor, iaddr(GIB(1))));
	EXPECT_STATUS(cursor_map_frames(&cursor, frames, PAGES, READ_WRITE), MM_EXISTS);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, GIB(1));
	for (size_t i = 0; i < PAGES; i++)
		EXPECT_EQUAL(frame_reference_count(&frames[i]), 1);

	/* What is in the way goes, in the same cursor: make after break. */
	EXPECT_OK(cursor_unmap(&cursor, MIB(2), NULL));
	EXPECT_OK(cursor_jump(&cursor, iaddr(GIB(1))));
	EXPECT_OK(cursor_map_frames(&cursor, frames, PAGES, READ_WRITE));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, GIB(1) + MIB(2));
	cursor_close(&cursor);
	expect_mapped(&space, GIB(1), start, MIB(2), READ_WRITE);
	expect_mmu_agrees(world, &space, GIB(1), MIB(2), MIB(1) / 4);
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_EQUAL(references_of(paddr(start)), 0);
}

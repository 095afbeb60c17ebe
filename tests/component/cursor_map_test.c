/* SPDX-License-Identifier: BSD-3-Clause */
/* Mapping: what is asked for is there, with the largest leaves, or nothing has changed. */
#include "mapping.h"
#include <arch/features.h>

static const struct page_property read_write = { PAGE_READ | PAGE_WRITE | PAGE_ACCESSED,
						 CACHE_WRITEBACK };

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

/* Every property Stage 2 can say comes back as it went in, and the MMU obeys it. */
TEST(stage2_says_every_property)
{
	struct vm_space space;

	world_space(world, &space);
	for (unsigned int cache = 0; cache < CACHE_POLICY_COUNT; cache++)
		for (unsigned int flags = 0; flags < 16; flags++) {
			uint64_t ia = MIB(2) + (cache * 16 + flags) * PAGE_SIZE;
			struct page_property property =
				page_property((uint8_t)flags, (enum cache_policy)cache);
			struct cursor cursor;
			frame_t frame;

			if (cache == CACHE_DEVICE && (flags & PAGE_EXECUTE) != 0)
				continue;
			frame = world_frame(world);
			open_at(&space, ia, PAGE_SIZE, &cursor);
			EXPECT_OK(cursor_map(&cursor, &frame, property));
			cursor_close(&cursor);
			expect_mapped(&space, ia, item_at(&space, ia).output.value, PAGE_SIZE,
				      property);
		}
	expect_mmu_agrees(world, &space, MIB(2), CACHE_POLICY_COUNT * 16 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_OK(vm_space_destroy(&space));
}

static bool stage1_can_say(struct page_property property)
{
	bool writable = (property.flags & PAGE_WRITE) != 0;
	bool executable = (property.flags & PAGE_EXECUTE) != 0;

	return (property.flags & PAGE_READ) != 0 && !(writable && executable) &&
	       !(executable && property.cache == CACHE_DEVICE);
}

/* EL2's Stage 1 cannot say all; what it cannot say it refuses. */
TEST(stage1_says_what_it_can)
{
	struct vm_space *space = world_el2_space(world);
	uint64_t window = world_el2_window(world).start.value;

	for (unsigned int cache = 0; cache < CACHE_POLICY_COUNT; cache++)
		for (unsigned int flags = 0; flags < 16; flags++) {
			struct page_property property =
				page_property((uint8_t)flags, (enum cache_policy)cache);
			frame_t frame = world_frame(world);
			uint64_t output = frame.paddr.value;
			struct cursor cursor;
			bool possible = stage1_can_say(property);

			open_at(space, window, PAGE_SIZE, &cursor);
			EXPECT_STATUS(cursor_map(&cursor, &frame, property),
				      possible ? MM_OK : MM_NOT_SUPPORTED);
			cursor_close(&cursor);
			if (!possible) {
				frame_drop(&frame);
				expect_hole(space, window);
				continue;
			}
			expect_mapped(space, window, output, PAGE_SIZE, property);
			expect_mmu_agrees(world, space, window, 2 * PAGE_SIZE, PAGE_SIZE);
			EXPECT_EQUAL(unmap_at(space, window, PAGE_SIZE), 1);
		}
}

TEST(map_refuses_what_no_stage_can_say)
{
	static const struct {
		unsigned int flags, cache;
	} cases[] = {
		{ PAGE_READ | PAGE_EXECUTE | PAGE_ACCESSED, CACHE_DEVICE },
		{ PAGE_READ, CACHE_POLICY_COUNT },
		{ PAGE_READ, 255 },
		{ PAGE_READ | 0x10, CACHE_WRITEBACK },
		{ 0xff, CACHE_WRITEBACK },
	};
	struct vm_space space;
	struct segment segment;
	struct cursor cursor;
	frame_t frame = world_frame(world);

	world_space(world, &space);
	EXPECT_OK(segment_alloc(1, PAGE_SIZE, FRAME_UNDEFINED, &segment));
	open_at(&space, 0, PAGE_SIZE, &cursor);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct page_property property = { (uint8_t)cases[i].flags,
						  (uint8_t)cases[i].cache };

		EXPECT_STATUS(cursor_map(&cursor, &frame, property), MM_NOT_SUPPORTED);
		EXPECT_EQUAL(frame_reference_count(&frame), 1);
		EXPECT_STATUS(cursor_map_segment(&cursor, &segment, property), MM_NOT_SUPPORTED);
		EXPECT_EQUAL(segment_size(&segment), PAGE_SIZE);
		EXPECT_STATUS(cursor_map_iomem(&cursor,
					       prange(paddr(NO_MEMORY_BASE),
						      paddr(NO_MEMORY_BASE + PAGE_SIZE)),
					       property),
			      MM_NOT_SUPPORTED);
	}
	cursor_close(&cursor);
	expect_hole(&space, 0);
	frame_drop(&frame);
	segment_drop(&segment);
	EXPECT_OK(vm_space_destroy(&space));
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

TEST(map_iomem_checks_what_it_is_given)
{
	const struct {
		struct prange output;
		enum mm_status status;
	} cases[] = {
		{ { paddr(NO_MEMORY_BASE + 8), paddr(NO_MEMORY_BASE + PAGE_SIZE) },
		  MM_NOT_ALIGNED },
		{ { paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + 8) }, MM_NOT_ALIGNED },
		{ { paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE) }, MM_INVALID_ARGS },
		{ { paddr(NO_MEMORY_BASE + PAGE_SIZE), paddr(NO_MEMORY_BASE) }, MM_INVALID_ARGS },
		{ { paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + 3 * PAGE_SIZE) },
		  MM_OUT_OF_BOUND },
		{ { paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + 2 * PAGE_SIZE) }, MM_OK },
	};
	struct vm_space space;

	world_space(world, &space);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cursor cursor;

		open_at(&space, 0, 2 * PAGE_SIZE, &cursor);
		EXPECT_STATUS(cursor_map_iomem(&cursor, cases[i].output, DEVICE), cases[i].status);
		cursor_close(&cursor);
		EXPECT_EQUAL(item_at(&space, 0).mapped, cases[i].status == MM_OK);
	}
	EXPECT_OK(vm_space_destroy(&space));
}

/* Where the CPU has no physical addresses nothing can be mapped; nor where something is. */
TEST(map_iomem_refuses_addresses_that_do_not_exist)
{
	uint64_t end = UINT64_C(1) << arch_features()->pa_bits;
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	open_at(&space, 0, GIB(1), &cursor);
	EXPECT_STATUS(cursor_map_iomem(&cursor, prange(paddr(end), paddr(end + PAGE_SIZE)), DEVICE),
		      MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_map_iomem(&cursor,
				       prange(paddr(end - PAGE_SIZE), paddr(end + PAGE_SIZE)),
				       DEVICE),
		      MM_OUT_OF_BOUND);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, 0);
	EXPECT_OK(cursor_map_iomem(&cursor, prange(paddr(end - PAGE_SIZE), paddr(end)), DEVICE));
	EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
	EXPECT_STATUS(cursor_map_iomem(&cursor, prange(paddr(end - PAGE_SIZE), paddr(end)), DEVICE),
		      MM_EXISTS);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Memory reaches a guest by counted references alone: free, given out or a table, it is refused. */
TEST(map_iomem_keeps_memory_from_guests)
{
	struct vm_space space;
	frame_t frame = world_frame(world);
	frame_t freed = world_frame(world);
	struct paddr unused = freed.paddr;

	frame_drop(&freed);
	world_space(world, &space);

	const struct paddr pages[] = { frame.paddr, unused, space.root };

	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		struct cursor cursor;

		open_at(&space, 0, 3 * PAGE_SIZE, &cursor);
		EXPECT_STATUS(cursor_map_iomem(&cursor, page_range(pages[i]), DEVICE),
			      MM_ACCESS_DENIED);
		cursor_close(&cursor);
		expect_hole(&space, 0);
	}
	frame_drop(&frame);
	EXPECT_OK(vm_space_destroy(&space));
}

/* EL2 may map any memory without counting it: its own linear map. */
TEST(map_iomem_maps_memory_for_el2)
{
	struct vm_space *space = world_el2_space(world);
	uint64_t window = world_el2_window(world).start.value;
	frame_t frame = world_frame(world);

	map_iomem_at(space, window, frame.paddr.value, PAGE_SIZE, read_write);
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	EXPECT_FALSE(item_at(space, window).counted);
	expect_mapped(space, window, frame.paddr.value, PAGE_SIZE, read_write);
	expect_mmu_agrees(world, space, window, 2 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_EQUAL(unmap_at(space, window, PAGE_SIZE), 1);
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	frame_drop(&frame);
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

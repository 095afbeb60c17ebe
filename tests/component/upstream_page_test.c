/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Edge cases of pages and segments that Asterinas OSTD and its verification, vostd, met in public:
 * each test names the issue it comes from. docs/upstream.md lists them all, with those that other
 * tests hold.
 */
#include "mapping.h"
#include <strata/unique_frame.h>

#define TOP (UINT64_MAX - PAGE_SIZE + 1) /* the last page aligned address */

/* vostd #645, asterinas #3587: start + offset of a slice wraps into the segment. */
TEST(segment_offsets_that_wrap_are_refused)
{
	struct segment segment = world_segment(world, 4, PAGE_SIZE);
	struct paddr start = segment.start;
	const uint64_t offsets[] = { -PAGE_SIZE, PAGE_SIZE - GIB(1), TOP - start.value,
				     UINT64_C(1) << 63 };

	for (size_t i = 0; i < COUNT_OF(offsets); i++) {
		struct segment out = { .start = paddr(1) };
		struct prange wraps =
			prange(paddr(start.value + offsets[i]), paddr(start.value + PAGE_SIZE));
		struct prange ends_before =
			prange(paddr(start.value + PAGE_SIZE), paddr(start.value + offsets[i]));

		EXPECT_STATUS(segment_slice(&segment, wraps, &out), MM_OUT_OF_BOUND);
		EXPECT_STATUS(segment_slice(&segment, ends_before, &out), MM_OUT_OF_BOUND);
		EXPECT_STATUS(segment_split(&segment, offsets[i], &out), MM_OUT_OF_BOUND);
		EXPECT_EQUAL(out.start.value, 1);
	}
	EXPECT_EQUAL(segment_size(&segment), 4 * PAGE_SIZE);
	EXPECT_EQUAL(references_of(start), 1);
	segment_drop(&segment);
}

/* asterinas #3920: a slice a..a held no reference, and its page was repurposed under it. */
TEST(segment_has_no_empty_slice)
{
	frame_t frame = world_frame(world);
	struct segment segment = segment_from_frame(&frame);
	const struct paddr bounds[] = { segment.start, segment.end };
	struct segment out = { .start = paddr(1) };
	unique_frame_t unique;
	frame_t rest;

	for (size_t i = 0; i < COUNT_OF(bounds); i++)
		EXPECT_STATUS(segment_slice(&segment, prange(bounds[i], bounds[i]), &out),
			      MM_OUT_OF_BOUND);
	EXPECT_STATUS(segment_split(&segment, 0, &out), MM_OUT_OF_BOUND);
	EXPECT_STATUS(segment_split(&segment, PAGE_SIZE, &out), MM_OUT_OF_BOUND);
	EXPECT_EQUAL(out.start.value, 1);
	EXPECT_TRUE(segment_next(&segment, &frame));
	EXPECT_FALSE(segment_next(&segment, &rest));
	EXPECT_OK(unique_frame_try_from_shared(&frame, &unique));
	unique_frame_drop(&unique);
}

/* vostd #625: a bit of the table entry that says how a page is counted stayed in the item, and the
 * second trip of it through its raw form failed. In both stages. */
TEST(pages_survive_every_number_of_raw_round_trips)
{
	struct vm_space stage2;

	world_space(world, &stage2);

	struct vm_space *const spaces[] = { &stage2, world_el2_space(world) };

	for (size_t i = 0; i < COUNT_OF(spaces); i++) {
		uint64_t ia = i == 0 ? MIB(2) : world_el2_window(world).start.value;
		frame_t frame = world_frame(world);
		struct paddr page = frame.paddr;

		for (int round = 0; round < 4; round++) {
			struct cursor_item item;
			struct cursor cursor;

			/* What is not counted was there before. */
			map_iomem_at(spaces[i], ia, NO_MEMORY_BASE, PAGE_SIZE, DEVICE);
			EXPECT_FALSE(item_at(spaces[i], ia).counted);
			EXPECT_EQUAL(unmap_at(spaces[i], ia, PAGE_SIZE), 1);

			frame = frame_from_raw(frame_into_raw(&frame));
			EXPECT_EQUAL(frame.paddr.value, page.value);
			EXPECT_EQUAL(frame_reference_count(&frame), 1);
			open_at(spaces[i], ia, PAGE_SIZE, &cursor);
			EXPECT_OK(cursor_map(&cursor, &frame, READ_WRITE));
			EXPECT_OK(cursor_jump(&cursor, iaddr(ia)));
			EXPECT_OK(cursor_query(&cursor, &item, &frame));
			EXPECT_TRUE(item.counted);
			EXPECT_EQUAL(item.output.value, page.value);
			EXPECT_EQUAL(item.property.flags, READ_WRITE.flags);
			EXPECT_OK(cursor_unmap(&cursor, PAGE_SIZE, NULL));
			cursor_close(&cursor);
			EXPECT_EQUAL(frame_reference_count(&frame), 1);
		}
		frame_drop(&frame);
		EXPECT_EQUAL(references_of(page), 0);
	}
	EXPECT_OK(vm_space_destroy(&stage2));
}

/* vostd #410: paths to a page without the name of the space they are in are one path. */
TEST(page_at_one_address_of_two_spaces_is_mapped_twice)
{
	struct vm_space spaces[2];
	frame_t frame = world_frame(world);
	struct paddr page = frame.paddr;
	struct sharing *sharing;

	for (size_t i = 0; i < 2; i++)
		world_space(world, &spaces[i]);
	sharing = share_frame(&frame, &spaces[0], &spaces[1]);
	for (size_t i = 0; i < 2; i++) {
		struct cursor cursor;
		frame_t clone;

		open_at(&spaces[i], GIB(1), PAGE_SIZE, &cursor);
		EXPECT_OK(frame_clone(&frame, &clone));
		EXPECT_OK(cursor_map(&cursor, &clone, READ_WRITE));
		cursor_close(&cursor);
	}
	EXPECT_EQUAL(frame_reference_count(&frame), 3);
	frame_drop(&frame);
	EXPECT_EQUAL(unmap_at(&spaces[0], GIB(1), PAGE_SIZE), 1);
	EXPECT_EQUAL(references_of(page), 1);
	expect_mapped(&spaces[1], GIB(1), page.value, PAGE_SIZE, READ_WRITE);
	expect_mmu_agrees(world, &spaces[1], GIB(1), PAGE_SIZE, PAGE_SIZE);
	expect_mmu_agrees(world, &spaces[0], GIB(1), PAGE_SIZE, PAGE_SIZE);
	EXPECT_OK(vm_space_destroy(&spaces[1]));
	EXPECT_EQUAL(references_of(page), 0);
	EXPECT_OK(vm_space_destroy(&spaces[0]));
	EXPECT_OK(sharing_destroy(sharing));
}

/* asterinas #1387: table pages given back before every CPU had dropped what it cached of them. */
TEST(table_pages_are_held_until_the_flush)
{
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);

	uint64_t tables = world_pages(PAGE_TABLE);

	EXPECT_OK(vm_space_activate(&space));
	for (uint64_t ia = GIB(3); ia < GIB(3) + MIB(6); ia += MIB(2))
		map_frame_at(world, &space, ia, READ_WRITE);

	uint64_t with_tables = world_pages(PAGE_TABLE);

	EXPECT_TRUE(with_tables >= tables + 3);
	open_at(&space, GIB(3), GIB(1), &cursor);
	EXPECT_OK(cursor_unmap(&cursor, GIB(1), NULL));
	EXPECT_EQUAL(world_pages(PAGE_TABLE), with_tables);
	cursor_close(&cursor);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

/* vostd: `usage` of a page that was a table once stays PageTable for ever. */
TEST(page_of_a_freed_table_is_free_memory)
{
	struct vm_space space;
	struct page_state state;
	frame_t frame;

	world_space(world, &space);

	struct paddr root = space.root;

	EXPECT_OK(page_state(root, &state));
	EXPECT_EQUAL(state.usage, PAGE_TABLE);
	EXPECT_STATUS(frame_from_unused(root, &frame), MM_IN_USE);
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_OK(page_state(root, &state));
	EXPECT_EQUAL(state.usage, PAGE_UNUSED);
	EXPECT_OK(frame_from_unused(root, &frame));
	frame_drop(&frame);
}

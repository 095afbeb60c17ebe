/* SPDX-License-Identifier: BSD-3-Clause */
/* Cursors: opening, positions, what they say. */
#include "mapping.h"

TEST(cursor_open_checks_the_range)
{
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);

	uint64_t end = vm_space_range(&space).end.value;
	const struct {
		struct irange range;
		enum mm_status status;
	} cases[] = {
		{ { iaddr(0), iaddr(0) }, MM_INVALID_ARGS },
		{ { iaddr(PAGE_SIZE), iaddr(0) }, MM_INVALID_ARGS },
		{ { iaddr(end), iaddr(end + PAGE_SIZE) }, MM_OUT_OF_BOUND },
		{ { iaddr(0), iaddr(end + PAGE_SIZE) }, MM_OUT_OF_BOUND },
		{ { iaddr(0), iaddr(UINT64_MAX) }, MM_OUT_OF_BOUND },
		{ { iaddr(8), iaddr(PAGE_SIZE) }, MM_NOT_ALIGNED },
		{ { iaddr(0), iaddr(8) }, MM_NOT_ALIGNED },
		/* In the order of the list: empty, then outside, then crooked. */
		{ { iaddr(end + 8), iaddr(8) }, MM_INVALID_ARGS },
		{ { iaddr(8), iaddr(end + 8) }, MM_OUT_OF_BOUND },
		{ { iaddr(0), iaddr(end) }, MM_OK },
		{ { iaddr(end - PAGE_SIZE), iaddr(end) }, MM_OK },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int access = CURSOR_READ_ONLY; access <= CURSOR_MUTABLE; access++) {
			EXPECT_STATUS(cursor_open(&space, cases[i].range, access, &cursor),
				      cases[i].status);
			if (cases[i].status != MM_OK)
				continue;
			EXPECT_EQUAL(cursor_virt_addr(&cursor).value, cases[i].range.start.value);
			cursor_close(&cursor);
		}
	EXPECT_OK(vm_space_destroy(&space));
}

/* What this CPU holds it cannot open again, whether to read or to write; after close it can. */
TEST(cursor_open_refuses_what_this_cpu_holds)
{
	static const struct {
		uint64_t start, size;
	} overlapping[] = {
		{ MIB(4), MIB(2) },
		{ MIB(4), PAGE_SIZE },
		{ MIB(6) - PAGE_SIZE, PAGE_SIZE },
		{ MIB(2), MIB(2) + PAGE_SIZE },
		{ MIB(6) - PAGE_SIZE, MIB(4) },
		{ 0, GIB(2) },
	};
	struct vm_space space;
	struct cursor cursor, second;

	world_space(world, &space);
	map_segment_at(world, &space, MIB(4), 512, PAGE_SIZE, READ_WRITE);
	map_frame_at(world, &space, MIB(8), READ_WRITE);
	open_at(&space, MIB(4), MIB(2), &cursor);
	for (size_t i = 0; i < COUNT_OF(overlapping); i++) {
		struct irange range = span(overlapping[i].start, overlapping[i].size);

		EXPECT_STATUS(cursor_open(&space, range, CURSOR_MUTABLE, &second), MM_BUSY);
		EXPECT_STATUS(cursor_open(&space, range, CURSOR_READ_ONLY, &second), MM_BUSY);
	}
	cursor_close(&cursor);
	for (size_t i = 0; i < COUNT_OF(overlapping); i++) {
		open_at(&space, overlapping[i].start, overlapping[i].size, &second);
		cursor_close(&second);
	}
	EXPECT_OK(vm_space_destroy(&space));
}

/* Disjoint ranges with tables of their own can be open at once. */
TEST(cursors_on_disjoint_ranges_are_open_together)
{
	struct vm_space space;
	struct cursor first, second;
	frame_t frame = world_frame(world);

	world_space(world, &space);
	map_frame_at(world, &space, 0, READ_WRITE);
	map_frame_at(world, &space, MIB(2), READ_WRITE);
	open_at(&space, 0, MIB(2), &first);
	open_at(&space, MIB(2), MIB(2), &second);
	EXPECT_OK(cursor_jump(&first, iaddr(PAGE_SIZE)));
	EXPECT_OK(cursor_map(&first, &frame, READ_ONLY));
	EXPECT_OK(cursor_unmap(&second, MIB(2), NULL));
	cursor_close(&first);
	cursor_close(&second);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Two spaces have nothing to do with each other. */
TEST(cursors_on_two_spaces_are_open_together)
{
	struct vm_space spaces[2];
	struct cursor cursors[2];

	for (size_t i = 0; i < 2; i++) {
		world_space(world, &spaces[i]);
		open_at(&spaces[i], 0, GIB(1), &cursors[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		cursor_close(&cursors[i]);
		EXPECT_OK(vm_space_destroy(&spaces[i]));
	}
}

TEST(cursor_jump_stays_in_the_range)
{
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	open_at(&space, MIB(4), MIB(2), &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(5))));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(5));
	EXPECT_STATUS(cursor_jump(&cursor, iaddr(MIB(4) + 1)), MM_NOT_ALIGNED);
	EXPECT_STATUS(cursor_jump(&cursor, iaddr(MIB(4) - PAGE_SIZE)), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_jump(&cursor, iaddr(MIB(6) + PAGE_SIZE)), MM_OUT_OF_BOUND);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(5));
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(6))));
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(4))));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(4));
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

/* At the end there is nothing to say and nowhere to map. */
TEST(cursor_at_the_end_says_so_and_changes_nothing)
{
	struct vm_space space;
	struct cursor cursor;
	struct cursor_item item;
	frame_t frame = world_frame(world);
	struct segment segment = world_segment(world, 1, PAGE_SIZE);
	frame_t out = { .paddr = paddr(1) };
	uint64_t leaves = 7;

	world_space(world, &space);
	open_at(&space, 0, MIB(2), &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(2))));
	EXPECT_STATUS(cursor_peek(&cursor, &item), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_query(&cursor, &item, &out), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_map(&cursor, &frame, READ_ONLY), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_map_segment(&cursor, &segment, READ_ONLY), MM_OUT_OF_BOUND);
	EXPECT_STATUS(
		cursor_map_iomem(&cursor,
				 prange(paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + PAGE_SIZE)),
				 DEVICE),
		MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_replace(&cursor, &frame, READ_ONLY), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_find_next(&cursor, PAGE_SIZE), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_unmap(&cursor, PAGE_SIZE, &leaves), MM_OUT_OF_BOUND);
	EXPECT_EQUAL(leaves, 7);
	EXPECT_STATUS(cursor_find_next(&cursor, 0), MM_NOT_MAPPED);
	EXPECT_OK(cursor_unmap(&cursor, 0, &leaves));
	EXPECT_EQUAL(leaves, 0);
	EXPECT_EQUAL(out.paddr.value, 1);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(2));
	cursor_close(&cursor);
	frame_drop(&frame);
	segment_drop(&segment);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Who may only read changes nothing; that is said before anything else. */
TEST(read_only_cursor_changes_nothing)
{
	struct page_property property = READ_WRITE;
	struct vm_space space;
	struct cursor cursor;
	frame_t frame = world_frame(world);
	struct segment segment = world_segment(world, 1, PAGE_SIZE);

	world_space(world, &space);
	map_frame_at(world, &space, 0, READ_ONLY);
	EXPECT_OK(cursor_open(&space, span(0, MIB(2)), CURSOR_READ_ONLY, &cursor));
	EXPECT_STATUS(cursor_map(&cursor, &frame, READ_ONLY), MM_ACCESS_DENIED);
	EXPECT_STATUS(cursor_map_segment(&cursor, &segment, READ_ONLY), MM_ACCESS_DENIED);
	EXPECT_STATUS(
		cursor_map_iomem(&cursor,
				 prange(paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + PAGE_SIZE)),
				 DEVICE),
		MM_ACCESS_DENIED);
	EXPECT_STATUS(cursor_replace(&cursor, &frame, READ_ONLY), MM_ACCESS_DENIED);
	EXPECT_STATUS(cursor_unmap(&cursor, 1, NULL), MM_ACCESS_DENIED);
	EXPECT_STATUS(cursor_protect_next(&cursor, 1, become, &property, NULL), MM_ACCESS_DENIED);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, 0);
	EXPECT_OK(cursor_find_next(&cursor, MIB(2)));
	cursor_close(&cursor);
	expect_mapped(&space, 0, item_at(&space, 0).output.value, PAGE_SIZE, READ_ONLY);
	frame_drop(&frame);
	segment_drop(&segment);
	EXPECT_OK(vm_space_destroy(&space));
}

/* A query takes a reference to the page at the position, also in the middle of a block; a peek none. */
TEST(cursor_query_takes_a_reference)
{
	struct vm_space space;
	struct cursor cursor;
	struct cursor_item item;
	frame_t frame;

	world_space(world, &space);

	struct paddr block = map_segment_at(world, &space, MIB(2), 512, MIB(2), READ_WRITE);
	struct paddr third = paddr(block.value + 3 * PAGE_SIZE);

	open_at(&space, MIB(2), MIB(2), &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(2) + 3 * PAGE_SIZE)));
	EXPECT_OK(cursor_query(&cursor, &item, &frame));
	EXPECT_TRUE(item.mapped);
	EXPECT_TRUE(item.counted);
	EXPECT_EQUAL(item.range.start.value, MIB(2));
	EXPECT_EQUAL(item.range.end.value, MIB(4));
	EXPECT_EQUAL(item.output.value, block.value);
	EXPECT_EQUAL(frame.paddr.value, third.value);
	EXPECT_EQUAL(references_of(third), 2);
	EXPECT_EQUAL(references_of(block), 1);
	EXPECT_OK(cursor_peek(&cursor, &item));
	EXPECT_OK(cursor_query(&cursor, &item, NULL));
	EXPECT_EQUAL(references_of(third), 2);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(2) + 3 * PAGE_SIZE);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	frame_drop(&frame);
}

/* Where nothing is mapped, and where what is mapped is not counted, no handle is made. */
TEST(cursor_query_of_a_hole_and_of_a_device)
{
	struct vm_space space;
	struct cursor cursor;
	struct cursor_item item;
	frame_t frame = { .paddr = paddr(1) };

	world_space(world, &space);
	map_iomem_at(&space, MIB(4), NO_MEMORY_BASE, PAGE_SIZE, DEVICE);
	open_at(&space, 0, MIB(8), &cursor);
	EXPECT_OK(cursor_query(&cursor, &item, &frame));
	EXPECT_FALSE(item.mapped);
	EXPECT_EQUAL(item.range.start.value, 0);
	EXPECT_TRUE(irange_size(item.range) >= MIB(2));
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(4))));
	EXPECT_OK(cursor_query(&cursor, &item, &frame));
	EXPECT_TRUE(item.mapped);
	EXPECT_FALSE(item.counted);
	EXPECT_EQUAL(item.output.value, NO_MEMORY_BASE);
	EXPECT_EQUAL(item.property.cache, CACHE_DEVICE);
	EXPECT_EQUAL(frame.paddr.value, 1);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

/* From every place: to the next mapping, or by the length if there is none before that. */
TEST(cursor_find_next_finds_the_first)
{
	static const uint64_t mapped[] = { 0, MIB(2), MIB(6) - PAGE_SIZE, GIB(1), GIB(3) + MIB(2) };
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	for (size_t i = 0; i < COUNT_OF(mapped); i++)
		map_frame_at(world, &space, mapped[i], READ_ONLY);
	open_at(&space, 0, GIB(4), &cursor);
	for (size_t i = 0; i < COUNT_OF(mapped); i++) {
		uint64_t start = i == 0 ? 0 : mapped[i - 1] + PAGE_SIZE;

		EXPECT_OK(cursor_jump(&cursor, iaddr(start)));
		if (mapped[i] > start) {
			/* Just not far enough. */
			EXPECT_STATUS(cursor_find_next(&cursor, mapped[i] - start), MM_NOT_MAPPED);
			EXPECT_EQUAL(cursor_virt_addr(&cursor).value, mapped[i]);
			EXPECT_OK(cursor_jump(&cursor, iaddr(start)));
		}
		EXPECT_OK(cursor_find_next(&cursor, GIB(4) - start));
		EXPECT_EQUAL(cursor_virt_addr(&cursor).value, mapped[i]);
		EXPECT_OK(cursor_find_next(&cursor, PAGE_SIZE));
		EXPECT_EQUAL(cursor_virt_addr(&cursor).value, mapped[i]);
	}
	EXPECT_OK(cursor_jump(&cursor, iaddr(GIB(3) + MIB(4))));
	EXPECT_STATUS(cursor_find_next(&cursor, GIB(1) - MIB(4)), MM_NOT_MAPPED);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, GIB(4));
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Inside a block the position itself is mapped: it stays. */
TEST(cursor_find_next_inside_a_block_stays)
{
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	map_iomem_at(&space, GIB(1), NO_MEMORY_BASE, GIB(1), DEVICE);
	open_at(&space, GIB(1) + MIB(5), MIB(1), &cursor);
	EXPECT_OK(cursor_find_next(&cursor, MIB(1)));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, GIB(1) + MIB(5));
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

/* A length is aligned and no longer than what is left; nothing is added that could wrap. */
TEST(cursor_lengths_are_checked)
{
	static const struct {
		uint64_t length;
		enum mm_status status;
	} cases[] = {
		{ 1, MM_NOT_ALIGNED },
		{ PAGE_SIZE + 8, MM_NOT_ALIGNED },
		{ UINT64_MAX, MM_NOT_ALIGNED },
		{ MIB(1) + PAGE_SIZE, MM_OUT_OF_BOUND },
		{ UINT64_C(1) << 63, MM_OUT_OF_BOUND },
		{ UINT64_MAX - PAGE_SIZE + 1, MM_OUT_OF_BOUND },
	};
	struct page_property property = READ_ONLY;
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	map_frame_at(world, &space, MIB(1), READ_WRITE);
	open_at(&space, 0, MIB(2), &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(1))));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t leaves = 7;
		struct irange changed = { iaddr(7), iaddr(7) };

		EXPECT_STATUS(cursor_find_next(&cursor, cases[i].length), cases[i].status);
		EXPECT_STATUS(cursor_unmap(&cursor, cases[i].length, &leaves), cases[i].status);
		EXPECT_STATUS(
			cursor_protect_next(&cursor, cases[i].length, become, &property, &changed),
			cases[i].status);
		EXPECT_STATUS(cursor_protect(&cursor, cases[i].length, become, &property, &leaves),
			      cases[i].status);
		EXPECT_EQUAL(leaves, 7);
		EXPECT_EQUAL(changed.start.value, 7);
		EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(1));
	}
	cursor_close(&cursor);
	EXPECT_EQUAL(item_at(&space, MIB(1)).property.flags, READ_WRITE.flags);
	EXPECT_OK(vm_space_destroy(&space));
}

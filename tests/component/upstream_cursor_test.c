/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Edge cases of cursors that Asterinas OSTD and its verification, vostd, met in public: each test
 * names the issue it comes from. docs/upstream.md lists them all, with those that other tests hold.
 */
#include "mapping.h"

#define TOP (UINT64_MAX - PAGE_SIZE + 1) /* the last page aligned address */

/* Nothing more can be done where @cursor is: at its end. */
static void expect_at_end(struct world *world, struct cursor *cursor, uint64_t end)
{
	struct page_property property = READ_ONLY;
	struct cursor_item item;
	frame_t frame = world_frame(world);

	EXPECT_EQUAL(cursor_virt_addr(cursor).value, end);
	EXPECT_STATUS(cursor_peek(cursor, &item), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_map(cursor, &frame, READ_ONLY), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_find_next(cursor, PAGE_SIZE), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_unmap(cursor, PAGE_SIZE, NULL), MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_protect_next(cursor, PAGE_SIZE, become, &property, NULL),
		      MM_OUT_OF_BOUND);
	EXPECT_EQUAL(cursor_virt_addr(cursor).value, end);
	frame_drop(&frame);
}

/* vostd #603, asterinas #3610, #1285: `end - 1` of 0..0 and of reversed ranges. */
TEST(cursor_open_refuses_empty_and_reversed_ranges)
{
	static const struct {
		uint64_t start, end;
	} cases[] = {
		{ 0, 0 },
		{ PAGE_SIZE, PAGE_SIZE },
		{ PAGE_SIZE, 0 },
		{ MIB(2), MIB(1) },
		{ TOP, 0 },
		{ TOP, TOP },
		{ TOP, PAGE_SIZE },
		{ UINT64_MAX, 0 },
		{ UINT64_MAX, UINT64_MAX },
	};
	struct vm_space *stage1 = world_el2_space(world);
	struct vm_space stage2;
	struct cursor cursor;

	world_space(world, &stage2);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int access = CURSOR_READ_ONLY; access <= CURSOR_MUTABLE; access++) {
			struct irange range = irange(iaddr(cases[i].start), iaddr(cases[i].end));

			EXPECT_STATUS(cursor_open(&stage2, range, access, &cursor),
				      MM_INVALID_ARGS);
			EXPECT_STATUS(cursor_open(stage1, range, access, &cursor), MM_INVALID_ARGS);
		}
	EXPECT_OK(vm_space_destroy(&stage2));
}

/* asterinas #3159 (unmap), vostd #645 (find_next): position + length wraps, to 0 or back into the
 * range. */
TEST(cursor_lengths_that_wrap_are_refused)
{
	struct page_property property = READ_ONLY;
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	map_frame_at(world, &space, MIB(1), READ_WRITE);
	open_at(&space, 0, MIB(2), &cursor);
	for (uint64_t position = PAGE_SIZE; position <= MIB(2); position += KIB(508)) {
		/* The sum is 0, the start, the position before, the page that is mapped. */
		const uint64_t lengths[] = { -position, PAGE_SIZE - position, -PAGE_SIZE,
					     MIB(1) - position };

		EXPECT_OK(cursor_jump(&cursor, iaddr(position)));
		for (size_t i = 0; i < COUNT_OF(lengths); i++) {
			uint64_t leaves = 7;

			if (lengths[i] <= MIB(2) - position)
				continue;
			EXPECT_STATUS(cursor_unmap(&cursor, lengths[i], &leaves), MM_OUT_OF_BOUND);
			EXPECT_STATUS(cursor_find_next(&cursor, lengths[i]), MM_OUT_OF_BOUND);
			EXPECT_STATUS(
				cursor_protect_next(&cursor, lengths[i], become, &property, NULL),
				MM_OUT_OF_BOUND);
			EXPECT_EQUAL(leaves, 7);
			EXPECT_EQUAL(cursor_virt_addr(&cursor).value, position);
		}
	}
	cursor_close(&cursor);
	EXPECT_EQUAL(item_at(&space, MIB(1)).property.flags, READ_WRITE.flags);
	EXPECT_OK(vm_space_destroy(&space));
}

/* vostd #645, asterinas #3166: a jump that panicked. Wherever it is asked to go, it answers. */
TEST(cursor_jump_answers_for_every_address)
{
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);

	uint64_t end = vm_space_range(&space).end.value;
	const struct {
		uint64_t address;
		enum mm_status status;
	} cases[] = {
		{ 0, MM_OUT_OF_BOUND },
		{ end - MIB(2) - PAGE_SIZE, MM_OUT_OF_BOUND },
		{ end + PAGE_SIZE, MM_OUT_OF_BOUND },
		{ end + MIB(2), MM_OUT_OF_BOUND },
		{ UINT64_C(1) << 48, MM_OUT_OF_BOUND },
		{ (UINT64_C(1) << 48) + end - MIB(2), MM_OUT_OF_BOUND },
		{ UINT64_C(1) << 63, MM_OUT_OF_BOUND },
		{ TOP, MM_OUT_OF_BOUND },
		{ end - 1, MM_NOT_ALIGNED },
		{ end - MIB(2) + 8, MM_NOT_ALIGNED },
		{ UINT64_MAX, MM_NOT_ALIGNED },
	};

	/* The last range of the space. */
	open_at(&space, end - MIB(2), MIB(2), &cursor);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		EXPECT_STATUS(cursor_jump(&cursor, iaddr(cases[i].address)), cases[i].status);
		EXPECT_EQUAL(cursor_virt_addr(&cursor).value, end - MIB(2));
	}
	EXPECT_OK(cursor_jump(&cursor, iaddr(end)));
	expect_at_end(world, &cursor, end);
	EXPECT_OK(cursor_jump(&cursor, iaddr(end - PAGE_SIZE)));
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

/* asterinas #3617: a search that found nothing left the position after the end, and what was done
 * then was done outside the range. The hole reaches further than the range, and so does the next leaf. */
TEST(cursor_that_found_nothing_stays_in_its_range)
{
	static const uint64_t starts[] = { 0, PAGE_SIZE, MIB(1), MIB(2) - PAGE_SIZE };
	struct page_property property = READ_ONLY;
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	for (int neighbour = 0; neighbour < 3; neighbour++) {
		if (neighbour == 1)
			map_iomem_at(&space, MIB(2), NO_MEMORY_BASE, MIB(2), DEVICE);
		if (neighbour == 2) {
			EXPECT_EQUAL(unmap_at(&space, MIB(2), MIB(2)), 1);
			map_frame_at(world, &space, MIB(2), READ_WRITE);
		}
		open_at(&space, 0, MIB(2), &cursor);
		for (size_t i = 0; i < COUNT_OF(starts); i++) {
			uint64_t left = MIB(2) - starts[i];

			EXPECT_OK(cursor_jump(&cursor, iaddr(starts[i])));
			EXPECT_STATUS(cursor_find_next(&cursor, left), MM_NOT_MAPPED);
			expect_at_end(world, &cursor, MIB(2));
			EXPECT_OK(cursor_jump(&cursor, iaddr(starts[i])));
			EXPECT_STATUS(cursor_protect_next(&cursor, left, become, &property, NULL),
				      MM_NOT_MAPPED);
			expect_at_end(world, &cursor, MIB(2));
		}
		cursor_close(&cursor);
		EXPECT_EQUAL(item_at(&space, MIB(2)).mapped, neighbour != 0);
		if (neighbour != 0)
			EXPECT_EQUAL(item_at(&space, MIB(2)).property.flags, READ_WRITE.flags);
	}
	EXPECT_OK(vm_space_destroy(&space));
}

/* asterinas #2709: pages moved again and again by a cursor that ran to its end, which is the end of a
 * table too, and jumped back. */
TEST(cursor_at_the_end_of_a_table_jumps_back)
{
	static const uint64_t ends[] = { MIB(2), GIB(1), GIB(4), GIB(512) };
	struct vm_space space;

	world_space(world, &space);
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		uint64_t start = ends[i] - 8 * PAGE_SIZE;
		frame_t frame = world_frame(world);
		struct paddr page = frame.paddr;
		struct cursor cursor;

		open_at(&space, start, 8 * PAGE_SIZE, &cursor);
		for (uint64_t ia = ends[i] - PAGE_SIZE; ia >= start; ia -= PAGE_SIZE) {
			struct cursor_item item;

			EXPECT_OK(cursor_jump(&cursor, iaddr(ia)));
			EXPECT_OK(cursor_map(&cursor, &frame, READ_WRITE));
			EXPECT_EQUAL(cursor_virt_addr(&cursor).value, ia + PAGE_SIZE);
			EXPECT_OK(cursor_jump(&cursor, iaddr(ends[i])));
			EXPECT_OK(cursor_jump(&cursor, iaddr(start)));
			EXPECT_OK(cursor_find_next(&cursor, 8 * PAGE_SIZE));
			EXPECT_EQUAL(cursor_virt_addr(&cursor).value, ia);
			EXPECT_OK(cursor_query(&cursor, &item, &frame));
			EXPECT_EQUAL(item.output.value, page.value);
			EXPECT_OK(cursor_unmap(&cursor, ends[i] - ia, NULL));
			expect_at_end(world, &cursor, ends[i]);
		}
		cursor_close(&cursor);
		EXPECT_EQUAL(frame_reference_count(&frame), 1);
		frame_drop(&frame);
	}
	EXPECT_OK(vm_space_destroy(&space));
}

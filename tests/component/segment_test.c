/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments: one counted reference to each page of a contiguous range. */
#include "harness.h"
#include <strata/segment.h>

#define MIB UINT64_C(0x100000)

static void expect_each_page(struct prange range, enum page_usage usage, uint32_t references)
{
	for (struct paddr page = range.start; page.value < range.end.value;
	     page.value += PAGE_SIZE) {
		struct page_state state;

		EXPECT_OK(page_state(page, &state));
		EXPECT_EQUAL(state.usage, usage);
		EXPECT_EQUAL(state.references, references);
	}
}

static struct prange range_of(const struct segment *segment)
{
	return prange(segment->start, segment->end);
}

/* @pages pages from page number @first of @segment. */
static struct prange part_of(const struct segment *segment, uint64_t first, uint64_t pages)
{
	uint64_t start = segment->start.value + first * PAGE_SIZE;

	return prange(paddr(start), paddr(start + pages * PAGE_SIZE));
}

/* A range of @pages free pages. */
static struct prange free_range(struct world *world, uint64_t pages)
{
	struct segment segment = world_segment(world, pages, PAGE_SIZE);

	segment_drop(&segment);
	return range_of(&segment);
}

TEST(segment_alloc_keeps_count_and_alignment)
{
	static const struct {
		uint64_t pages, alignment;
	} cases[] = {
		{ 1, PAGE_SIZE },  { 2, PAGE_SIZE },	 { 3, PAGE_SIZE },   { 1, 16 * PAGE_SIZE },
		{ 5, 2 * MIB },	   { 512, 2 * MIB },	 { 513, 2 * MIB },   { 1000, PAGE_SIZE },
		{ 2048, 8 * MIB }, { 7, 4 * PAGE_SIZE }, { 512, PAGE_SIZE },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct segment segment = world_segment(world, cases[i].pages, cases[i].alignment);

		EXPECT_EQUAL(segment_size(&segment), cases[i].pages * PAGE_SIZE);
		EXPECT_EQUAL(segment.start.value % cases[i].alignment, 0);
		expect_each_page(range_of(&segment), PAGE_FRAME, 1);
		segment_drop(&segment);
		expect_each_page(range_of(&segment), PAGE_UNUSED, 0);
	}
}

TEST(segment_alloc_zeroes)
{
	for (int round = 0; round < 2; round++) {
		struct segment segment = world_segment(world, 3, PAGE_SIZE);

		for (uint64_t at = segment.start.value; at < segment.end.value; at += 8) {
			EXPECT_EQUAL(world_read(paddr(at)), 0);
			world_write(paddr(at), ~at);
		}
		segment_drop(&segment);
	}
}

TEST(segment_alloc_refuses_nonsense)
{
	struct segment segment = { .start = paddr(1), .end = paddr(2) };

	EXPECT_STATUS(segment_alloc(0, PAGE_SIZE, FRAME_UNDEFINED, &segment), MM_INVALID_ARGS);
	EXPECT_STATUS(segment_alloc(1, 0, FRAME_UNDEFINED, &segment), MM_INVALID_ARGS);
	EXPECT_STATUS(segment_alloc(1, PAGE_SIZE / 2, FRAME_UNDEFINED, &segment), MM_INVALID_ARGS);
	EXPECT_STATUS(segment_alloc(1, 3 * PAGE_SIZE, FRAME_UNDEFINED, &segment), MM_INVALID_ARGS);
	EXPECT_EQUAL(segment.start.value, 1);
}

/* More than there can be, up to numbers whose size in bytes does not fit. */
TEST(segment_alloc_refuses_what_does_not_exist)
{
	static const struct {
		uint64_t pages, alignment;
	} cases[] = {
		{ UINT64_C(1) << 34, PAGE_SIZE }, { UINT64_C(1) << 52, PAGE_SIZE },
		{ UINT64_MAX, PAGE_SIZE },	  { 1, UINT64_C(1) << 46 },
		{ 1, UINT64_C(1) << 63 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct segment segment = { .start = paddr(1), .end = paddr(2) };

		EXPECT_STATUS(
			segment_alloc(cases[i].pages, cases[i].alignment, FRAME_ZEROED, &segment),
			MM_NO_MEMORY);
		EXPECT_EQUAL(segment.start.value, 1);
	}
}

TEST(segment_from_unused_takes_the_range_asked_for)
{
	struct prange range = free_range(world, 20);
	struct segment segment;

	EXPECT_OK(segment_from_unused(range, &segment));
	EXPECT_EQUAL(segment.start.value, range.start.value);
	EXPECT_EQUAL(segment.end.value, range.end.value);
	expect_each_page(range, PAGE_FRAME, 1);
	segment_drop(&segment);
}

TEST(segment_from_range_refuses_bad_ranges)
{
	struct prange good = free_range(world, 4);
	struct paddr crooked = paddr(good.start.value + 8);
	struct paddr above = paddr(UINT64_C(1) << 47);
	const struct {
		struct prange range;
		enum mm_status status;
	} cases[] = {
		{ { crooked, good.end }, MM_NOT_ALIGNED },
		{ { good.start, crooked }, MM_NOT_ALIGNED },
		{ { good.start, good.start }, MM_INVALID_ARGS },
		{ { good.end, good.start }, MM_INVALID_ARGS },
		{ { above, paddr(above.value + PAGE_SIZE) }, MM_OUT_OF_BOUND },
		{ { paddr(0), paddr(UINT64_MAX - PAGE_SIZE + 1) }, MM_OUT_OF_BOUND },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct segment segment = { .start = paddr(1), .end = paddr(2) };

		EXPECT_STATUS(segment_from_unused(cases[i].range, &segment), cases[i].status);
		EXPECT_STATUS(segment_from_reserved(cases[i].range, &segment), cases[i].status);
		EXPECT_EQUAL(segment.start.value, 1);
	}
}

/* One page that is taken, wherever it lies: none of the others is. */
TEST(segment_from_unused_is_all_or_nothing)
{
	for (uint64_t taken = 0; taken < 8; taken++) {
		struct prange range = free_range(world, 8);
		struct segment segment;
		frame_t frame;

		EXPECT_OK(frame_from_unused(paddr(range.start.value + taken * PAGE_SIZE), &frame));
		EXPECT_STATUS(segment_from_unused(range, &segment), MM_IN_USE);
		expect_each_page(prange(range.start, frame.paddr), PAGE_UNUSED, 0);
		expect_each_page(prange(paddr(frame.paddr.value + PAGE_SIZE), range.end),
				 PAGE_UNUSED, 0);
		frame_drop(&frame);
		EXPECT_OK(segment_from_unused(range, &segment));
		segment_drop(&segment);
	}
}

TEST(segment_from_reserved_refuses_other_pages)
{
	struct prange range = free_range(world, 2);
	struct segment segment;
	struct segment frames;

	EXPECT_STATUS(segment_from_reserved(range, &segment), MM_ACCESS_DENIED);
	EXPECT_OK(segment_from_unused(range, &frames));
	EXPECT_STATUS(segment_from_reserved(range, &segment), MM_ACCESS_DENIED);
	segment_drop(&frames);
}

/* A clone keeps every page alive after the original is gone, and the last drop frees them. */
TEST(segment_clone_outlives_original)
{
	struct segment original = world_segment(world, 4, PAGE_SIZE);
	struct segment clone;

	EXPECT_OK(segment_clone(&original, &clone));
	expect_each_page(range_of(&original), PAGE_FRAME, 2);
	segment_drop(&original);
	expect_each_page(range_of(&clone), PAGE_FRAME, 1);
	segment_drop(&clone);
	expect_each_page(range_of(&clone), PAGE_UNUSED, 0);
}

/* Slices may overlap, and are dropped in any order. */
TEST(segment_slices_overlap)
{
	for (unsigned int order = 0; order < 6; order++) {
		static const unsigned int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
							   { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
		struct segment segments[3];

		segments[0] = world_segment(world, 6, PAGE_SIZE);
		struct prange all = range_of(&segments[0]);

		EXPECT_OK(segment_slice(&segments[0], part_of(&segments[0], 0, 4), &segments[1]));
		EXPECT_OK(segment_slice(&segments[0], part_of(&segments[0], 2, 4), &segments[2]));
		expect_each_page(part_of(&segments[0], 0, 2), PAGE_FRAME, 2);
		expect_each_page(part_of(&segments[0], 2, 2), PAGE_FRAME, 3);
		expect_each_page(part_of(&segments[0], 4, 2), PAGE_FRAME, 2);
		for (unsigned int i = 0; i < 3; i++)
			segment_drop(&segments[orders[order][i]]);
		expect_each_page(all, PAGE_UNUSED, 0);
	}
}

TEST(segment_slice_refuses_what_is_not_inside)
{
	struct segment segment = world_segment(world, 4, PAGE_SIZE);
	struct segment out = { .start = paddr(1), .end = paddr(2) };
	const struct {
		struct prange sub;
		enum mm_status status;
	} cases[] = {
		{ { paddr(segment.start.value + 8), segment.end }, MM_NOT_ALIGNED },
		{ { segment.start, paddr(segment.end.value - 8) }, MM_NOT_ALIGNED },
		{ { segment.start, segment.start }, MM_OUT_OF_BOUND },
		{ { segment.end, segment.start }, MM_OUT_OF_BOUND },
		{ part_of(&segment, 1, 4), MM_OUT_OF_BOUND },
		{ { paddr(segment.start.value - PAGE_SIZE), segment.end }, MM_OUT_OF_BOUND },
		{ { segment.end, paddr(segment.end.value + PAGE_SIZE) }, MM_OUT_OF_BOUND },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		EXPECT_STATUS(segment_slice(&segment, cases[i].sub, &out), cases[i].status);
		EXPECT_EQUAL(out.start.value, 1);
	}
	expect_each_page(range_of(&segment), PAGE_FRAME, 1);
	segment_drop(&segment);
}

TEST(segment_split_changes_no_count)
{
	struct segment segment = world_segment(world, 5, PAGE_SIZE);
	struct prange all = range_of(&segment);
	struct segment rest;

	EXPECT_OK(segment_split(&segment, 2 * PAGE_SIZE, &rest));
	EXPECT_EQUAL(segment_size(&segment), 2 * PAGE_SIZE);
	EXPECT_EQUAL(segment_size(&rest), 3 * PAGE_SIZE);
	EXPECT_EQUAL(segment.end.value, rest.start.value);
	expect_each_page(all, PAGE_FRAME, 1);
	segment_drop(&segment);
	expect_each_page(range_of(&rest), PAGE_FRAME, 1);
	segment_drop(&rest);
	expect_each_page(all, PAGE_UNUSED, 0);
}

TEST(segment_split_refuses_what_is_not_strictly_inside)
{
	struct segment segment = world_segment(world, 2, PAGE_SIZE);
	struct segment rest = { .start = paddr(1), .end = paddr(2) };

	EXPECT_STATUS(segment_split(&segment, 8, &rest), MM_NOT_ALIGNED);
	EXPECT_STATUS(segment_split(&segment, 0, &rest), MM_OUT_OF_BOUND);
	EXPECT_STATUS(segment_split(&segment, 2 * PAGE_SIZE, &rest), MM_OUT_OF_BOUND);
	EXPECT_STATUS(segment_split(&segment, UINT64_MAX - PAGE_SIZE + 1, &rest), MM_OUT_OF_BOUND);
	EXPECT_EQUAL(rest.start.value, 1);
	EXPECT_EQUAL(segment_size(&segment), 2 * PAGE_SIZE);
	segment_drop(&segment);
}

TEST(segment_next_moves_pages_out)
{
	struct segment segment = world_segment(world, 3, PAGE_SIZE);
	struct paddr expected = segment.start;
	unsigned int pages = 0;
	frame_t frame;

	while (segment_next(&segment, &frame)) {
		EXPECT_EQUAL(frame.paddr.value, expected.value);
		EXPECT_EQUAL(frame_reference_count(&frame), 1);
		frame_drop(&frame);
		expected.value += PAGE_SIZE;
		pages++;
	}
	EXPECT_EQUAL(pages, 3);
	EXPECT_FALSE(segment_next(&segment, &frame));
}

TEST(segment_raw_form_keeps_the_references)
{
	struct segment segment = world_segment(world, 2, PAGE_SIZE);
	struct prange range = segment_into_raw(&segment);

	expect_each_page(range, PAGE_FRAME, 1);
	segment = segment_from_raw(range);
	EXPECT_EQUAL(segment_size(&segment), 2 * PAGE_SIZE);
	segment_drop(&segment);
	expect_each_page(range, PAGE_UNUSED, 0);
}

TEST(segment_from_frame_is_the_same_reference)
{
	frame_t frame = world_frame(world);
	struct segment segment = segment_from_frame(&frame);

	EXPECT_EQUAL(segment.start.value, frame.paddr.value);
	EXPECT_EQUAL(segment_size(&segment), PAGE_SIZE);
	expect_each_page(range_of(&segment), PAGE_FRAME, 1);
	segment_drop(&segment);
}

/* A frame of a segment's page is one more reference: the page stays when the segment goes. */
TEST(segment_pages_can_be_held_alone)
{
	struct segment segment = world_segment(world, 3, PAGE_SIZE);
	struct prange all = range_of(&segment);
	frame_t middle;

	EXPECT_OK(frame_from_in_use(paddr(all.start.value + PAGE_SIZE), &middle));
	segment_drop(&segment);
	expect_each_page(prange(all.start, middle.paddr), PAGE_UNUSED, 0);
	expect_each_page(page_range(middle.paddr), PAGE_FRAME, 1);
	frame_drop(&middle);
	expect_each_page(all, PAGE_UNUSED, 0);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Areas of EL2's own addresses: what they map, and what lies around them. */
#include "areas.h"
#include <strata/fault.h>

#define FRAMES 5

static struct paddr map_new_frame(struct world *world, struct kvirt_area *area, uint64_t offset)
{
	frame_t frame = world_frame(world);
	struct paddr page = frame.paddr;

	EXPECT_OK(kvirt_area_map_frames(area, offset, &frame, 1, READ_WRITE));
	return page;
}

static uint64_t start_of(const struct kvirt_area *area)
{
	return kvirt_area_range(area).start.value;
}

TEST(kvirt_area_lies_between_guard_pages)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct kvirt_area *areas[3];
	struct paddr pages[3][2];

	for (size_t i = 0; i < 3; i++) {
		areas[i] = make_area(kvirt, 2);
		EXPECT_TRUE(irange_contains(KVIRT_RANGE, kvirt_area_range(areas[i])));
		expect_faults(world, start_of(areas[i]));
		for (size_t page = 0; page < 2; page++)
			pages[i][page] = map_new_frame(world, areas[i], page * PAGE_SIZE);
	}
	/* They lie side by side, and still nobody runs from one into the next. */
	EXPECT_EQUAL(start_of(areas[1]) - start_of(areas[0]), 4 * PAGE_SIZE);
	for (size_t i = 0; i < 3; i++) {
		uint64_t start = start_of(areas[i]);

		expect_reaches(world, start, pages[i][0]);
		expect_reaches(world, start + 2 * PAGE_SIZE - 8,
			       paddr(pages[i][1].value + PAGE_SIZE - 8));
		expect_faults(world, start - 8);
		expect_faults(world, start - PAGE_SIZE);
		expect_faults(world, start + 2 * PAGE_SIZE);
		expect_faults(world, start + 3 * PAGE_SIZE - 8);
	}
	for (size_t i = 0; i < 3; i++)
		EXPECT_OK(kvirt_area_drop(areas[i]));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

TEST(kvirt_area_maps_frames_that_are_no_neighbours)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct kvirt_area *area = make_area(kvirt, FRAMES + 1);
	struct paddr pages[FRAMES];
	struct cursor_item item;
	frame_t frames[FRAMES], clone;
	uint64_t leaves = 0;

	for (size_t i = 0; i < FRAMES; i++) {
		frames[FRAMES - 1 - i] = world_frame(world);
		pages[FRAMES - 1 - i] = frames[FRAMES - 1 - i].paddr;
	}
	EXPECT_OK(kvirt_area_map_frames(area, PAGE_SIZE, frames, FRAMES, READ_WRITE));
	for (size_t i = 0; i < FRAMES; i++) {
		expect_reaches(world, start_of(area) + (i + 1) * PAGE_SIZE, pages[i]);
		EXPECT_EQUAL(references_of(pages[i]), 1);
	}
	expect_faults(world, start_of(area));

	EXPECT_OK(kvirt_area_query(area, 3 * PAGE_SIZE, &item, &clone));
	EXPECT_TRUE(item.mapped && item.counted);
	EXPECT_EQUAL(clone.paddr.value, pages[2].value);
	EXPECT_EQUAL(references_of(pages[2]), 2);
	EXPECT_OK(kvirt_area_query(area, 0, &item, NULL));
	EXPECT_FALSE(item.mapped);

	EXPECT_OK(kvirt_area_unmap(area, 2 * PAGE_SIZE, 2 * PAGE_SIZE, &leaves));
	EXPECT_EQUAL(leaves, 2);
	EXPECT_EQUAL(references_of(pages[1]), 0);
	EXPECT_EQUAL(references_of(pages[2]), 1);
	expect_faults(world, start_of(area) + 2 * PAGE_SIZE);
	expect_faults(world, start_of(area) + 3 * PAGE_SIZE);
	expect_reaches(world, start_of(area) + 4 * PAGE_SIZE, pages[3]);
	frame_drop(&clone);

	EXPECT_OK(kvirt_area_drop(area));
	for (size_t i = 0; i < FRAMES; i++)
		EXPECT_EQUAL(references_of(pages[i]), 0);
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

TEST(kvirt_area_maps_a_segment_in_blocks)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct kvirt_area *area = make_area(kvirt, 1024);
	uint64_t offset = -start_of(area) & (MIB(2) - 1);
	struct segment segment = world_segment(world, 513, MIB(2));
	struct paddr start = segment.start;

	EXPECT_OK(kvirt_area_map_segment(area, offset, &segment, READ_WRITE));
	expect_mapped(world_el2_space(world), start_of(area) + offset, start.value, MIB(2),
		      READ_WRITE);
	expect_reaches(world, start_of(area) + offset + MIB(2) + 8,
		       paddr(start.value + MIB(2) + 8));

	/* Part of a block: what is left stays where it is. */
	EXPECT_OK(kvirt_area_unmap(area, offset + PAGE_SIZE, PAGE_SIZE, NULL));
	expect_faults(world, start_of(area) + offset + PAGE_SIZE);
	expect_reaches(world, start_of(area) + offset + 2 * PAGE_SIZE,
		       paddr(start.value + 2 * PAGE_SIZE));
	EXPECT_EQUAL(references_of(paddr(start.value + PAGE_SIZE)), 0);
	EXPECT_EQUAL(references_of(start), 1);

	EXPECT_OK(kvirt_area_drop(area));
	EXPECT_EQUAL(references_of(start), 0);
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

TEST(kvirt_area_does_not_count_what_is_untracked)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct kvirt_area *area = make_area(kvirt, 3);
	struct segment segment = world_segment(world, 2, PAGE_SIZE);
	struct cursor_item item;
	frame_t none = { .paddr = paddr(1) };

	EXPECT_OK(kvirt_area_map_untracked(area, PAGE_SIZE, prange(segment.start, segment.end),
					   READ_ONLY));
	EXPECT_EQUAL(references_of(segment.start), 1);
	EXPECT_OK(kvirt_area_query(area, PAGE_SIZE, &item, &none));
	EXPECT_TRUE(item.mapped && !item.counted);
	EXPECT_EQUAL(item.output.value, segment.start.value);
	EXPECT_EQUAL(none.paddr.value, 1);
	EXPECT_OK(kvirt_area_drop(area));
	EXPECT_EQUAL(references_of(segment.start), 1);
	segment_drop(&segment);
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

/* Addresses that come back are one piece with the free ones beside them, in whatever order. */
TEST(kvirt_areas_merge_when_freed)
{
	static const uint8_t orders[][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	struct kvirt_space *kvirt = make_small_kvirt(world, 12);
	struct kvirt_area *areas[3], *whole = NULL;

	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		for (size_t area = 0; area < 3; area++)
			areas[area] = make_area(kvirt, 2);
		EXPECT_STATUS(kvirt_area_alloc(kvirt, PAGE_SIZE, &whole), MM_NO_MEMORY);

		/* The one hole there is, again; and two pages more do not fit in it. */
		EXPECT_OK(kvirt_area_drop(areas[orders[i][0]]));
		EXPECT_STATUS(kvirt_area_alloc(kvirt, 3 * PAGE_SIZE, &whole), MM_NO_MEMORY);
		areas[orders[i][0]] = make_area(kvirt, 2);

		for (size_t area = 0; area < 3; area++)
			EXPECT_OK(kvirt_area_drop(areas[orders[i][area]]));
		EXPECT_STATUS(kvirt_area_alloc(kvirt, 11 * PAGE_SIZE, &whole), MM_OUT_OF_BOUND);
		whole = make_area(kvirt, 10);
		EXPECT_OK(kvirt_area_drop(whole));
		whole = NULL;
	}
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

/* The same address shows the new page at once. */
TEST(kvirt_area_leaves_no_stale_translation)
{
	struct kvirt_space *kvirt = make_small_kvirt(world, 4);
	uint64_t start = KVIRT_RANGE.start.value + PAGE_SIZE;

	for (int i = 0; i < 4; i++) {
		struct kvirt_area *area = make_area(kvirt, 2);
		frame_t held = world_frame(world);
		frame_t frame;
		struct paddr page = held.paddr;

		EXPECT_EQUAL(start_of(area), start);
		expect_faults(world, start);
		EXPECT_OK(frame_clone(&held, &frame));
		EXPECT_OK(kvirt_area_map_frames(area, 0, &frame, 1, READ_WRITE));
		expect_reaches(world, start, page);
		if (i % 2 == 0) {
			EXPECT_OK(kvirt_area_unmap(area, 0, PAGE_SIZE, NULL));
			expect_faults(world, start);
			expect_reaches(world, start, map_new_frame(world, area, 0));
		}
		EXPECT_OK(kvirt_area_drop(area));
		expect_faults(world, start);
		EXPECT_EQUAL(references_of(page), 1);
		frame_drop(&held);
	}
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

TEST(kvirt_areas_are_as_many_as_memory_allows)
{
	enum { AREAS = 300 };
	static struct kvirt_area *areas[AREAS];
	struct kvirt_space *kvirt = make_kvirt(world);

	for (size_t i = 0; i < AREAS; i++)
		areas[i] = make_area(kvirt, 1 + i * i % 37);
	for (size_t i = 0; i < AREAS; i += 2)
		EXPECT_OK(kvirt_area_drop(areas[i]));
	for (size_t i = 0; i < AREAS; i += 2)
		areas[i] = make_area(kvirt, 1 + i % 41);
	for (size_t i = 0; i < AREAS; i++)
		for (size_t other = 0; other < i; other++) {
			struct irange a = kvirt_area_range(areas[i]);
			struct irange b = kvirt_area_range(areas[other]);

			/* With a guard page on each side of both. */
			b = irange(iaddr(b.start.value - 2 * PAGE_SIZE),
				   iaddr(b.end.value + 2 * PAGE_SIZE));
			EXPECT_FALSE(irange_overlaps(a, b));
		}
	for (size_t i = 0; i < AREAS; i++)
		EXPECT_OK(kvirt_area_drop(areas[i]));
	/* All but the guard pages, in one piece. */
	areas[0] = make_area(kvirt, (irange_size(KVIRT_RANGE) >> PAGE_SHIFT) - 2);
	EXPECT_OK(kvirt_area_drop(areas[0]));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

TEST(kvirt_space_refuses_what_it_cannot_give_out)
{
	struct vm_space *el2 = world_el2_space(world);
	const uint64_t start = KVIRT_RANGE.start.value;
	struct kvirt_space *kvirt = NULL;
	struct kvirt_area *area = NULL;
	struct cursor cursor;
	struct vm_space guest;

	world_space(world, &guest);
	EXPECT_STATUS(kvirt_space_new(&guest, span(0, MIB(1)), &kvirt), MM_INVALID_ARGS);
	EXPECT_OK(vm_space_destroy(&guest));
	EXPECT_STATUS(kvirt_space_new(el2, span(start, 0), &kvirt), MM_INVALID_ARGS);
	EXPECT_STATUS(kvirt_space_new(el2, irange(iaddr(start), iaddr(0)), &kvirt),
		      MM_INVALID_ARGS);
	EXPECT_STATUS(kvirt_space_new(el2, span(start + 1, PAGE_SIZE), &kvirt), MM_NOT_ALIGNED);
	EXPECT_STATUS(kvirt_space_new(el2, span(UINT64_C(1) << 48, PAGE_SIZE), &kvirt),
		      MM_OUT_OF_BOUND);
	map_frame_at(world, el2, start + MIB(5), READ_WRITE);
	EXPECT_STATUS(kvirt_space_new(el2, KVIRT_RANGE, &kvirt), MM_EXISTS);
	unmap_at(el2, start + MIB(5), PAGE_SIZE);
	open_at(el2, start, PAGE_SIZE, &cursor);
	EXPECT_STATUS(kvirt_space_new(el2, KVIRT_RANGE, &kvirt), MM_BUSY);
	cursor_close(&cursor);
	EXPECT_TRUE(kvirt == NULL);

	/* A range that no guard pages fit in. */
	kvirt = make_small_kvirt(world, 1);
	EXPECT_STATUS(kvirt_area_alloc(kvirt, PAGE_SIZE, &area), MM_OUT_OF_BOUND);
	EXPECT_OK(kvirt_space_destroy(kvirt));

	kvirt = make_kvirt(world);
	EXPECT_STATUS(kvirt_area_alloc(kvirt, 0, &area), MM_INVALID_ARGS);
	EXPECT_STATUS(kvirt_area_alloc(kvirt, PAGE_SIZE - 1, &area), MM_NOT_ALIGNED);
	EXPECT_STATUS(kvirt_area_alloc(kvirt, -PAGE_SIZE, &area), MM_OUT_OF_BOUND);
	EXPECT_TRUE(area == NULL);
	area = make_area(kvirt, 1);
	EXPECT_STATUS(kvirt_space_destroy(kvirt), MM_BUSY);
	EXPECT_OK(kvirt_area_drop(area));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

/* Every refusal leaves the handles with their owner and the area as it was. */
TEST(kvirt_area_refuses_and_changes_nothing)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct kvirt_area *area = make_area(kvirt, 4);
	struct paddr page = map_new_frame(world, area, 3 * PAGE_SIZE);
	struct mm_usage before = mm_usage();
	const struct page_property write_only = page_property(PAGE_WRITE, CACHE_WRITEBACK);
	const struct {
		uint64_t offset;
		uint64_t count;
		struct page_property property;
		enum mm_status map, unmap;
	} cases[] = {
		{ 1, 2, READ_WRITE, MM_NOT_ALIGNED, MM_NOT_ALIGNED },
		{ 3 * PAGE_SIZE, 2, READ_WRITE, MM_OUT_OF_BOUND, MM_OUT_OF_BOUND },
		{ 5 * PAGE_SIZE, 2, READ_WRITE, MM_OUT_OF_BOUND, MM_OUT_OF_BOUND },
		{ -PAGE_SIZE, 2, READ_WRITE, MM_OUT_OF_BOUND, MM_OUT_OF_BOUND },
		{ 2 * PAGE_SIZE, 2, READ_WRITE, MM_EXISTS, MM_OK },
		{ 0, 2, write_only, MM_NOT_SUPPORTED, MM_OK },
	};
	frame_t frames[2] = { world_frame(world), world_frame(world) };
	struct segment segment = world_segment(world, 2, PAGE_SIZE);
	struct prange output = prange(segment.start, segment.end);
	struct cursor_item item;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		EXPECT_STATUS(
			kvirt_area_map_frames(area, cases[i].offset, frames, 2, cases[i].property),
			cases[i].map);
		EXPECT_STATUS(
			kvirt_area_map_segment(area, cases[i].offset, &segment, cases[i].property),
			cases[i].map);
		EXPECT_STATUS(
			kvirt_area_map_untracked(area, cases[i].offset, output, cases[i].property),
			cases[i].map);
		if (cases[i].unmap == MM_OK)
			continue;
		EXPECT_STATUS(kvirt_area_unmap(area, cases[i].offset, 2 * PAGE_SIZE, NULL),
			      cases[i].unmap);
	}
	EXPECT_STATUS(kvirt_area_query(area, 1, &item, NULL), MM_NOT_ALIGNED);
	EXPECT_STATUS(kvirt_area_query(area, 4 * PAGE_SIZE, &item, NULL), MM_OUT_OF_BOUND);
	EXPECT_STATUS(kvirt_area_unmap(area, 0, 0, NULL), MM_INVALID_ARGS);
	EXPECT_STATUS(kvirt_area_unmap(area, 0, 1, NULL), MM_NOT_ALIGNED);
	EXPECT_STATUS(kvirt_area_map_frames(area, 0, frames, 0, READ_WRITE), MM_INVALID_ARGS);
	EXPECT_STATUS(kvirt_area_map_frames(area, 0, frames, SIZE_MAX, READ_WRITE),
		      MM_OUT_OF_BOUND);
	EXPECT_STATUS(
		kvirt_area_map_untracked(area, 0, prange(paddr(1), paddr(PAGE_SIZE)), READ_WRITE),
		MM_NOT_ALIGNED);
	EXPECT_STATUS(
		kvirt_area_map_untracked(area, 0, prange(paddr(PAGE_SIZE), paddr(0)), READ_WRITE),
		MM_INVALID_ARGS);
	EXPECT_STATUS(kvirt_area_map_untracked(area, 0,
					       prange(paddr(UINT64_C(1) << 52),
						      paddr((UINT64_C(1) << 52) + PAGE_SIZE)),
					       READ_WRITE),
		      MM_OUT_OF_BOUND);

	for (size_t i = 0; i < 2; i++) {
		EXPECT_EQUAL(frame_reference_count(&frames[i]), 1);
		frame_drop(&frames[i]);
	}
	EXPECT_EQUAL(references_of(segment.start), 1);
	segment_drop(&segment);
	expect_pages(&before);
	expect_reaches(world, start_of(area) + 3 * PAGE_SIZE, page);
	expect_faults(world, start_of(area) + 2 * PAGE_SIZE);
	EXPECT_OK(kvirt_area_drop(area));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

TEST(kvirt_area_is_busy_while_this_cpu_holds_it)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct kvirt_area *area = make_area(kvirt, 4);
	struct paddr page = map_new_frame(world, area, 0);
	frame_t frame = world_frame(world);
	struct cursor_item item;
	struct cursor cursor;

	open_at(world_el2_space(world), start_of(area), PAGE_SIZE, &cursor);
	EXPECT_STATUS(kvirt_area_map_frames(area, PAGE_SIZE, &frame, 1, READ_WRITE), MM_BUSY);
	EXPECT_STATUS(kvirt_area_unmap(area, 0, PAGE_SIZE, NULL), MM_BUSY);
	EXPECT_STATUS(kvirt_area_query(area, 0, &item, NULL), MM_BUSY);
	EXPECT_STATUS(kvirt_area_drop(area), MM_BUSY);
	cursor_close(&cursor);
	expect_reaches(world, start_of(area), page);
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	frame_drop(&frame);
	EXPECT_OK(kvirt_area_drop(area));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

#if STRATA_CHECKED

/* Five frames where the tables of two levels change: the n-th table or record is not there. */
TEST(kvirt_area_fails_without_memory_and_changes_nothing)
{
	const uint64_t pages = (GIB(2) >> PAGE_SHIFT) + 2;
	struct mm_usage before = mm_usage();
	enum mm_status status = MM_NO_MEMORY;
	uint64_t nth;

	for (nth = 1; status != MM_OK; nth++) {
		struct kvirt_space *kvirt = NULL;
		struct kvirt_area *area;

		world_el2_space(world);
		if (nth == 1)
			before = mm_usage();
		mm_fail_allocation(nth);
		status = kvirt_space_new(world_el2_space(world), KVIRT_RANGE, &kvirt);
		if (status == MM_OK) {
			status = kvirt_area_alloc(kvirt, pages * PAGE_SIZE, &area);
			if (status != MM_OK) {
				mm_fail_allocation(0);
				EXPECT_OK(kvirt_space_destroy(kvirt));
			}
		}
		mm_fail_allocation(0);
		if (status == MM_OK) {
			EXPECT_OK(kvirt_area_drop(area));
			EXPECT_OK(kvirt_space_destroy(kvirt));
		} else {
			EXPECT_STATUS(status, MM_NO_MEMORY);
		}
		/* None was needed if other objects left cells free: exhaustion_area_test.c hoards those. */
		expect_pages(&before);
	}

	struct kvirt_space *kvirt = make_kvirt(world);
	struct kvirt_area *area = make_area(kvirt, pages);
	uint64_t offset = (-start_of(area) & (GIB(1) - 1)) - 2 * PAGE_SIZE;

	before = mm_usage();
	status = MM_NO_MEMORY;
	for (nth = 1; status != MM_OK; nth++) {
		frame_t frames[FRAMES];

		for (size_t i = FRAMES; i > 0; i--)
			frames[i - 1] = world_frame(world);
		mm_fail_allocation(nth);
		status = kvirt_area_map_frames(area, offset, frames, FRAMES, READ_WRITE);
		mm_fail_allocation(0);
		if (status == MM_OK)
			break;
		EXPECT_STATUS(status, MM_NO_MEMORY);
		for (size_t i = 0; i < FRAMES; i++) {
			expect_faults(world, start_of(area) + offset + i * PAGE_SIZE);
			EXPECT_EQUAL(frame_reference_count(&frames[i]), 1);
			frame_drop(&frames[i]);
		}
		expect_pages(&before);
	}
	/* Tables of levels 2 and 3 on both sides, at least. */
	EXPECT_TRUE(nth > 4);
	EXPECT_OK(kvirt_area_drop(area));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that is added at run time and given back: on a machine with more than the subsystem is told. */
#include "harness.h"
#include "slot.h"
#include <strata/fault.h>
#include <strata/frame_list.h>
#include <strata/memory.h>
#include <strata/segment.h>

#define MIB UINT64_C(0x100000)
#define BASE UINT64_C(0x40000000)
#define ADDED UINT64_C(0x50000000)
#define ADDED_SIZE (16 * MIB)

static struct prange range(uint64_t start, uint64_t size)
{
	return prange(paddr(start), paddr(start + size));
}

/* 16 MiB of memory, and 64 MiB at ADDED that the subsystem has not been told of. */
static void start(struct world *world)
{
	const struct world_config config =
		world_config_of(range(BASE, 16 * MIB), range(ADDED, 64 * MIB));

	world_restart_told(world, &config, (struct mm_config){ 0 });
}

static uint64_t all_pages(void)
{
	uint64_t pages = 0;

	for (int usage = 0; usage < PAGE_USAGE_COUNT; usage++)
		pages += world_pages(usage);
	return pages;
}

static void expect_no_page(uint64_t page)
{
	struct page_state state;

	EXPECT_STATUS(page_state(paddr(page), &state), MM_OUT_OF_BOUND);
}

TEST(added_memory_is_like_any_other)
{
	start(world);

	uint64_t pages = all_pages();
	uint64_t metadata = world_pages(PAGE_META);
	struct segment segment;
	struct page_state state;
	frame_t frame;

	expect_no_page(ADDED);
	EXPECT_OK(mm_memory_add(range(ADDED, ADDED_SIZE)));
	EXPECT_EQUAL(all_pages(), pages + ADDED_SIZE / PAGE_SIZE);
	EXPECT_TRUE(world_pages(PAGE_META) > metadata);
	EXPECT_EQUAL(world_pages(PAGE_UNUSED) + world_pages(PAGE_META), all_pages());
	EXPECT_OK(page_state(paddr(ADDED), &state));
	EXPECT_EQUAL(state.usage, PAGE_META);
	EXPECT_STATUS(frame_from_unused(paddr(ADDED), &frame), MM_IN_USE);
	expect_no_page(ADDED + ADDED_SIZE);

	/* By address, and as the only memory with room for it. */
	EXPECT_OK(frame_from_unused(paddr(ADDED + ADDED_SIZE - PAGE_SIZE), &frame));
	world_write(frame.paddr, 42);
	EXPECT_EQUAL(world_read(frame.paddr), 42);
	frame_drop(&frame);
	EXPECT_OK(segment_alloc(8 * MIB / PAGE_SIZE, 8 * MIB, FRAME_ZEROED, &segment));
	segment_drop(&segment);

	EXPECT_OK(mm_memory_remove(range(ADDED, ADDED_SIZE)));
	expect_no_page(ADDED);
	EXPECT_EQUAL(all_pages(), pages);
	EXPECT_EQUAL(world_pages(PAGE_META), metadata);
}

TEST(memory_is_added_and_removed_again_and_again)
{
	start(world);
	for (uint64_t round = 0; round < 20; round++) {
		uint64_t size = (1 + round % 5) * MIB;
		struct segment segment;

		EXPECT_OK(mm_memory_add(range(ADDED + round * PAGE_SIZE, size)));
		EXPECT_OK(segment_from_unused(
			range(ADDED + round * PAGE_SIZE + size - 16 * PAGE_SIZE, 16 * PAGE_SIZE),
			&segment));
		EXPECT_STATUS(mm_memory_remove(range(ADDED + round * PAGE_SIZE, size)), MM_BUSY);
		segment_drop(&segment);
		EXPECT_OK(mm_memory_remove(range(ADDED + round * PAGE_SIZE, size)));
	}
}

/* Page numbers of memory that went are given to memory that comes, and never to two pages at once: a
 * list of frames of three ranges comes apart as it was put together. */
TEST(pages_of_all_memory_have_numbers_of_their_own)
{
	static const uint64_t pages[] = { BASE + 8 * MIB, ADDED + 6 * MIB, ADDED + 13 * MIB };
	struct frame_list list;
	unique_frame_t frame;

	start(world);
	for (uint64_t round = 0; round < 3; round++) {
		EXPECT_OK(mm_memory_add(range(ADDED, 4 * MIB)));
		EXPECT_OK(mm_memory_add(range(ADDED + 8 * MIB, 8 * MIB)));
		EXPECT_OK(mm_memory_remove(range(ADDED, 4 * MIB)));
		EXPECT_OK(mm_memory_add(range(ADDED, 8 * MIB)));
		frame_list_init(&list);
		for (size_t i = 0; i < COUNT_OF(pages); i++) {
			EXPECT_OK(unique_frame_from_unused(paddr(pages[i]), NULL, &frame));
			EXPECT_OK(frame_list_push_back(&list, &frame));
		}
		for (size_t i = 0; i < COUNT_OF(pages); i++) {
			EXPECT_TRUE(frame_list_pop_front(&list, &frame));
			EXPECT_EQUAL(frame.paddr.value, pages[i]);
			unique_frame_drop(&frame);
		}
		frame_list_drop(&list);
		EXPECT_OK(mm_memory_remove(range(ADDED, 8 * MIB)));
		EXPECT_OK(mm_memory_remove(range(ADDED + 8 * MIB, 8 * MIB)));
	}
}

TEST(memory_add_refuses)
{
	static const struct {
		uint64_t start, end;
		enum mm_status status;
	} cases[] = {
		{ ADDED + 8, ADDED + MIB, MM_NOT_ALIGNED },
		{ ADDED, ADDED + MIB + 8, MM_NOT_ALIGNED },
		{ ADDED, ADDED, MM_INVALID_ARGS },
		{ ADDED + MIB, ADDED, MM_INVALID_ARGS },
		{ UINT64_C(1) << 48, (UINT64_C(1) << 48) + MIB, MM_OUT_OF_BOUND },
		{ ADDED, (UINT64_C(1) << 48) + PAGE_SIZE, MM_OUT_OF_BOUND },
		{ UINT64_MAX - MIB + 1, UINT64_MAX - PAGE_SIZE + 1, MM_OUT_OF_BOUND },
		{ BASE, BASE + MIB, MM_EXISTS },
		{ BASE - MIB, BASE + PAGE_SIZE, MM_EXISTS },
		{ BASE + 15 * MIB, BASE + 17 * MIB, MM_EXISTS },
		{ BASE - MIB, BASE + 17 * MIB, MM_EXISTS },
		{ ADDED, ADDED + PAGE_SIZE, MM_NO_MEMORY },
		{ UINT64_C(1) << 47, (UINT64_C(1) << 47) + (UINT64_C(1) << 44), MM_NOT_SUPPORTED },
	};

	start(world);

	struct mm_usage before = mm_usage();

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mm_usage after;

		EXPECT_STATUS(mm_memory_add(prange(paddr(cases[i].start), paddr(cases[i].end))),
			      cases[i].status);
		after = mm_usage();
		for (int usage = 0; usage < PAGE_USAGE_COUNT; usage++)
			EXPECT_EQUAL(after.pages[usage], before.pages[usage]);
	}
	/* What was added is memory, too. */
	EXPECT_OK(mm_memory_add(range(ADDED, ADDED_SIZE)));
	EXPECT_STATUS(mm_memory_add(range(ADDED, ADDED_SIZE)), MM_EXISTS);
	EXPECT_OK(mm_memory_remove(range(ADDED, ADDED_SIZE)));
}

/* Only what was added, and as it was added. */
TEST(memory_remove_refuses)
{
	start(world);
	EXPECT_OK(mm_memory_add(range(ADDED, ADDED_SIZE)));

	const struct prange cases[] = {
		range(BASE, 16 * MIB),
		range(ADDED, ADDED_SIZE / 2),
		range(ADDED + ADDED_SIZE / 2, ADDED_SIZE / 2),
		range(ADDED, ADDED_SIZE + PAGE_SIZE),
		range(ADDED, 0),
		range(ADDED + 32 * MIB, ADDED_SIZE),
	};
	struct mm_usage before = mm_usage();

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		EXPECT_STATUS(mm_memory_remove(cases[i]), MM_INVALID_ARGS);
	for (int usage = 0; usage < PAGE_USAGE_COUNT; usage++)
		EXPECT_EQUAL(world_pages(usage), before.pages[usage]);
	EXPECT_OK(mm_memory_remove(range(ADDED, ADDED_SIZE)));
	EXPECT_STATUS(mm_memory_remove(range(ADDED, ADDED_SIZE)), MM_INVALID_ARGS);
}

/* One page with an owner, wherever it lies, keeps all of it; pages that CPUs have at hand do not. */
TEST(memory_with_an_owner_is_not_removed)
{
	start(world);
	EXPECT_OK(mm_memory_add(range(ADDED, ADDED_SIZE)));
	for (uint64_t offset = ADDED_SIZE / 8; offset < ADDED_SIZE; offset += ADDED_SIZE / 8) {
		uint64_t unused = world_pages(PAGE_UNUSED);
		frame_t frame;

		EXPECT_OK(frame_from_unused(paddr(ADDED + offset), &frame));
		EXPECT_STATUS(mm_memory_remove(range(ADDED, ADDED_SIZE)), MM_BUSY);
		EXPECT_EQUAL(world_pages(PAGE_UNUSED), unused - 1);
		EXPECT_EQUAL(frame_reference_count(&frame), 1);
		frame_drop(&frame);
	}
	EXPECT_OK(mm_memory_remove(range(ADDED, ADDED_SIZE)));
}

/* Ranges come and go in any order, and pages of all of them are found by their addresses. */
TEST(memory_ranges_come_and_go_in_any_order)
{
	static const unsigned int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
						   { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	start(world);
	for (size_t order = 0; order < COUNT_OF(orders); order++) {
		frame_t frames[3];

		for (uint64_t i = 0; i < 3; i++) {
			EXPECT_OK(mm_memory_add(range(ADDED + i * ADDED_SIZE, ADDED_SIZE)));
			EXPECT_OK(frame_from_unused(paddr(ADDED + (i + 1) * ADDED_SIZE - PAGE_SIZE),
						    &frames[i]));
		}
		for (unsigned int i = 0; i < 3; i++) {
			unsigned int gone = orders[order][i];

			frame_drop(&frames[gone]);
			EXPECT_OK(mm_memory_remove(range(ADDED + gone * ADDED_SIZE, ADDED_SIZE)));
			expect_no_page(ADDED + gone * ADDED_SIZE);
			for (unsigned int j = i + 1; j < 3; j++)
				EXPECT_EQUAL(frame_reference_count(&frames[orders[order][j]]), 1);
		}
	}
}

/* Pages of a range that a CPU had at hand are no pages any more, whatever is written to it. */
TEST(memory_that_was_removed_is_in_no_cache)
{
	frame_t frames[4];

	start(world);
	EXPECT_OK(mm_memory_add(range(ADDED, ADDED_SIZE)));
	for (uint64_t i = 0; i < COUNT_OF(frames); i++)
		EXPECT_OK(frame_from_unused(paddr(ADDED + ADDED_SIZE / 2 + i * PAGE_SIZE),
					    &frames[i]));
	for (uint64_t i = 0; i < COUNT_OF(frames); i++)
		frame_drop(&frames[i]);
	EXPECT_OK(mm_memory_remove(range(ADDED, ADDED_SIZE)));
	/* What was metadata looks as if all pages were cached. */
	for (uint64_t offset = 0; offset < MIB; offset += sizeof(uint64_t))
		world_write(paddr(ADDED + offset), (uint64_t)SLOT_CACHED << 32 | SLOT_CACHED);
	for (uint64_t i = 0; i < COUNT_OF(frames); i++) {
		EXPECT_OK(frame_alloc(FRAME_UNDEFINED, &frames[i]));
		EXPECT_TRUE(frames[i].paddr.value < ADDED);
	}
	for (uint64_t i = 0; i < COUNT_OF(frames); i++)
		frame_drop(&frames[i]);
}

#if STRATA_CHECKED

/* What is added holds its own metadata; the next allocation, that would fail, is not theirs. */
TEST(memory_comes_and_goes_without_an_allocation)
{
	frame_t frame;

	start(world);
	mm_fail_allocation(1);
	EXPECT_OK(mm_memory_add(range(ADDED, ADDED_SIZE)));
	EXPECT_OK(mm_memory_remove(range(ADDED, ADDED_SIZE)));
	EXPECT_STATUS(frame_alloc(FRAME_UNDEFINED, &frame), MM_NO_MEMORY);
	mm_fail_allocation(0);
}

#endif

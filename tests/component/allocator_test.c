/* SPDX-License-Identifier: BSD-3-Clause */
/* The allocator behind frames and segments, on a machine of its own. */
#include "draw.h"
#include "harness.h"
#include <stdlib.h>

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

/* Every free page can be had, each once; then there is none; then all come back. */
TEST(allocator_hands_out_every_page_once)
{
	uint64_t pages = world_pages(PAGE_UNUSED);
	frame_t *frames = calloc(pages, sizeof(*frames));
	frame_t none = { .paddr = paddr(1) };
	struct segment segment;

	for (uint64_t i = 0; i < pages; i++) {
		EXPECT_OK(frame_alloc(FRAME_UNDEFINED, &frames[i]));
		/* A page that was handed out before would have its mark. */
		EXPECT_EQUAL(world_read(frames[i].paddr), 0);
		world_write(frames[i].paddr, i + 1);
	}
	EXPECT_EQUAL(world_pages(PAGE_UNUSED), 0);
	EXPECT_STATUS(frame_alloc(FRAME_ZEROED, &none), MM_NO_MEMORY);
	EXPECT_STATUS(segment_alloc(1, PAGE_SIZE, FRAME_ZEROED, &segment), MM_NO_MEMORY);
	EXPECT_EQUAL(none.paddr.value, 1);
	for (uint64_t i = 0; i < pages; i++) {
		EXPECT_EQUAL(world_read(frames[i].paddr), i + 1);
		frame_drop(&frames[i]);
	}
	EXPECT_EQUAL(world_pages(PAGE_UNUSED), pages);
	free(frames);
}

/* Pages freed one by one, in a scattered order, come together again: the largest run that there was
 * at the beginning is there at the end. */
TEST(allocator_merges_what_was_freed_in_any_order)
{
	uint64_t pages = world_pages(PAGE_UNUSED);
	frame_t *frames = calloc(pages, sizeof(*frames));
	struct segment segment = world_segment(world, 16384, 64 * MIB);

	segment_drop(&segment);
	for (uint64_t i = 0; i < pages; i++)
		EXPECT_OK(frame_alloc(FRAME_UNDEFINED, &frames[i]));
	/* 40503 has no factor in common with any number of pages below it times two. */
	for (uint64_t i = 0, at = 0; i < pages; i++) {
		at = (at + 40503) % pages;
		while (frames[at].paddr.value == 0)
			at = (at + 1) % pages;
		frame_drop(&frames[at]);
		frames[at].paddr.value = 0;
	}
	free(frames);
	segment = world_segment(world, 16384, 64 * MIB);
	segment_drop(&segment);
}

/* 2 MiB runs can still be had after a long mixture of sizes. */
TEST(allocator_gives_large_runs_after_churn)
{
	enum { LIVE = 256 };
	static struct segment live[LIVE];
	static bool used[LIVE];
	uint32_t random = 12345;
	unsigned int largest = 0;

	for (unsigned int step = 0; step < 20000; step++) {
		unsigned int i = random_below(&random, LIVE);

		if (used[i]) {
			segment_drop(&live[i]);
			used[i] = false;
		} else {
			uint64_t pages = 1 + (random >> 20) % 40;

			used[i] =
				segment_alloc(pages, PAGE_SIZE, FRAME_UNDEFINED, &live[i]) == MM_OK;
		}
	}
	for (unsigned int i = 0; i < LIVE; i++)
		if (used[i] && i % 2 == 0) {
			segment_drop(&live[i]);
			used[i] = false;
		}

	struct segment runs[32];

	while (largest < COUNT_OF(runs) &&
	       segment_alloc(512, 2 * MIB, FRAME_UNDEFINED, &runs[largest]) == MM_OK)
		largest++;
	EXPECT_EQUAL(largest, COUNT_OF(runs));
	while (largest > 0)
		segment_drop(&runs[--largest]);
	for (unsigned int i = 0; i < LIVE; i++)
		if (used[i])
			segment_drop(&live[i]);
}

/* A page asked for by address is found wherever the allocator keeps it: in a large block, in a small
 * one, or among those that the CPU has at hand. */
TEST(allocator_finds_any_free_page_by_address)
{
	struct segment segment = world_segment(world, 1024, 4 * MIB);
	struct paddr start = segment.start;
	frame_t at_hand;
	frame_t frame;

	segment_drop(&segment);
	for (uint64_t page = 0; page < 1024; page += 37) {
		struct paddr wanted = paddr(start.value + page * PAGE_SIZE);

		EXPECT_OK(frame_from_unused(wanted, &frame));
		frame_drop(&frame);
		EXPECT_OK(frame_from_unused(wanted, &frame));
		EXPECT_STATUS(frame_from_unused(wanted, &at_hand), MM_IN_USE);
		frame_drop(&frame);
	}
	at_hand = world_frame(world);
	frame_drop(&at_hand);
	EXPECT_OK(frame_from_unused(at_hand.paddr, &frame));
	frame_drop(&frame);
}

/* 64 GiB in three ranges with odd ends: what nobody asked for costs nothing, and yet all of it can be
 * had in the largest pieces. */
TEST(allocator_takes_64_gib_in_its_stride)
{
	struct world_config config = world_default_config();
	struct segment segments[70];
	unsigned int count = 0;

	config.machine.memory[0] = prange(paddr(GIB + 0x3000), paddr(4 * GIB - 0x5000));
	config.machine.memory[1] = prange(paddr(8 * GIB), paddr(40 * GIB));
	config.machine.memory[2] = prange(paddr(64 * GIB), paddr(93 * GIB));
	config.machine.memory_count = 3;
	config.reservation_count = 0;
	world_restart(world, &config);
	/* 16 bytes a page, 44 more for certificates, and little more. */
	const uint64_t bytes = STRATA_CHECKED ? 60 : 16;

	EXPECT_TRUE(world_pages(PAGE_META) <=
		    64 * GIB / PAGE_SIZE * bytes / PAGE_SIZE + (STRATA_CHECKED ? 80 : 16));

	while (count < COUNT_OF(segments) &&
	       segment_alloc(GIB / PAGE_SIZE, GIB, FRAME_UNDEFINED, &segments[count]) == MM_OK)
		count++;
	/* 61 aligned GiB in the last two ranges, one or two in the first, less where metadata lies. */
	EXPECT_TRUE(count >= 61);
	while (count > 0)
		segment_drop(&segments[--count]);
	EXPECT_OK(segment_alloc(16 * GIB / PAGE_SIZE, 16 * GIB, FRAME_UNDEFINED, &segments[0]));
	segment_drop(&segments[0]);
}

/* A range need not start or end at any round number; every page of it is memory all the same. */
TEST(allocator_takes_ranges_with_odd_ends)
{
	struct world_config config = world_default_config();

	for (uint64_t odd = 0; odd < 6; odd++) {
		frame_t frames[1024];
		unsigned int count = 0;

		config.machine.memory[0] = prange(paddr(0x40000000 + odd * PAGE_SIZE),
						  paddr(0x40300000 + odd * 3 * PAGE_SIZE));
		config.machine.memory_count = 1;
		config.reservation_count = 0;
		world_restart(world, &config);

		uint64_t pages = prange_size(config.machine.memory[0]) / PAGE_SIZE;

		EXPECT_EQUAL(world_pages(PAGE_UNUSED) + world_pages(PAGE_META), pages);
		while (count < COUNT_OF(frames) &&
		       frame_alloc(FRAME_ZEROED, &frames[count]) == MM_OK)
			count++;
		EXPECT_EQUAL(count, pages - world_pages(PAGE_META));
		while (count > 0)
			frame_drop(&frames[--count]);
	}
}

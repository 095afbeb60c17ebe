/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests: alignment, limit, colour, contents and count, alone and together. */
#include "harness.h"
#include <strata/fault.h>
#include <strata/frame_request.h>

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

static struct frame_request plain(uint64_t pages)
{
	return (struct frame_request){ .page_count = pages, .contents = FRAME_UNDEFINED };
}

static uint32_t colour_of(struct paddr page, uint32_t colours)
{
	return (uint32_t)((page.value >> PAGE_SHIFT) & (colours - 1));
}

/* Every page is a frame with one reference, and the segment is what was asked for. */
static void expect_as_requested(const struct segment *segment, const struct frame_request *request)
{
	EXPECT_EQUAL(segment_size(segment), request->page_count * PAGE_SIZE);
	EXPECT_TRUE(is_page_aligned(segment->start.value));
	if (request->alignment != 0)
		EXPECT_EQUAL(segment->start.value & (request->alignment - 1), 0);
	if (request->limit.value != 0)
		EXPECT_TRUE(segment->end.value <= request->limit.value);
	if (request->colours != 0)
		EXPECT_EQUAL(colour_of(segment->start, request->colours), request->colour);
	for (struct paddr page = segment->start; page.value < segment->end.value;
	     page.value += PAGE_SIZE) {
		struct page_state state;

		EXPECT_OK(page_state(page, &state));
		EXPECT_EQUAL(state.usage, PAGE_FRAME);
		EXPECT_EQUAL(state.references, 1);
	}
}

TEST(request_refuses_nonsense)
{
	static const struct {
		struct frame_request request;
	} cases[] = {
		{ { .page_count = 0 } },
		{ { .page_count = 1, .alignment = 1 } },
		{ { .page_count = 1, .alignment = PAGE_SIZE / 2 } },
		{ { .page_count = 1, .alignment = PAGE_SIZE + 8 } },
		{ { .page_count = 1, .alignment = 3 * PAGE_SIZE } },
		{ { .page_count = 1, .alignment = UINT64_MAX } },
		{ { .page_count = 1, .colours = 3 } },
		{ { .page_count = 1, .colours = UINT32_MAX } },
		{ { .page_count = 1, .colour = 1 } },
		{ { .page_count = 1, .colours = 4, .colour = 4 } },
		{ { .page_count = 1, .colours = 4, .colour = UINT32_MAX } },
		/* No address aligned to two pages has an odd number. */
		{ { .page_count = 1, .alignment = 2 * PAGE_SIZE, .colours = 4, .colour = 1 } },
		{ { .page_count = 4, .alignment = 4 * PAGE_SIZE, .colours = 8, .colour = 2 } },
		{ { .page_count = 1, .alignment = MIB, .colours = 16, .colour = 15 } },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct segment segment = { .start = paddr(1) };

		EXPECT_STATUS(segment_request(&cases[i].request, &segment), MM_INVALID_ARGS);
		EXPECT_EQUAL(segment.start.value, 1);
	}
}

TEST(request_for_what_does_not_exist)
{
	static const struct {
		struct frame_request request;
	} cases[] = {
		{ { .page_count = UINT64_MAX } },
		{ { .page_count = UINT64_C(1) << 52 } },
		{ { .page_count = (UINT64_C(1) << 26) + 1 } },
		{ { .page_count = UINT64_C(1) << 26, .colours = 2, .colour = 1 } },
		{ { .page_count = 1, .alignment = UINT64_C(1) << 63 } },
		{ { .page_count = 1, .limit = { 1 } } },
		{ { .page_count = 1, .limit = { PAGE_SIZE - 1 } } },
		{ { .page_count = 1, .alignment = MIB, .limit = { PAGE_SIZE } } },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct segment segment = { .start = paddr(1) };

		EXPECT_STATUS(segment_request(&cases[i].request, &segment), MM_NO_MEMORY);
		EXPECT_EQUAL(segment.start.value, 1);
	}
}

TEST(request_keeps_count_and_alignment)
{
	static const uint64_t counts[] = { 1, 2, 3, 7, 512, 1000 };
	static const uint64_t alignments[] = { 0, PAGE_SIZE, 4 * PAGE_SIZE, 2 * MIB, 8 * MIB };

	for (size_t i = 0; i < COUNT_OF(counts); i++)
		for (size_t j = 0; j < COUNT_OF(alignments); j++) {
			struct frame_request request = plain(counts[i]);
			struct segment segment;

			request.alignment = alignments[j];
			EXPECT_OK(segment_request(&request, &segment));
			expect_as_requested(&segment, &request);
			segment_drop(&segment);
		}
}

TEST(request_zeroes)
{
	for (int round = 0; round < 2; round++) {
		const struct frame_request request = {
			.page_count = 3, .colours = 4, .colour = 1, .contents = FRAME_ZEROED
		};
		struct segment segment;

		EXPECT_OK(segment_request(&request, &segment));
		for (uint64_t at = segment.start.value; at < segment.end.value; at += 8) {
			EXPECT_EQUAL(world_read(paddr(at)), 0);
			world_write(paddr(at), UINT64_MAX);
		}
		segment_drop(&segment);
	}
}

/* Each colour, for one page and for several, and with an alignment that has it. */
TEST(request_keeps_the_colour)
{
	static const uint64_t counts[] = { 1, 2, 5, 16, 40 };

	for (uint32_t colours = 1; colours <= 32; colours *= 2)
		for (uint32_t colour = 0; colour < colours; colour++)
			for (size_t i = 0; i < COUNT_OF(counts); i++) {
				struct frame_request request = plain(counts[i]);
				struct segment segment;

				request.colours = colours;
				request.colour = colour;
				/* The largest alignment, below the colours', that has it. */
				request.alignment = colour == 0 ? colours * PAGE_SIZE
								: (colour & -colour) * PAGE_SIZE;
				EXPECT_OK(segment_request(&request, &segment));
				expect_as_requested(&segment, &request);
				segment_drop(&segment);
				request.alignment = 0;
				EXPECT_OK(segment_request(&request, &segment));
				expect_as_requested(&segment, &request);
				segment_drop(&segment);
			}
}

/* Whoever has one colour takes no page of another: all of one, then each of the others is there. */
TEST(single_pages_of_a_colour_leave_the_others_alone)
{
	enum { COLOURS = 4, PAGES = 64 };
	struct segment segments[COLOURS][PAGES];

	for (uint32_t colour = 0; colour < COLOURS; colour++)
		for (int i = 0; i < PAGES; i++) {
			struct frame_request request = plain(1);

			request.colours = COLOURS;
			request.colour = colour;
			EXPECT_OK(segment_request(&request, &segments[colour][i]));
			EXPECT_EQUAL(colour_of(segments[colour][i].start, COLOURS), colour);
		}
	for (uint32_t colour = 0; colour < COLOURS; colour++)
		for (int i = 0; i < PAGES; i++)
			segment_drop(&segments[colour][i]);
}

#if STRATA_CHECKED

TEST(request_fails_without_memory)
{
	struct frame_request request = plain(2);
	struct segment segment = { .start = paddr(1) };

	request.colours = 2;
	request.colour = 1;
	mm_fail_allocation(1);
	EXPECT_STATUS(segment_request(&request, &segment), MM_NO_MEMORY);
	mm_fail_allocation(0);
	EXPECT_EQUAL(segment.start.value, 1);
}

#endif

#if WORLD_SIMULATED

/* The lower range of two, down to a limit inside it, and nothing beyond. */
TEST(request_stays_below_the_limit)
{
	static const uint64_t limits[] = { 0x48000000, 0x47f00000, 0x44001000, 0x50000000 };

	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		struct segment segments[128];
		struct frame_request request = plain(256);
		uint64_t unused = world_pages(PAGE_UNUSED);
		unsigned int count = 0;

		request.limit = paddr(limits[i]);
		while (count < COUNT_OF(segments) &&
		       segment_request(&request, &segments[count]) == MM_OK) {
			expect_as_requested(&segments[count], &request);
			count++;
		}
		/* 64 MiB lie below the lowest of them, and 9 MiB of that at most are taken. */
		EXPECT_TRUE(count >= 55 && count < COUNT_OF(segments));
		EXPECT_EQUAL(world_pages(PAGE_UNUSED), unused - count * 256);
		/* Above the limit there is memory still. */
		request.limit = paddr(0);
		EXPECT_OK(segment_request(&request, &segments[count]));
		EXPECT_TRUE(segments[count].end.value > limits[i]);
		segment_drop(&segments[count]);
		while (count > 0)
			segment_drop(&segments[--count]);
	}
}

/* A block that reaches over the limit is divided, not passed over: every page below can be had. */
TEST(request_takes_every_page_below_the_limit)
{
	struct world_config config = world_default_config();
	const struct paddr limit = paddr(GIB + 2 * MIB + 5 * PAGE_SIZE + 100);
	static struct segment segments[1024];
	struct frame_request request = plain(1);
	unsigned int count = 0;

	config.machine.memory[0] = prange(paddr(GIB), paddr(GIB + 4 * MIB));
	config.machine.memory_count = 1;
	config.reservation_count = 0;
	world_restart(world, &config);
	request.limit = limit;
	while (segment_request(&request, &segments[count]) == MM_OK)
		expect_as_requested(&segments[count++], &request);
	EXPECT_EQUAL(count, 2 * MIB / PAGE_SIZE + 5 - world_pages(PAGE_META));
	while (count > 0)
		segment_drop(&segments[--count]);
}

/* All of memory in one colour after the other: every page has one of them. */
TEST(every_free_page_has_a_colour)
{
	enum { COLOURS = 8 };
	struct world_config config = world_default_config();
	static struct segment segments[1024];
	unsigned int count = 0;

	config.machine.memory[0] = prange(paddr(GIB + 3 * PAGE_SIZE), paddr(GIB + 3 * MIB));
	config.machine.memory_count = 1;
	config.reservation_count = 0;
	world_restart(world, &config);

	uint64_t unused = world_pages(PAGE_UNUSED);

	for (uint32_t colour = 0; colour < COLOURS; colour++) {
		struct frame_request request = plain(1);

		request.colours = COLOURS;
		request.colour = colour;
		while (segment_request(&request, &segments[count]) == MM_OK)
			count++;
	}
	EXPECT_EQUAL(count, unused);
	while (count > 0)
		segment_drop(&segments[--count]);
	EXPECT_EQUAL(world_pages(PAGE_UNUSED), unused);
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What is the same in every world. */
#include "world.h"
#include "harness.h"
#include <arch/features.h>
#include <strata/deferred_tables.h>

frame_t world_frame(struct world *world)
{
	frame_t frame;

	(void)world;
	EXPECT_OK(frame_alloc(FRAME_ZEROED, &frame));
	return frame;
}

struct segment world_segment(struct world *world, uint64_t pages, uint64_t alignment)
{
	struct segment segment;

	(void)world;
	EXPECT_OK(segment_alloc(pages, alignment, FRAME_ZEROED, &segment));
	return segment;
}

void world_space(struct world *world, struct vm_space *space)
{
	unsigned int bits = arch_features()->pa_bits;

	(void)world;
	EXPECT_OK(vm_space_new_stage2(bits < 40 ? bits : 40, space));
}

uint64_t world_read(struct paddr paddr)
{
	return *(volatile uint64_t *)mm_linear(paddr);
}

void world_write(struct paddr paddr, uint64_t value)
{
	*(volatile uint64_t *)mm_linear(paddr) = value;
}

uint64_t world_pages(enum page_usage usage)
{
	return mm_usage().pages[usage];
}

void world_begin(struct world *world)
{
	world->before = mm_usage();
}

/* Metadata may have been made for pages that were touched for the first time; nothing else stays. */
static uint64_t pages_compared(const struct mm_usage *usage, enum page_usage kind)
{
	if (kind == PAGE_UNUSED)
		return usage->pages[PAGE_UNUSED] + usage->pages[PAGE_META];
	return kind == PAGE_META ? 0 : usage->pages[kind];
}

void world_end(struct world *world)
{
	(void)deferred_tables_drain();

	struct mm_usage after = mm_usage();

	if (stage2_active() != NULL)
		FAIL("a Stage-2 space is still active after the test");
	if (world->el2_space != NULL && !el2_stage1_is(world->el2_space->root))
		FAIL("a window space is still active after the test");
	for (int usage = 0; usage < PAGE_USAGE_COUNT; usage++) {
		uint64_t was = pages_compared(&world->before, usage);
		uint64_t is = pages_compared(&after, usage);

		if (was != is)
			FAIL("%s pages: %llu before the test, %llu after", page_usage_name(usage),
			     (unsigned long long)was, (unsigned long long)is);
	}
}

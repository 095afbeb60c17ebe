/* SPDX-License-Identifier: BSD-3-Clause */
/* Unique frames: pages with one exclusive owner, and what their last owner leaves behind. */
#include "mapping.h"
#include <strata/fault.h>
#include <strata/unique_frame.h>

struct thing {
	struct frame_metadata metadata;
	unsigned int drops;
	struct paddr dropped; /* the page that on_drop was told */
};

static void thing_dropped(struct frame_metadata *metadata, struct paddr page)
{
	struct thing *thing = (struct thing *)metadata;

	thing->drops++;
	thing->dropped = page;
}

static const struct frame_kind thing_kind = { "thing", thing_dropped };
static const struct frame_kind silent_kind = { "silent", NULL };

static struct thing new_thing(void)
{
	return (struct thing){ .metadata = { &thing_kind } };
}

static unique_frame_t new_unique(struct frame_metadata *metadata)
{
	unique_frame_t frame;

	EXPECT_OK(unique_frame_alloc(FRAME_UNDEFINED, metadata, &frame));
	return frame;
}

static void expect_usage(struct paddr page, enum page_usage usage)
{
	struct page_state state;

	EXPECT_OK(page_state(page, &state));
	EXPECT_EQUAL(state.usage, usage);
}

/* The page is PAGE_FRAME, counted as used, not referenced, and nobody can take a reference to it. */
static void expect_unique(struct paddr page)
{
	unique_frame_t unique = { .paddr = paddr(1) };
	struct segment segment = { .start = paddr(1) };
	frame_t frame = { .paddr = paddr(1) };
	struct page_state state;

	EXPECT_OK(page_state(page, &state));
	EXPECT_EQUAL(state.usage, PAGE_FRAME);
	EXPECT_EQUAL(state.references, 0);
	EXPECT_STATUS(frame_from_unused(page, &frame), MM_UNIQUE);
	EXPECT_STATUS(frame_from_in_use(page, &frame), MM_UNIQUE);
	EXPECT_STATUS(segment_from_unused(page_range(page), &segment), MM_UNIQUE);
	EXPECT_STATUS(unique_frame_from_unused(page, NULL, &unique), MM_UNIQUE);
	EXPECT_EQUAL(frame.paddr.value, 1);
	EXPECT_EQUAL(segment.start.value, 1);
	EXPECT_EQUAL(unique.paddr.value, 1);
}

TEST(unique_frame_alloc_gives_an_exclusive_page)
{
	uint64_t frames = world_pages(PAGE_FRAME);
	unique_frame_t frame = new_unique(NULL);

	EXPECT_TRUE(is_page_aligned(frame.paddr.value));
	EXPECT_EQUAL(world_pages(PAGE_FRAME), frames + 1);
	EXPECT_TRUE(unique_frame_metadata(&frame) == NULL);
	expect_unique(frame.paddr);
	unique_frame_drop(&frame);
	EXPECT_EQUAL(world_pages(PAGE_FRAME), frames);
	expect_usage(frame.paddr, PAGE_UNUSED);
}

TEST(unique_frame_alloc_zeroes)
{
	for (int round = 0; round < 3; round++) {
		unique_frame_t frame;

		EXPECT_OK(unique_frame_alloc(FRAME_ZEROED, NULL, &frame));
		for (uint64_t offset = 0; offset < PAGE_SIZE; offset += 8) {
			struct paddr word = paddr(frame.paddr.value + offset);

			EXPECT_EQUAL(world_read(word), 0);
			world_write(word, UINT64_MAX);
		}
		unique_frame_drop(&frame);
	}
}

TEST(unique_frame_from_unused_takes_the_page_asked_for)
{
	struct thing thing = new_thing();
	unique_frame_t frame = new_unique(NULL);
	struct paddr page = frame.paddr;

	unique_frame_drop(&frame);
	world_write(page, 42);
	EXPECT_OK(unique_frame_from_unused(page, &thing.metadata, &frame));
	EXPECT_EQUAL(frame.paddr.value, page.value);
	EXPECT_EQUAL(world_read(page), 42);
	EXPECT_TRUE(unique_frame_metadata(&frame) == &thing.metadata);
	expect_unique(page);
	unique_frame_drop(&frame);
}

TEST(unique_frame_from_unused_refuses_what_is_not_a_free_page)
{
	frame_t shared = world_frame(world);
	unique_frame_t unique = new_unique(NULL);
	const struct {
		uint64_t page;
		enum mm_status status;
	} cases[] = {
		{ shared.paddr.value + 8, MM_NOT_ALIGNED },
		{ (UINT64_C(1) << 47) + 1, MM_NOT_ALIGNED },
		{ UINT64_C(1) << 47, MM_OUT_OF_BOUND },
		{ UINT64_MAX - PAGE_SIZE + 1, MM_OUT_OF_BOUND },
		{ shared.paddr.value, MM_IN_USE },
		{ unique.paddr.value, MM_UNIQUE },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		unique_frame_t frame = { .paddr = paddr(1) };
		struct thing thing = new_thing();

		EXPECT_STATUS(
			unique_frame_from_unused(paddr(cases[i].page), &thing.metadata, &frame),
			cases[i].status);
		EXPECT_EQUAL(frame.paddr.value, 1);
		EXPECT_EQUAL(thing.drops, 0);
	}
	EXPECT_EQUAL(frame_reference_count(&shared), 1);
	frame_drop(&shared);
	unique_frame_drop(&unique);
}

#if STRATA_CHECKED

TEST(unique_frame_alloc_fails_without_memory)
{
	unique_frame_t frame = { .paddr = paddr(1) };
	struct thing thing = new_thing();

	mm_fail_allocation(1);
	EXPECT_STATUS(unique_frame_alloc(FRAME_ZEROED, &thing.metadata, &frame), MM_NO_MEMORY);
	mm_fail_allocation(0);
	EXPECT_EQUAL(frame.paddr.value, 1);
	EXPECT_EQUAL(thing.drops, 0);
}

#endif

/* What a page was used for is forgotten with its last owner: it can be unique again and again. */
TEST(a_page_is_unique_again_and_again)
{
	unique_frame_t frame = new_unique(NULL);
	struct paddr page = frame.paddr;
	frame_t shared;

	unique_frame_drop(&frame);
	for (int round = 0; round < 100; round++) {
		EXPECT_OK(unique_frame_from_unused(page, NULL, &frame));
		expect_unique(page);
		unique_frame_drop(&frame);
		EXPECT_OK(frame_from_unused(page, &shared));
		EXPECT_EQUAL(frame_reference_count(&shared), 1);
		frame_drop(&shared);
		expect_usage(page, PAGE_UNUSED);
	}
}

TEST(on_drop_runs_once_when_a_unique_frame_goes)
{
	struct thing thing = new_thing();
	unique_frame_t frame = new_unique(&thing.metadata);

	EXPECT_EQUAL(thing.drops, 0);
	unique_frame_drop(&frame);
	EXPECT_EQUAL(thing.drops, 1);
	EXPECT_EQUAL(thing.dropped.value, frame.paddr.value);

	/* It is not the page's any more. */
	EXPECT_OK(unique_frame_from_unused(frame.paddr, NULL, &frame));
	EXPECT_TRUE(unique_frame_metadata(&frame) == NULL);
	unique_frame_drop(&frame);
	EXPECT_EQUAL(thing.drops, 1);
}

/* Every handle leads to it, and who is last, here a gather, tells it. */
TEST(metadata_of_a_shared_frame_lasts_as_long_as_its_last_reference)
{
	struct thing thing = new_thing();
	struct irange page = irange(iaddr(0), iaddr(PAGE_SIZE));
	struct vm_space space;
	struct cursor cursor;
	frame_t frame, clone;

	world_space(world, &space);
	frame = world_frame(world);
	struct paddr address = frame.paddr;

	EXPECT_TRUE(frame_metadata(&frame) == NULL);
	EXPECT_STATUS(frame_from_unused_with_metadata(address, &thing.metadata, &clone), MM_IN_USE);
	frame_drop(&frame);
	EXPECT_EQUAL(thing.drops, 0);

	EXPECT_OK(frame_from_unused_with_metadata(address, &thing.metadata, &frame));
	EXPECT_OK(frame_clone(&frame, &clone));
	EXPECT_TRUE(frame_metadata(&clone) == &thing.metadata);
	EXPECT_TRUE(frame_metadata(&frame)->kind == &thing_kind);
	EXPECT_OK(cursor_open(&space, page, CURSOR_MUTABLE, &cursor));
	EXPECT_OK(cursor_map(&cursor, &frame, READ_WRITE));
	frame_drop(&clone);
	EXPECT_OK(cursor_jump(&cursor, page.start));
	EXPECT_OK(cursor_unmap(&cursor, PAGE_SIZE, NULL));
	EXPECT_EQUAL(thing.drops, 0);
	cursor_close(&cursor);
	EXPECT_EQUAL(thing.drops, 1);
	EXPECT_EQUAL(thing.dropped.value, address.value);
	EXPECT_OK(vm_space_destroy(&space));
}

/* A kind need not care. */
TEST(metadata_without_on_drop_is_only_forgotten)
{
	struct frame_metadata silent = { &silent_kind };
	unique_frame_t frame = new_unique(&silent);

	unique_frame_repurpose(&frame, NULL);
	unique_frame_repurpose(&frame, &silent);
	unique_frame_drop(&frame);
}

TEST(repurpose_drops_the_old_metadata_only)
{
	struct thing first = new_thing();
	struct thing second = new_thing();
	unique_frame_t frame = new_unique(&first.metadata);

	unique_frame_repurpose(&frame, &second.metadata);
	EXPECT_EQUAL(first.drops, 1);
	EXPECT_EQUAL(first.dropped.value, frame.paddr.value);
	EXPECT_EQUAL(second.drops, 0);
	EXPECT_TRUE(unique_frame_metadata(&frame) == &second.metadata);
	expect_unique(frame.paddr);

	unique_frame_repurpose(&frame, NULL);
	EXPECT_EQUAL(second.drops, 1);
	EXPECT_TRUE(unique_frame_metadata(&frame) == NULL);
	unique_frame_drop(&frame);
	EXPECT_EQUAL(first.drops, 1);
	EXPECT_EQUAL(second.drops, 1);
}

/* Shared, a page keeps its metadata until the last reference of whatever sort goes. */
TEST(into_shared_keeps_the_metadata)
{
	struct thing thing = new_thing();
	unique_frame_t unique = new_unique(&thing.metadata);
	frame_t frame = unique_frame_into_shared(&unique);
	struct vm_space space;
	struct cursor cursor;
	frame_t clone;

	EXPECT_EQUAL(frame.paddr.value, unique.paddr.value);
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	EXPECT_OK(frame_clone(&frame, &clone));
	frame_drop(&clone);
	EXPECT_EQUAL(thing.drops, 0);

	world_space(world, &space);
	open_at(&space, 0, PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_map(&cursor, &frame, READ_WRITE));
	EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
	EXPECT_OK(cursor_unmap(&cursor, PAGE_SIZE, NULL));
	EXPECT_EQUAL(thing.drops, 0);
	cursor_flush(&cursor);
	EXPECT_EQUAL(thing.drops, 1);
	EXPECT_EQUAL(thing.dropped.value, unique.paddr.value);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

TEST(try_from_shared_wants_the_only_reference)
{
	struct thing thing = new_thing();
	unique_frame_t unique = new_unique(&thing.metadata);
	frame_t frame = unique_frame_into_shared(&unique);
	struct paddr page = frame.paddr;
	struct segment segment;
	struct vm_space space;
	frame_t other;

	/* Another handle. */
	unique.paddr = paddr(1);
	EXPECT_OK(frame_clone(&frame, &other));
	EXPECT_STATUS(unique_frame_try_from_shared(&frame, &unique), MM_IN_USE);
	EXPECT_EQUAL(unique.paddr.value, 1);
	EXPECT_EQUAL(frame_reference_count(&frame), 2);

	/* A segment. */
	segment = segment_from_frame(&other);
	EXPECT_STATUS(unique_frame_try_from_shared(&frame, &unique), MM_IN_USE);
	segment_drop(&segment);

	/* A table entry, and a reference that waits for a flush. */
	struct cursor cursor;

	EXPECT_OK(frame_clone(&frame, &other));
	world_space(world, &space);
	open_at(&space, 0, PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_map(&cursor, &other, READ_WRITE));
	EXPECT_STATUS(unique_frame_try_from_shared(&frame, &unique), MM_IN_USE);
	EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
	EXPECT_OK(cursor_unmap(&cursor, PAGE_SIZE, NULL));
	EXPECT_STATUS(unique_frame_try_from_shared(&frame, &unique), MM_IN_USE);
	EXPECT_EQUAL(unique.paddr.value, 1);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));

	EXPECT_OK(unique_frame_try_from_shared(&frame, &unique));
	EXPECT_EQUAL(unique.paddr.value, page.value);
	EXPECT_TRUE(unique_frame_metadata(&unique) == &thing.metadata);
	EXPECT_EQUAL(thing.drops, 0);
	expect_unique(page);
	unique_frame_drop(&unique);
	EXPECT_EQUAL(thing.drops, 1);
}

/* A frame that never was unique can become it. */
TEST(try_from_shared_takes_any_frame)
{
	frame_t frame = world_frame(world);
	unique_frame_t unique;

	EXPECT_OK(unique_frame_try_from_shared(&frame, &unique));
	expect_unique(unique.paddr);
	EXPECT_TRUE(unique_frame_metadata(&unique) == NULL);
	frame = unique_frame_into_shared(&unique);
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	frame_drop(&frame);
}

TEST(unique_raw_form_keeps_the_page)
{
	struct thing thing = new_thing();
	unique_frame_t frame = new_unique(&thing.metadata);
	struct paddr page = unique_frame_into_raw(&frame);

	expect_unique(page);
	EXPECT_EQUAL(thing.drops, 0);
	frame = unique_frame_from_raw(page);
	EXPECT_EQUAL(frame.paddr.value, page.value);
	EXPECT_TRUE(unique_frame_metadata(&frame) == &thing.metadata);
	unique_frame_drop(&frame);
	EXPECT_EQUAL(thing.drops, 1);
}

/* Reset, a page is nobody's but never handed out, until somebody takes it by its address. */
TEST(reset_as_unused_withholds_the_page)
{
	struct thing thing = new_thing();
	uint64_t unused = world_pages(PAGE_UNUSED);
	unique_frame_t frame = new_unique(&thing.metadata);
	struct paddr page = frame.paddr;
	frame_t again;

	unique_frame_reset_as_unused(&frame);
	EXPECT_EQUAL(thing.drops, 1);
	EXPECT_EQUAL(world_pages(PAGE_UNUSED), unused);
	expect_usage(page, PAGE_UNUSED);
	for (int i = 0; i < 200; i++) {
		frame_t other = world_frame(world);

		EXPECT_TRUE(other.paddr.value != page.value);
		frame_drop(&other);
	}

	EXPECT_OK(frame_from_unused(page, &again));
	frame_drop(&again);
	/* The page that came back last is handed out first. */
	again = world_frame(world);
	EXPECT_EQUAL(again.paddr.value, page.value);
	frame_drop(&again);
}

/* Each way to take a page by its address finds a withheld one. */
TEST(withheld_pages_are_taken_by_address)
{
	unique_frame_t frame = new_unique(NULL);
	struct paddr page = frame.paddr;
	struct segment segment;

	unique_frame_reset_as_unused(&frame);
	EXPECT_OK(unique_frame_from_unused(page, NULL, &frame));
	unique_frame_reset_as_unused(&frame);
	EXPECT_OK(segment_from_unused(page_range(page), &segment));
	segment_drop(&segment);
	expect_usage(page, PAGE_UNUSED);
}

#if WORLD_SIMULATED

/* Not even when nothing else is left. */
TEST(withheld_pages_are_not_a_last_resort)
{
	unique_frame_t frame = new_unique(NULL);
	struct paddr page = frame.paddr;
	struct paddr top = paddr(0);
	uint64_t count = 0;
	frame_t other;

	unique_frame_reset_as_unused(&frame);

	uint64_t unused = world_pages(PAGE_UNUSED);

	/* Frames are kept in a chain through their own first words. */
	while (frame_alloc(FRAME_UNDEFINED, &other) == MM_OK) {
		EXPECT_TRUE(other.paddr.value != page.value);
		world_write(other.paddr, top.value);
		top = frame_into_raw(&other);
		count++;
	}
	EXPECT_EQUAL(count, unused - 1);
	EXPECT_OK(frame_from_unused(page, &other));
	frame_drop(&other);
	while (top.value != 0) {
		other = frame_from_raw(top);
		top = paddr(world_read(top));
		frame_drop(&other);
	}
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Frame lists: what is pushed, popped, listed and dropped. */
#include "list_array.h"

TEST(an_empty_list_has_nothing_but_the_ghost)
{
	unique_frame_t untouched = { .paddr = paddr(1) };
	struct frame_list_cursor cursor;
	struct frame_list list;
	struct paddr page = paddr(1);

	frame_list_init(&list);
	EXPECT_EQUAL(frame_list_size(&list), 0);
	EXPECT_TRUE(frame_list_is_empty(&list));
	EXPECT_FALSE(frame_list_pop_front(&list, &untouched));
	EXPECT_FALSE(frame_list_pop_back(&list, &untouched));
	cursor = frame_list_cursor_front(&list);
	EXPECT_FALSE(frame_list_cursor_current(&cursor, &page));
	EXPECT_FALSE(frame_list_cursor_take(&cursor, &untouched));
	frame_list_cursor_move_next(&cursor);
	EXPECT_FALSE(frame_list_cursor_current(&cursor, &page));
	cursor = frame_list_cursor_back(&list);
	frame_list_cursor_move_prev(&cursor);
	EXPECT_FALSE(frame_list_cursor_current(&cursor, &page));
	EXPECT_EQUAL(untouched.paddr.value, 1);
	EXPECT_EQUAL(page.value, 1);
	frame_list_drop(&list);
}

TEST(push_back_appends)
{
	struct frame_list list;
	struct array array;
	unique_frame_t frame;

	fill(&list, &array, 5);
	for (unsigned int i = 0; i < 5; i++) {
		EXPECT_TRUE(frame_list_pop_front(&list, &frame));
		EXPECT_EQUAL(frame.paddr.value, array.pages[i].value);
		unique_frame_drop(&frame);
	}
	EXPECT_TRUE(frame_list_is_empty(&list));
	frame_list_drop(&list);
}

TEST(push_front_comes_first)
{
	struct frame_list list;
	struct array array;
	unique_frame_t frame = new_unique();

	fill(&list, &array, 2);
	array_insert(&array, 0, frame.paddr);
	EXPECT_OK(frame_list_push_front(&list, &frame));
	expect_list(&list, &array, array.pages, array.count);
	frame_list_drop(&list);
}

/* A listed page is UNIQUE: nobody takes a reference to it. */
TEST(listed_frames_stay_unique)
{
	struct frame_list list;
	struct array array;
	frame_t frame;

	fill(&list, &array, 3);
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT_STATUS(frame_from_in_use(array.pages[i], &frame), MM_UNIQUE);
		EXPECT_STATUS(frame_from_unused(array.pages[i], &frame), MM_UNIQUE);
	}
	frame_list_drop(&list);
}

/* Whoever pops while others have what they popped gets another frame. */
TEST(what_is_popped_is_popped_once)
{
	struct frame_list list;
	struct array array;
	unique_frame_t frames[3];

	fill(&list, &array, 3);
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT_TRUE(frame_list_pop_front(&list, &frames[i]));
		EXPECT_EQUAL(frames[i].paddr.value, array.pages[i].value);
	}
	for (unsigned int i = 0; i < 3; i++)
		unique_frame_drop(&frames[i]);
	frame_list_drop(&list);
}

/* A list is destroyed with its frames, and may then be used again. */
TEST(a_list_is_dropped_with_its_frames)
{
	uint64_t frames = world_pages(PAGE_FRAME);
	struct frame_list list;
	struct array array;

	for (int round = 0; round < 3; round++) {
		fill(&list, &array, FRAMES);
		EXPECT_EQUAL(world_pages(PAGE_FRAME), frames + FRAMES);
		frame_list_drop(&list);
		EXPECT_EQUAL(world_pages(PAGE_FRAME), frames);
		EXPECT_TRUE(frame_list_is_empty(&list));
		for (unsigned int i = 0; i < FRAMES; i++) {
			struct page_state state;

			EXPECT_FALSE(frame_list_contains(&list, array.pages[i]));
			EXPECT_OK(page_state(array.pages[i], &state));
			EXPECT_EQUAL(state.usage, PAGE_UNUSED);
		}
	}
}

/* A popped frame is nobody's: it has no metadata, can get some, and can be listed elsewhere. */
TEST(a_frame_moves_from_list_to_list)
{
	static const struct frame_kind kind = { "kind", NULL };
	struct frame_metadata metadata = { &kind };
	struct frame_list lists[2];
	struct frame_list_cursor cursor;
	struct array array;
	unique_frame_t frame;
	struct paddr page;

	fill(&lists[0], &array, 1);
	frame_list_init(&lists[1]);
	for (int round = 0; round < 4; round++) {
		EXPECT_TRUE(frame_list_pop_back(&lists[round % 2], &frame));
		EXPECT_FALSE(frame_list_contains(&lists[round % 2], frame.paddr));
		EXPECT_TRUE(unique_frame_metadata(&frame) == NULL);
		unique_frame_repurpose(&frame, &metadata);
		unique_frame_repurpose(&frame, NULL);
		EXPECT_OK(frame_list_push_back(&lists[(round + 1) % 2], &frame));
		EXPECT_TRUE(frame_list_contains(&lists[(round + 1) % 2], array.pages[0]));
		EXPECT_FALSE(frame_list_contains(&lists[round % 2], array.pages[0]));
		cursor = frame_list_cursor_front(&lists[round % 2]);
		EXPECT_FALSE(frame_list_cursor_current(&cursor, &page));
	}
	frame_list_drop(&lists[0]);
	frame_list_drop(&lists[1]);
}

TEST(a_frame_with_metadata_is_not_listed)
{
	static const struct frame_kind kind = { "kind", NULL };
	struct frame_metadata metadata = { &kind };
	struct frame_list_cursor cursor;
	struct frame_list list;
	struct array array;
	unique_frame_t frame;

	fill(&list, &array, 3);
	EXPECT_OK(unique_frame_alloc(FRAME_UNDEFINED, &metadata, &frame));
	EXPECT_STATUS(frame_list_push_front(&list, &frame), MM_IN_USE);
	EXPECT_STATUS(frame_list_push_back(&list, &frame), MM_IN_USE);
	cursor = frame_list_cursor_front(&list);
	EXPECT_STATUS(frame_list_cursor_insert_before(&cursor, &frame), MM_IN_USE);
	EXPECT_FALSE(frame_list_contains(&list, frame.paddr));
	EXPECT_TRUE(unique_frame_metadata(&frame) == &metadata);
	expect_list(&list, &array, array.pages, array.count);
	unique_frame_drop(&frame);
	frame_list_drop(&list);
}

/* What is not a listed page is in no list. */
TEST(membership_is_asked_of_any_address)
{
	struct frame_list_cursor cursor;
	frame_t shared = world_frame(world);
	unique_frame_t loose = new_unique();
	struct frame_list list, other;
	struct array array, others;

	fill(&list, &array, 2);
	fill(&other, &others, 2);

	const struct paddr strangers[] = {
		shared.paddr,
		loose.paddr,
		others.pages[0],
		paddr(array.pages[0].value + 8),
		paddr(UINT64_C(1) << 47),
		paddr(UINT64_MAX),
		paddr(0),
	};

	for (size_t i = 0; i < COUNT_OF(strangers); i++) {
		EXPECT_FALSE(frame_list_contains(&list, strangers[i]));
		EXPECT_FALSE(frame_list_cursor_at(&list, strangers[i], &cursor));
	}
	frame_drop(&shared);
	unique_frame_drop(&loose);
	frame_list_drop(&other);
	frame_list_drop(&list);
}

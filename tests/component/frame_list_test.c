/* SPDX-License-Identifier: BSD-3-Clause */
/* Frame lists, beside an array of page addresses that does the same in the plain way. */
#include "harness.h"
#include <strata/frame_list.h>

enum { FRAMES = 12 };

/* What a list should be: pages in order. */
struct array {
	struct paddr pages[FRAMES];
	unsigned int count;
};

static void array_insert(struct array *array, unsigned int at, struct paddr page)
{
	for (unsigned int i = array->count++; i > at; i--)
		array->pages[i] = array->pages[i - 1];
	array->pages[at] = page;
}

static struct paddr array_take(struct array *array, unsigned int at)
{
	struct paddr page = array->pages[at];

	array->count--;
	for (unsigned int i = at; i < array->count; i++)
		array->pages[i] = array->pages[i + 1];
	return page;
}

/* From the ghost once around, either way: the array's pages, and the ghost again. */
static void expect_walks(struct frame_list *list, const struct array *array)
{
	struct frame_list_cursor cursor = frame_list_cursor_front(list);
	struct paddr page;

	for (unsigned int i = 0; i < array->count; i++) {
		EXPECT_TRUE(frame_list_cursor_current(&cursor, &page));
		EXPECT_EQUAL(page.value, array->pages[i].value);
		frame_list_cursor_move_next(&cursor);
	}
	EXPECT_FALSE(frame_list_cursor_current(&cursor, &page));
	for (unsigned int i = array->count; i-- > 0;) {
		frame_list_cursor_move_prev(&cursor);
		EXPECT_TRUE(frame_list_cursor_current(&cursor, &page));
		EXPECT_EQUAL(page.value, array->pages[i].value);
	}
	frame_list_cursor_move_prev(&cursor);
	EXPECT_FALSE(frame_list_cursor_current(&cursor, &page));
	if (array->count > 0) {
		cursor = frame_list_cursor_back(list);
		EXPECT_TRUE(frame_list_cursor_current(&cursor, &page));
		EXPECT_EQUAL(page.value, array->pages[array->count - 1].value);
		frame_list_cursor_move_next(&cursor);
		EXPECT_FALSE(frame_list_cursor_current(&cursor, &page));
		frame_list_cursor_move_next(&cursor);
		EXPECT_TRUE(frame_list_cursor_current(&cursor, &page));
		EXPECT_EQUAL(page.value, array->pages[0].value);
	}
}

static bool array_has(const struct array *array, struct paddr page)
{
	for (unsigned int i = 0; i < array->count; i++)
		if (array->pages[i].value == page.value)
			return true;
	return false;
}

static void expect_list(struct frame_list *list, const struct array *array, const struct paddr *all,
			size_t all_count)
{
	EXPECT_EQUAL(frame_list_size(list), array->count);
	EXPECT_EQUAL(frame_list_is_empty(list), array->count == 0);
	expect_walks(list, array);
	for (size_t i = 0; i < all_count; i++) {
		struct frame_list_cursor cursor = { NULL, 0 };
		struct paddr page;

		EXPECT_EQUAL(frame_list_contains(list, all[i]), array_has(array, all[i]));
		EXPECT_EQUAL(frame_list_cursor_at(list, all[i], &cursor), array_has(array, all[i]));
		EXPECT_EQUAL(cursor.list != NULL, array_has(array, all[i]));
		if (cursor.list == NULL)
			continue;
		EXPECT_TRUE(frame_list_cursor_current(&cursor, &page));
		EXPECT_EQUAL(page.value, all[i].value);
	}
}

static unique_frame_t new_unique(void)
{
	unique_frame_t frame;

	EXPECT_OK(unique_frame_alloc(FRAME_UNDEFINED, NULL, &frame));
	return frame;
}

/* @count frames pushed at the back, in the order of @pages. */
static void fill(struct frame_list *list, struct array *array, unsigned int count)
{
	frame_list_init(list);
	array->count = 0;
	for (unsigned int i = 0; i < count; i++) {
		unique_frame_t frame = new_unique();

		array_insert(array, i, frame.paddr);
		EXPECT_OK(frame_list_push_back(list, &frame));
	}
	expect_list(list, array, array->pages, array->count);
}

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

/* At every place of lists of every size, the ghost included. */
TEST(insert_before_keeps_the_cursor_at_its_frame)
{
	for (unsigned int size = 0; size < 5; size++)
		for (unsigned int at = 0; at <= size; at++) {
			unique_frame_t frame = new_unique();
			struct frame_list_cursor cursor;
			struct frame_list list;
			struct array array;
			struct paddr page;

			fill(&list, &array, size);
			cursor = frame_list_cursor_front(&list);
			for (unsigned int i = 0; i < at; i++)
				frame_list_cursor_move_next(&cursor);
			array_insert(&array, at, frame.paddr);
			EXPECT_OK(frame_list_cursor_insert_before(&cursor, &frame));
			expect_list(&list, &array, array.pages, array.count);
			EXPECT_EQUAL(frame_list_cursor_current(&cursor, &page), at < size);
			if (at < size)
				EXPECT_EQUAL(page.value, array.pages[at + 1].value);
			frame_list_drop(&list);
		}
}

TEST(take_moves_the_cursor_to_the_successor)
{
	for (unsigned int size = 1; size < 5; size++)
		for (unsigned int at = 0; at < size; at++) {
			struct frame_list_cursor cursor;
			unique_frame_t frame;
			struct frame_list list;
			struct array array;
			struct paddr page;

			fill(&list, &array, size);
			cursor = frame_list_cursor_front(&list);
			for (unsigned int i = 0; i < at; i++)
				frame_list_cursor_move_next(&cursor);
			EXPECT_TRUE(frame_list_cursor_take(&cursor, &frame));
			EXPECT_EQUAL(frame.paddr.value, array_take(&array, at).value);
			expect_list(&list, &array, array.pages, array.count);
			EXPECT_FALSE(frame_list_contains(&list, frame.paddr));
			EXPECT_EQUAL(frame_list_cursor_current(&cursor, &page), at < size - 1);
			if (at < size - 1)
				EXPECT_EQUAL(page.value, array.pages[at].value);
			unique_frame_drop(&frame);
			frame_list_drop(&list);
		}
}

/* A small generator; the seed is part of the test. */
static uint64_t random_below(uint64_t *seed, uint64_t limit)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*seed >> 33) % limit;
}

/* Two lists and loose frames: thousands of operations, and the arrays say the same at each step. */
TEST(lists_do_what_arrays_do)
{
	unique_frame_t loose[FRAMES];
	unsigned int loose_count = 0;
	struct frame_list lists[2];
	struct array arrays[2] = { { .count = 0 }, { .count = 0 } };
	struct paddr all[FRAMES];
	uint64_t seed = 20;

	for (unsigned int i = 0; i < FRAMES; i++) {
		loose[loose_count++] = new_unique();
		all[i] = loose[i].paddr;
	}
	frame_list_init(&lists[0]);
	frame_list_init(&lists[1]);

	for (int step = 0; step < 3000; step++) {
		unsigned int which = (unsigned int)random_below(&seed, 2);
		struct frame_list *list = &lists[which];
		struct array *array = &arrays[which];
		unsigned int at = (unsigned int)random_below(&seed, array->count + 1);
		struct frame_list_cursor cursor = frame_list_cursor_front(list);
		unique_frame_t frame = { .paddr = paddr(0) };
		bool taken = false;

		for (unsigned int i = 0; i < at; i++)
			frame_list_cursor_move_next(&cursor);
		switch (random_below(&seed, 6)) {
		case 0:
			if (loose_count == 0)
				continue;
			frame = loose[--loose_count];
			array_insert(array, 0, frame.paddr);
			EXPECT_OK(frame_list_push_front(list, &frame));
			break;
		case 1:
			if (loose_count == 0)
				continue;
			frame = loose[--loose_count];
			array_insert(array, array->count, frame.paddr);
			EXPECT_OK(frame_list_push_back(list, &frame));
			break;
		case 2:
			if (loose_count == 0)
				continue;
			frame = loose[--loose_count];
			array_insert(array, at, frame.paddr);
			EXPECT_OK(frame_list_cursor_insert_before(&cursor, &frame));
			break;
		case 3:
			taken = frame_list_pop_front(list, &frame);
			EXPECT_EQUAL(taken, array->count > 0);
			at = 0;
			break;
		case 4:
			taken = frame_list_pop_back(list, &frame);
			EXPECT_EQUAL(taken, array->count > 0);
			at = array->count - 1;
			break;
		default:
			taken = frame_list_cursor_take(&cursor, &frame);
			EXPECT_EQUAL(taken, at < array->count);
			break;
		}
		if (taken) {
			EXPECT_EQUAL(frame.paddr.value, array_take(array, at).value);
			loose[loose_count++] = frame;
		}
		expect_list(&lists[0], &arrays[0], all, FRAMES);
		expect_list(&lists[1], &arrays[1], all, FRAMES);
	}
	frame_list_drop(&lists[0]);
	frame_list_drop(&lists[1]);
	while (loose_count > 0)
		unique_frame_drop(&loose[--loose_count]);
}

#if WORLD_SIMULATED

/* 31744 lists can have frames; a list gives its id back when it is dropped, not when it is empty. */
TEST(the_last_list_id_is_refused)
{
	enum { LISTS = 31744 };
	static struct frame_list lists[LISTS];
	struct world_config config = world_default_config();
	struct frame_list one_more;
	unique_frame_t frame;

	config.machine.memory[0].end = paddr(0x58000000);
	config.machine.memory_count = 1;
	world_restart(world, &config);
	for (unsigned int i = 0; i < LISTS; i++) {
		frame = new_unique();
		frame_list_init(&lists[i]);
		EXPECT_OK(frame_list_push_back(&lists[i], &frame));
	}
	frame = new_unique();
	frame_list_init(&one_more);
	EXPECT_STATUS(frame_list_push_back(&one_more, &frame), MM_NO_MEMORY);
	EXPECT_STATUS(frame_list_push_front(&one_more, &frame), MM_NO_MEMORY);

	struct frame_list_cursor ghost = frame_list_cursor_front(&one_more);

	EXPECT_STATUS(frame_list_cursor_insert_before(&ghost, &frame), MM_NO_MEMORY);
	EXPECT_TRUE(frame_list_is_empty(&one_more));
	EXPECT_OK(frame_list_push_back(&lists[0], &frame));

	unique_frame_t popped;

	EXPECT_TRUE(frame_list_pop_back(&lists[7], &frame));
	EXPECT_STATUS(frame_list_push_back(&one_more, &frame), MM_NO_MEMORY);
	frame_list_drop(&lists[7]);
	EXPECT_OK(frame_list_push_back(&one_more, &frame));
	EXPECT_TRUE(frame_list_pop_front(&one_more, &popped));
	unique_frame_drop(&popped);
	frame_list_drop(&one_more);
	for (unsigned int i = 0; i < LISTS; i++)
		frame_list_drop(&lists[i]);
}

#endif

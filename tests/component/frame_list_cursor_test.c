/* SPDX-License-Identifier: BSD-3-Clause */
/* Places in frame lists; and lists beside arrays, whatever is done to both. */
#include "draw.h"
#include "list_array.h"

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

/* Two lists and loose frames: thousands of operations, and the arrays say the same at each step. */
TEST(lists_do_what_arrays_do)
{
	unique_frame_t loose[FRAMES];
	unsigned int loose_count = 0;
	struct frame_list lists[2];
	struct array arrays[2] = { { .count = 0 }, { .count = 0 } };
	struct paddr all[FRAMES];
	uint32_t seed = 20;

	for (unsigned int i = 0; i < FRAMES; i++) {
		loose[loose_count++] = new_unique();
		all[i] = loose[i].paddr;
	}
	frame_list_init(&lists[0]);
	frame_list_init(&lists[1]);

	for (int step = 0; step < 3000; step++) {
		unsigned int which = random_below(&seed, 2);
		struct frame_list *list = &lists[which];
		struct array *array = &arrays[which];
		unsigned int at = random_below(&seed, array->count + 1);
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

/* SPDX-License-Identifier: BSD-3-Clause */
#include "list_array.h"

void array_insert(struct array *array, unsigned int at, struct paddr page)
{
	for (unsigned int i = array->count++; i > at; i--)
		array->pages[i] = array->pages[i - 1];
	array->pages[at] = page;
}

struct paddr array_take(struct array *array, unsigned int at)
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

void expect_list(struct frame_list *list, const struct array *array, const struct paddr *all,
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

unique_frame_t new_unique(void)
{
	unique_frame_t frame;

	EXPECT_OK(unique_frame_alloc(FRAME_UNDEFINED, NULL, &frame));
	return frame;
}

void fill(struct frame_list *list, struct array *array, unsigned int count)
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

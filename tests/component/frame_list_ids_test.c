/* SPDX-License-Identifier: BSD-3-Clause */
/* How many frame lists there can be: more than an image has memory for. */
#include "list_array.h"

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

/* SPDX-License-Identifier: BSD-3-Clause */
/* Spaces in EL2's window: made and destroyed, or neither. */
#include "window_spaces.h"
#include <strata/fault.h>

TEST(window_space_in_use_is_not_destroyed)
{
	struct vm_space spaces[2], *space = &spaces[0], *el2 = world_el2_space(world);
	struct cursor cursor;

	make_window(world, space);
	make_window(world, &spaces[1]);
	open_at(space, PLACE, PAGE_SIZE, &cursor);
	EXPECT_STATUS(vm_space_destroy(space), MM_BUSY);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_activate(space));
	EXPECT_STATUS(vm_space_destroy(space), MM_BUSY);
	EXPECT_STATUS(vm_space_destroy(el2), MM_BUSY);
	/* Another one takes its place. */
	EXPECT_OK(vm_space_activate(&spaces[1]));
	map_value(world, space, PLACE, 1);

	/* This CPU holds the root that it would be taken from, or put to. */
	open_at(el2, 0, WINDOW_START, &cursor);
	EXPECT_STATUS(vm_space_destroy(space), MM_BUSY);
	struct vm_space refused;

	EXPECT_STATUS(vm_space_new_window(el2, &refused), MM_BUSY);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(space));
	EXPECT_STATUS(vm_space_destroy(&spaces[1]), MM_BUSY);
	vm_space_deactivate_window();
	vm_space_deactivate_window();
	EXPECT_STATUS(vm_space_destroy(el2), MM_BUSY);
	EXPECT_OK(vm_space_destroy(&spaces[1]));
}

/* Blocks, pages, a page that somebody else holds: all goes with the space. */
TEST(window_space_destroyed_leaves_nothing)
{
	struct vm_space *el2 = world_el2_space(world), space;
	struct mm_usage before = mm_usage();
	frame_t held;

	(void)el2;
	for (unsigned int round = 0; round < 3; round++) {
		make_window(world, &space);
		EXPECT_OK(vm_space_activate(&space));
		map_segment_at(world, &space, PLACE, 1024 + 5, MIB(2), READ_WRITE);
		map_iomem_at(&space, PLACE + GIB(600), NO_MEMORY_BASE, GIB(2), DEVICE);
		struct paddr page = map_value(world, &space, WINDOW_START, 77);

		EXPECT_OK(frame_from_in_use(page, &held));
		EXPECT_EQUAL(load(WINDOW_START), 77);
		vm_space_deactivate_window();
		EXPECT_OK(vm_space_destroy(&space));
		EXPECT_EQUAL(frame_reference_count(&held), 1);
		frame_drop(&held);
		expect_pages(&before);
	}
}

#if STRATA_CHECKED

/* Whichever allocation fails, nothing was made; activating takes none. */
TEST(window_space_survives_every_failed_allocation)
{
	struct vm_space *el2 = world_el2_space(world), space;
	frame_t frame = world_frame(world);
	struct mm_usage before = mm_usage();
	struct cursor cursor;
	enum mm_status status;
	uint64_t nth = 0;

	do {
		mm_fail_allocation(++nth);
		status = vm_space_new_window(el2, &space);
		mm_fail_allocation(0);
		if (status != MM_OK)
			expect_pages(&before);
	} while (status == MM_NO_MEMORY);
	EXPECT_OK(status);
	EXPECT_EQUAL(nth, 3); /* the root, and what owns its pages */

	mm_fail_allocation(1);
	EXPECT_OK(vm_space_activate(&space));
	mm_fail_allocation(0);
	before = mm_usage();
	nth = 0;
	do {
		open_at(&space, PLACE, PAGE_SIZE, &cursor);
		mm_fail_allocation(++nth);
		status = cursor_map(&cursor, &frame, READ_WRITE);
		mm_fail_allocation(0);
		cursor_close(&cursor);
		if (status != MM_OK) {
			expect_pages(&before);
			EXPECT_EQUAL(load(PLACE), UINT64_MAX);
		}
	} while (status == MM_NO_MEMORY);
	EXPECT_OK(status);
	EXPECT_EQUAL(nth, 4);
	EXPECT_EQUAL(load(PLACE), 0);

	mm_fail_allocation(1);
	vm_space_deactivate_window();
	EXPECT_OK(vm_space_destroy(&space));
	mm_fail_allocation(0);
}

#endif

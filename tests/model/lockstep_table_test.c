/* SPDX-License-Identifier: BSD-3-Clause */
/* The model told the truth, and lies about what an operation wrote. */
#include "story.h"

/* ---- The truth ------------------------------------------------------------------------------ */

static void the_truth_makes_no_difference(void **state)
{
	struct cursor_item item = { .range = pages(1, 1),
				    .mapped = true,
				    .counted = true,
				    .output = paddr(data(1)),
				    .property = RW };
	struct cursor_item hole = { .range = pages(512, 512) };
	const struct property_change same[] = { { RW, RW } };
	const struct property_change both[] = { { RO, RO }, { RW, RO } };

	(void)state;
	tell_map(4, 1, MM_NO_MEMORY);
	tell_jump(1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PEEK, .item = item }, 1);
	tell_map(9, 1, MM_EXISTS);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_FIND_NEXT, .range = pages(1, 9) }, 1);
	*fake_descriptor(LEAVES, 1) = LEAF_RO | data(1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT_NEXT,
				    .range = pages(1, 9),
				    .changed = pages(1, 1),
				    .property = RO },
	     2);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .range = pages(2, 5),
				    .changes = same,
				    .change_count = 1 },
	     7);
	tell_jump(0);
	*fake_descriptor(LEAVES, 0) = LEAF_RO | data(0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .range = pages(0, 2),
				    .changes = both,
				    .change_count = 2,
				    .leaves = 1 },
	     2);
	write_leaf(2, 8, LEAF_RW);
	tell_park(2, 1);
	tell_release(2, 1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_REPLACE,
				    .range = pages(2, 1),
				    .output = paddr(data(8)),
				    .property = RW,
				    .counted = true },
	     3);
	*fake_descriptor(LEAVES, 3) = 0;
	tell_park(3, 1);
	tell_unmap(7, 1);
	tell_release(3, 1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_FLUSH }, 10);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_FIND_NEXT,
				    .status = MM_NOT_MAPPED,
				    .range = pages(10, 5) },
	     15);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT_NEXT,
				    .status = MM_NOT_MAPPED,
				    .range = pages(15, 5) },
	     20);
	*fake_descriptor(LEAVES, 20) = LEAF_RW | NOT_COUNTED | 0x1000000; /* no memory there */
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_MAP_IOMEM,
				    .range = pages(20, 1),
				    .output = paddr(0x1000000),
				    .property = RW },
	     21);
	tell_jump(64);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_QUERY, .status = MM_OUT_OF_BOUND },
	     64);
	assert_int_equal(model_check_all(), 0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 64);
	tell_open(CURSOR_READ_ONLY, 512, 8);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_QUERY, .item = hole }, 512);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 512);
	tell_space(OPERATION_SPACE_ACTIVATE, MM_OK);
	tell_space(OPERATION_SPACE_DESTROY, MM_BUSY);
	tell_space(OPERATION_SPACE_DEACTIVATE, MM_OK);
	*fake_descriptor(ROOT, 0) = 0;
	tell_park(0, 2);
	tell_park(8, 1);
	tell_space(OPERATION_SPACE_DESTROY, MM_OK);
	tell_space(OPERATION_SPACE_NEW, MM_NO_MEMORY);
	expect_truth();
	assert_int_equal(model_report().operations, 29);
	model_stop();
	model_start(story_arena, sizeof(story_arena), story_complain);
	/* The space is unknown now, and what happens in it not the model's to judge. */
	tell_open(CURSOR_MUTABLE, 0, 1);
	tell_space(OPERATION_SPACE_DESTROY, MM_OK);
	tell_space(OPERATION_SPACE_ACTIVATE, MM_EXISTS);
	expect_truth();
	assert_int_equal(model_report().operations, 0);
}

/* ---- Lies about tables ---------------------------------------------------------------------- */

static void a_map_that_wrote_nothing(void **state)
{
	(void)state;
	write_leaf(4, 4, 0);
	*fake_descriptor(LEAVES, 4) = 0;
	tell_map(4, 1, MM_OK);
	expect_lie("cursor_map in space 1 at 0x4000: table says nothing, model says 0x8002c000");
}

static void a_map_to_the_wrong_page(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW);
	write_leaf(4, 5, LEAF_RW);
	tell_map(4, 1, MM_OK);
	expect_lie("table says 0x8002d000 rw-a write-back counted, model says 0x8002c000");
}

static void a_map_with_another_permission(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW & ~(UINT64_C(1) << 54));
	tell_map(4, 1, MM_OK);
	expect_lie("table says 0x8002c000 rwxa write-back counted, model says 0x8002c000 rw-a");
}

static void a_map_not_marked_as_counted(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW | NOT_COUNTED);
	tell_map(4, 1, MM_OK);
	expect_lie(
		"table says 0x8002c000 rw-a write-back, model says 0x8002c000 rw-a write-back c");
}

static void a_map_that_hit_its_neighbour(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW);
	write_leaf(5, 5, LEAF_RW);
	tell_map(4, 1, MM_OK);
	expect_lie("at 0x5000: table says 0x8002d000 rw-a write-back counted, model says nothing");
}

static void an_unmap_that_hit_the_page_before(void **state)
{
	(void)state;
	tell_jump(2);
	*fake_descriptor(LEAVES, 1) = 0;
	*fake_descriptor(LEAVES, 2) = 0;
	tell_park(2, 1);
	tell_unmap(1, 1);
	expect_lie("at 0x1000: table says nothing, model says 0x80029000");
}

/* What lies beside the cursor's range is somebody else's, and may be changing. */
static void neighbours_of_the_cursor_are_not_compared(void **state)
{
	(void)state;
	tell_jump(63);
	write_leaf(63, 4, LEAF_RW);
	*fake_descriptor(LEAVES, 64) = LEAF_RW | data(5);
	tell_map(4, 1, MM_OK);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 64);
	tell_open(CURSOR_MUTABLE, 65, 8);
	write_leaf(65, 6, LEAF_RW);
	tell_map(6, 1, MM_OK);
	expect_truth();
	model_check_all();
	expect_lie("at 0x40000: table says 0x8002d000");
}

/* 2 MiB of memory that is not the subsystem's, as a block at page 512. */
static void map_device_block(void)
{
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_open(CURSOR_MUTABLE, 0, 2048);
	tell_jump(512);
	*fake_descriptor(ROOT, 1) = (LEAF_RW & ~UINT64_C(2)) | NOT_COUNTED | 0x1000000;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_MAP_IOMEM,
				    .range = pages(512, 512),
				    .output = paddr(0x1000000),
				    .property = RW },
	     1024);
}

/* The block at page 512 becomes a table of the same pages. */
static void split_device_block(void)
{
	fake_set_state(fake_page(18), PAGE_TABLE, 1);
	for (unsigned int i = 0; i < 512; i++)
		*fake_descriptor(fake_page(18), i) =
			LEAF_RW | NOT_COUNTED | (0x1000000 + i * PAGE_SIZE);
	*fake_descriptor(ROOT, 1) = fake_page(18).value | TABLE_TYPE;
}

static void a_split_that_lost_a_page(void **state)
{
	(void)state;
	map_device_block();
	tell_jump(600);
	split_device_block();
	*fake_descriptor(fake_page(18), 600 - 512) = 0;
	*fake_descriptor(fake_page(18), 700 - 512) = 0;
	tell_unmap(1, 1);
	expect_lie("cursor_unmap in space 1 at 0x2bc000: table says nothing");
}

static void a_split_that_lost_a_page_before(void **state)
{
	(void)state;
	map_device_block();
	tell_jump(600);
	split_device_block();
	*fake_descriptor(fake_page(18), 512 - 512) = 0;
	*fake_descriptor(fake_page(18), 600 - 512) = 0;
	tell_unmap(1, 1);
	expect_lie("cursor_unmap in space 1 at 0x200000: table says nothing");
}

static void a_block_where_a_page_should_be(void **state)
{
	(void)state;
	map_device_block();
	tell_jump(512);
	split_device_block();
	memset(fake_descriptor(fake_page(18), 0), 0, PAGE_SIZE);
	tell_unmap(512, 1);
	tell_jump(600);
	*fake_descriptor(ROOT, 1) = (LEAF_RW & ~UINT64_C(2)) | NOT_COUNTED | 0x1000000;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_MAP_IOMEM,
				    .range = pages(600, 1),
				    .output = paddr(0x1000000 + 88 * PAGE_SIZE),
				    .property = RW },
	     601);
	/* Too much before it, and too much after it. */
	assert_int_equal(model_report().differences, 2);
}

static void a_map_with_a_bad_descriptor(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW & ~(UINT64_C(3) << 8));
	tell_map(4, 1, MM_OK);
	expect_lie("the shareability is not that of its memory type (level 3, descriptor 0x");
}

static void a_refusal_that_changed_something(void **state)
{
	(void)state;
	write_leaf(5, 5, LEAF_RW);
	tell_map(4, 2, MM_NO_MEMORY);
	expect_lie("at 0x5000: table says 0x8002d000");
}

static void an_unmap_that_forgot_a_leaf(void **state)
{
	(void)state;
	tell_jump(0);
	*fake_descriptor(LEAVES, 0) = 0;
	*fake_descriptor(LEAVES, 2) = 0;
	*fake_descriptor(LEAVES, 3) = 0;
	tell_park(0, 4);
	tell_unmap(4, 4);
	expect_lie("cursor_unmap in space 1 at 0x1000: table says 0x80029000");
}

static void an_unmap_that_took_too_much(void **state)
{
	(void)state;
	tell_jump(0);
	*fake_descriptor(LEAVES, 0) = 0;
	*fake_descriptor(LEAVES, 1) = 0;
	tell_park(0, 1);
	tell_unmap(1, 1);
	expect_lie("at 0x1000: table says nothing, model says 0x80029000");
}

static void a_protect_that_wrote_nothing(void **state)
{
	(void)state;
	tell_jump(0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT_NEXT,
				    .range = pages(0, 1),
				    .changed = pages(0, 1),
				    .property = RO },
	     1);
	expect_lie("table says 0x80028000 rw-a write-back counted, model says 0x80028000 r--a");
}

static void a_protect_of_a_range_that_missed_a_page(void **state)
{
	const struct property_change change = { RW, RO };

	(void)state;
	tell_jump(1);
	*fake_descriptor(LEAVES, 1) = LEAF_RO | data(1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .range = pages(1, 2),
				    .changes = &change,
				    .change_count = 1,
				    .leaves = 2 },
	     3);
	expect_lie("at 0x2000: table says 0x8002a000 rw-a write-back counted, model says");
}

static void a_replace_that_kept_the_old_page(void **state)
{
	(void)state;
	tell_jump(0);
	fake_set_state(paddr(data(9)), PAGE_FRAME, 1);
	tell_park(0, 1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_REPLACE,
				    .range = pages(0, 1),
				    .output = paddr(data(9)),
				    .property = RW,
				    .counted = true },
	     1);
	expect_lie("table says 0x80028000 rw-a write-back counted, model says 0x80031000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(the_truth_makes_no_difference),
		STORY(a_map_that_wrote_nothing),
		STORY(a_map_to_the_wrong_page),
		STORY(a_map_with_another_permission),
		STORY(a_map_not_marked_as_counted),
		STORY(a_map_that_hit_its_neighbour),
		STORY(an_unmap_that_hit_the_page_before),
		STORY(neighbours_of_the_cursor_are_not_compared),
		STORY(a_split_that_lost_a_page),
		STORY(a_split_that_lost_a_page_before),
		STORY(a_block_where_a_page_should_be),
		STORY(a_map_with_a_bad_descriptor),
		STORY(a_refusal_that_changed_something),
		STORY(an_unmap_that_forgot_a_leaf),
		STORY(an_unmap_that_took_too_much),
		STORY(a_protect_that_wrote_nothing),
		STORY(a_protect_of_a_range_that_missed_a_page),
		STORY(a_replace_that_kept_the_old_page),
	};

	return cmocka_run_group_tests_name("lockstep-table", tests, NULL, NULL);
}

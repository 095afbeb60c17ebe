/* SPDX-License-Identifier: BSD-3-Clause */
/* The model told lies about what an operation returned, and about pages. */
#include "story.h"

/* ---- Lies about results --------------------------------------------------------------------- */

static void a_map_over_a_mapping(void **state)
{
	(void)state;
	tell_jump(3);
	write_leaf(4, 4, LEAF_RW);
	tell_map(3, 2, MM_OK);
	assert_int_equal(model_report().differences, 2); /* the status, and the table */
	assert_int_equal(story_lines, 2);
	expect_broken("S5");
}

static void a_refusal_without_a_reason(void **state)
{
	(void)state;
	tell_map(4, 1, MM_EXISTS);
	expect_lie("status is MM_EXISTS, model says MM_OK or MM_NO_MEMORY");
}

static void a_replace_of_nothing(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_REPLACE,
				    .range = pages(4, 1),
				    .output = paddr(data(0)),
				    .property = RW,
				    .counted = true },
	     4);
	expect_lie("status is MM_OK, model says MM_NO_MEMORY or MM_NOT_MAPPED");
}

static void a_protect_refused_without_a_reason(void **state)
{
	(void)state;
	tell_jump(0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT_NEXT,
				    .status = MM_NOT_SUPPORTED,
				    .range = pages(0, 1),
				    .changed = pages(0, 1),
				    .property = RO },
	     0);
	expect_lie("status is MM_NOT_SUPPORTED, model says MM_OK");
}

static void a_read_only_cursor_that_unmaps_nothing(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_open(CURSOR_READ_ONLY, 8, 8);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_UNMAP, .range = pages(8, 1) }, 8);
	expect_lie("status is MM_OK, model says MM_ACCESS_DENIED");
}

static void a_wrong_number_of_leaves(void **state)
{
	(void)state;
	tell_jump(0);
	for (unsigned int i = 0; i < 4; i++)
		*fake_descriptor(LEAVES, i) = 0;
	tell_park(0, 4);
	tell_unmap(4, 3);
	expect_lie("3 leaves removed, model says 4 to 4");
}

static void a_query_of_another_page(void **state)
{
	struct cursor_item item = { .range = pages(2, 1),
				    .mapped = true,
				    .counted = true,
				    .output = paddr(data(1)),
				    .property = RW };

	(void)state;
	tell_jump(2);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PEEK, .item = item }, 2);
	expect_lie("item says [0x2000, 0x3000) 0x80029000 rw-a write-back counted, model says");
}

static void a_query_larger_than_the_descriptor(void **state)
{
	struct cursor_item item = { .range = pages(2, 2),
				    .mapped = true,
				    .counted = true,
				    .output = paddr(data(2)),
				    .property = RW };

	(void)state;
	tell_jump(2);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PEEK, .item = item }, 2);
	expect_lie("item's range ends at 0x4000, the descriptor's at 0x3000");
}

static void a_search_that_passed_a_mapping(void **state)
{
	(void)state;
	tell_jump(0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_FIND_NEXT, .range = pages(0, 8) }, 1);
	expect_lie("cursor_find_next in space 1 at 0x0: the position is 0x1000, model says 0x0");
}

static void a_search_that_found_nothing_where_something_is(void **state)
{
	(void)state;
	tell_jump(0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_FIND_NEXT,
				    .status = MM_NOT_MAPPED,
				    .range = pages(0, 8) },
	     0);
	expect_lie("status is MM_NOT_MAPPED, model says MM_OK");
}

static void a_jump_out_of_the_range(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_JUMP, .range = pages(65, 0) }, 65);
	expect_lie("status is MM_OK, model says MM_OUT_OF_BOUND");
	expect_broken("S6");
}

static void a_jump_to_somewhere_else(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_JUMP, .range = pages(6, 0) }, 7);
	expect_lie("the position is 0x7000, model says 0x6000");
}

static void a_cursor_that_moved_by_itself(void **state)
{
	(void)state;
	story_cursor.position.value += PAGE_SIZE;
	tell_map(4, 1, MM_NO_MEMORY);
	expect_lie("the position is 0x5000, model says 0x4000");
}

static void a_range_that_begins_elsewhere(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_UNMAP, .range = pages(5, 1) }, 4);
	expect_lie("the range begins at 0x5000");
}

static void tell_protect(const struct property_change *change, size_t count, enum mm_status status,
			 uint64_t leaves)
{
	bool done = status == MM_OK;

	tell_jump(0);
	for (unsigned int i = 0; done && i < 4; i++)
		*fake_descriptor(LEAVES, i) = LEAF_RO | data(i);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .status = status,
				    .range = pages(0, 4),
				    .changes = change,
				    .change_count = count,
				    .leaves = leaves },
	     done ? 4 : 0);
}

static const struct property_change read_only = { { PAGE_READ | PAGE_WRITE | PAGE_ACCESSED,
						    CACHE_WRITEBACK },
						  { PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK } };

static void a_protect_that_counts_too_few(void **state)
{
	(void)state;
	tell_protect(&read_only, 1, MM_OK, 3);
	expect_lie("3 leaves changed, model says 4 to 4");
}

static void a_protect_that_asked_nobody(void **state)
{
	(void)state;
	tell_protect(NULL, 0, MM_OK, 4);
	assert_int_equal(story_lines, 2 + 4); /* that, the position, and each page */
}

static void a_protect_of_a_range_refused_without_a_reason(void **state)
{
	(void)state;
	tell_protect(&read_only, 1, MM_NOT_SUPPORTED, 0);
	expect_lie("status is MM_NOT_SUPPORTED, model says MM_OK");
}

static void a_protect_of_a_range_that_says_the_impossible(void **state)
{
	const struct property_change odd = { { PAGE_READ | PAGE_WRITE | PAGE_ACCESSED,
					       CACHE_WRITEBACK },
					     { 0x80, CACHE_WRITEBACK } };

	(void)state;
	tell_protect(&odd, 1, MM_NOT_SUPPORTED, 0);
	expect_truth();
	tell_protect(&odd, 1, MM_OK, 4);
	assert_true(story_lines > 0);
}

static void a_protect_of_part_of_a_range(void **state)
{
	(void)state;
	tell_jump(0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT_NEXT,
				    .range = pages(0, 4),
				    .changed = pages(0, 2),
				    .property = RW },
	     0);
	expect_lie("changed up to 0x2000, which is the part of no leaf in the range");
}

/* ---- Lies about pages ----------------------------------------------------------------------- */

static void a_mapped_page_without_a_reference(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW);
	fake_set_state(paddr(data(4)), PAGE_FRAME, 0);
	tell_map(4, 1, MM_OK);
	expect_lie(
		"0x8002c000: model says the page is unique, so no reference to it can be given up");
}

static void a_counted_page_that_is_a_table(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW);
	fake_set_state(paddr(data(4)), PAGE_TABLE, 1);
	tell_map(4, 1, MM_OK);
	expect_lie("0x8002c000: model says the page is no frame in use");
}

static void memory_mapped_as_a_device(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW | NOT_COUNTED);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_MAP_IOMEM,
				    .range = pages(4, 1),
				    .output = paddr(data(4)),
				    .property = RW },
	     5);
	assert_true(model_report().differences > 0);
	assert_non_null(strstr(story_last_line, "model says"));
}

static void a_page_freed_before_the_flush(void **state)
{
	(void)state;
	tell_jump(0);
	*fake_descriptor(LEAVES, 0) = 0;
	fake_set_state(paddr(data(0)), PAGE_UNUSED, 0);
	tell_park(0, 1);
	tell_unmap(1, 1);
	expect_lie("0x80028000: the page is unused with 0 references, model says 1 = ");
}

/* More runs than the gather holds: the operation flushed on its way, and some pages are free. */
static void pages_freed_by_a_flush_that_was_needed(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_open(CURSOR_MUTABLE, 100, 200);
	for (unsigned int i = 0; i < TLB_GATHER_RUNS + 1; i++) {
		write_leaf(100 + i, 50 - i, LEAF_RW);
		tell_map(50 - i, 1, MM_OK);
	}
	tell_jump(100);
	memset(fake_descriptor(LEAVES, 100), 0, (TLB_GATHER_RUNS + 1) * sizeof(uint64_t));
	for (unsigned int i = 0; i < TLB_GATHER_RUNS; i++)
		tell_park(50 - i, 1);
	for (unsigned int i = 0; i < TLB_GATHER_RUNS; i++)
		tell_release(50 - i, 1);
	tell_park(50 - TLB_GATHER_RUNS, 1);
	tell_unmap(TLB_GATHER_RUNS + 1, TLB_GATHER_RUNS + 1);
	expect_truth();
}

static void a_page_dropped_before_it_is_invalidated(void **state)
{
	struct mm_operation sync = { .kind = OPERATION_FLUSH_SYNC,
				     .gather = &story_cursor.gather,
				     .pages = prange(paddr(data(0)), paddr(data(1))) };

	(void)state;
	tell_jump(0);
	*fake_descriptor(LEAVES, 0) = 0;
	tell_park(0, 1);
	tell_unmap(1, 1);
	fake_operation(&sync);
	expect_lie("0x80028000: dropped while a CPU may still have its translation");
}

static void a_page_that_a_flush_forgot(void **state)
{
	(void)state;
	tell_jump(0);
	*fake_descriptor(LEAVES, 0) = 0;
	*fake_descriptor(LEAVES, 1) = 0;
	tell_park(0, 2);
	tell_unmap(2, 2);
	tell_release(0, 1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_FLUSH }, 2);
	expect_lie("cursor_flush in space 1 at 0x80029000: the page is parked still");
}

static void a_page_that_was_not_parked(void **state)
{
	(void)state;
	tell_jump(0);
	*fake_descriptor(LEAVES, 0) = 0;
	*fake_descriptor(LEAVES, 1) = 0;
	tell_park(0, 1);
	tell_unmap(2, 2);
	expect_lie("1 pages were parked, model says 2");
}

static void a_page_dropped_twice(void **state)
{
	(void)state;
	tell_jump(0);
	*fake_descriptor(LEAVES, 0) = 0;
	tell_park(0, 1);
	tell_unmap(1, 1);
	tell_release(0, 1);
	tell_release(0, 1);
	expect_lie("0x80028000: dropped by a flush, model says it is not parked");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_map_over_a_mapping),
		STORY(a_refusal_without_a_reason),
		STORY(a_replace_of_nothing),
		STORY(a_protect_refused_without_a_reason),
		STORY(a_read_only_cursor_that_unmaps_nothing),
		STORY(a_wrong_number_of_leaves),
		STORY(a_query_of_another_page),
		STORY(a_query_larger_than_the_descriptor),
		STORY(a_search_that_passed_a_mapping),
		STORY(a_search_that_found_nothing_where_something_is),
		STORY(a_jump_out_of_the_range),
		STORY(a_jump_to_somewhere_else),
		STORY(a_cursor_that_moved_by_itself),
		STORY(a_range_that_begins_elsewhere),
		STORY(a_protect_that_counts_too_few),
		STORY(a_protect_that_asked_nobody),
		STORY(a_protect_of_a_range_refused_without_a_reason),
		STORY(a_protect_of_a_range_that_says_the_impossible),
		STORY(a_protect_of_part_of_a_range),
		STORY(a_mapped_page_without_a_reference),
		STORY(a_counted_page_that_is_a_table),
		STORY(memory_mapped_as_a_device),
		STORY(a_page_freed_before_the_flush),
		STORY(pages_freed_by_a_flush_that_was_needed),
		STORY(a_page_dropped_before_it_is_invalidated),
		STORY(a_page_that_a_flush_forgot),
		STORY(a_page_that_was_not_parked),
		STORY(a_page_dropped_twice),
	};

	return cmocka_run_group_tests_name("lockstep-result", tests, NULL, NULL);
}

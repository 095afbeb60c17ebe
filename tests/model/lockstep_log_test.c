/* SPDX-License-Identifier: BSD-3-Clause */
/* Lies about dirty logs, by faults. */
#include "log_story.h"

static void a_log_as_it_should_be(void **state)
{
	(void)state;
	start_log();
	fault_on(2, true);
	take_list(2, 0x4);
	take_list(9, 0);
	stop_log(4);
	expect_truth();
}

static void a_page_that_can_be_written_unseen(void **state)
{
	(void)state;
	start_log_with(3, RO, LEAF_RO);
	expect_lie("dirty_log_start in space 1 at 0x3000: it left 0x8002b000 rw-a");
}

static void a_log_of_nothing(void **state)
{
	(void)state;
	tell_jump(0);
	log_begins(OPERATION_DIRTY_LOG_START, pages(0, 0));
	log_ends(OPERATION_DIRTY_LOG_START, pages(0, 0), 0, MM_OK, NULL);
	expect_lie("status is MM_OK, model says MM_INVALID_ARGS");
}

static void a_written_page_that_is_not_listed(void **state)
{
	(void)state;
	start_log();
	fault_on(2, true);
	take_list(2, 0);
	expect_lie("dirty_log_take in space 1 at 0x2000: written, and not on the list");
}

static void a_written_page_that_was_protected_by_others(void **state)
{
	(void)state;
	start_log();
	fault_on(2, true);
	change_pages(2, 1, RW, RO, LEAF_RO);
	take_list(9, 0);
	expect_lie("dirty_log_take in space 1 at 0x2000: written, and not on the list");
}

static void a_page_listed_that_nobody_wrote(void **state)
{
	(void)state;
	start_log();
	fault_on(2, true);
	take_list(2, 0x6);
	expect_lie(
		"dirty_log_take in space 1 at 0x1000: on the list, and nobody could write to it");
}

static void a_page_listed_twice(void **state)
{
	(void)state;
	start_log();
	fault_on(2, true);
	take_list(2, 0x4);
	take_list(9, 0x4);
	expect_lie("at 0x2000: on the list, and nobody could write to it");
}

static void a_page_mapped_meanwhile_that_is_not_listed(void **state)
{
	(void)state;
	start_log();
	change_pages(1, 1, RO, RW, LEAF_RW);
	take_list(1, 0);
	expect_lie("at 0x1000: written, and not on the list");
}

static void a_list_that_leaves_a_page_to_be_written(void **state)
{
	(void)state;
	start_log();
	fault_on(2, true);
	take_list(9, 0x4);
	expect_lie("dirty_log_take in space 1 at 0x2000: it left 0x8002a000 rw-a");
}

static void a_fault_that_gives_nothing(void **state)
{
	(void)state;
	start_log();
	fault_on(2, false);
	expect_lie("dirty_log_fault in space 1 at 0x2000: it left 0x8002a000 r--a");
}

static void a_fault_that_is_not_the_logs(void **state)
{
	(void)state;
	change_pages(1, 1, RW, RO, LEAF_RO);
	tell_jump(0);
	log_begins(OPERATION_DIRTY_LOG_START, pages(0, 4));
	change_pages(0, 1, RW, RO, LEAF_RO);
	change_pages(2, 2, RW, RO, LEAF_RO);
	tell_jump(4);
	log_ends(OPERATION_DIRTY_LOG_START, pages(0, 4), 0, MM_OK, NULL);
	fault_on(1, true);
	expect_lie("dirty_log_fault in space 1 at 0x1000: status is MM_OK, model says "
		   "MM_ACCESS_DENIED");
}

static void an_end_that_keeps_a_page(void **state)
{
	(void)state;
	start_log();
	stop_log(3);
	expect_lie("dirty_log_stop in space 1 at 0x3000: it left 0x8002b000 r--a");
}

static void an_end_that_gives_what_was_not_taken(void **state)
{
	(void)state;
	change_pages(3, 1, RW, RO, LEAF_RO);
	start_log_with(3, RO, LEAF_RO);
	stop_log(4);
	expect_lie("dirty_log_stop in space 1 at 0x3000: it left 0x8002b000 rw-a");
}

static void a_log_that_ended_and_has_a_list(void **state)
{
	(void)state;
	start_log();
	stop_log(4);
	take_list(9, 0);
	expect_lie("dirty_log_take in space 1 at 0x8000: status is MM_OK, model says");
}

static void a_take_refused_for_no_reason(void **state)
{
	(void)state;
	start_log();
	fault_on(2, true);
	tell_jump(8);
	log_begins(OPERATION_DIRTY_LOG_TAKE, pages(0, 4));
	tell_jump(8);
	log_ends(OPERATION_DIRTY_LOG_TAKE, pages(0, 4), 8, MM_ACCESS_DENIED, NULL);
	expect_lie("status is MM_ACCESS_DENIED, model says MM_OK");
}

static void a_take_that_moves_the_cursor(void **state)
{
	uint64_t list = 0;

	(void)state;
	start_log();
	tell_jump(8);
	log_begins(OPERATION_DIRTY_LOG_TAKE, pages(0, 4));
	tell_jump(4);
	log_ends(OPERATION_DIRTY_LOG_TAKE, pages(0, 4), 8, MM_OK, &list);
	expect_lie("at 0x8000: the position is 0x4000, model says 0x8000");
}

static void an_adopted_page_that_can_be_written(void **state)
{
	(void)state;
	start_log();
	adopt_page(1, RW, RO);
	adopt_page(7, RW, RW);
	adopt_page(2, RO, RO);
	expect_truth();
	adopt_page(1, RW, RW);
	expect_lie("dirty_log_adopt in space 1 at 0x1000: says");
}

static void an_adopted_page_that_is_not_given_back(void **state)
{
	(void)state;
	change_pages(3, 1, RW, RO, LEAF_RO);
	start_log_with(3, RO, LEAF_RO);
	adopt_page(3, RW, RO);
	stop_log(3);
	expect_lie("dirty_log_stop in space 1 at 0x3000: it left 0x8002b000 r--a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_log_as_it_should_be),
		STORY(a_page_that_can_be_written_unseen),
		STORY(a_log_of_nothing),
		STORY(a_written_page_that_is_not_listed),
		STORY(a_written_page_that_was_protected_by_others),
		STORY(a_page_listed_that_nobody_wrote),
		STORY(a_page_listed_twice),
		STORY(a_page_mapped_meanwhile_that_is_not_listed),
		STORY(a_list_that_leaves_a_page_to_be_written),
		STORY(a_fault_that_gives_nothing),
		STORY(a_fault_that_is_not_the_logs),
		STORY(an_end_that_keeps_a_page),
		STORY(an_end_that_gives_what_was_not_taken),
		STORY(a_log_that_ended_and_has_a_list),
		STORY(a_take_refused_for_no_reason),
		STORY(a_take_that_moves_the_cursor),
		STORY(an_adopted_page_that_can_be_written),
		STORY(an_adopted_page_that_is_not_given_back),
	};

	return cmocka_run_group_tests_name("lockstep-log", tests, NULL, NULL);
}

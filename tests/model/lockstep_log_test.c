/* SPDX-License-Identifier: BSD-3-Clause */
/* Lies about dirty logs. Each is of pages 0 to 3, which could be written. */
#include "story.h"

#include <strata/dirty_log.h>

#define CLEAN page_property(PAGE_READ | PAGE_ACCESSED | PAGE_DIRTY_STATE, CACHE_WRITEBACK)
#define DIRTY                                                                                      \
	page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED | PAGE_DIRTY_STATE, CACHE_WRITEBACK)
#define DIRTY_STATE (UINT64_C(1) << 51)
#define LEAF_CLEAN (LEAF_RO | DIRTY_STATE)
#define LEAF_DIRTY (LEAF_RW | DIRTY_STATE)

static struct dirty_log dirty_log;

static struct mm_operation asked(enum mm_operation_kind kind, struct irange range)
{
	return (struct mm_operation){ .kind = kind,
				      .space = &story_space,
				      .cursor = &story_cursor,
				      .position = story_cursor.position,
				      .range = range,
				      .log = &dirty_log };
}

static void begin(enum mm_operation_kind kind, struct irange range)
{
	struct mm_operation operation = asked(kind, range);

	operation.begins = true;
	fake_operation(&operation);
}

static void end(enum mm_operation_kind kind, struct irange range, uint64_t position,
		enum mm_status status, const uint64_t *list)
{
	struct mm_operation operation = asked(kind, range);

	operation.position = iaddr(position * PAGE_SIZE);
	operation.status = status;
	operation.metadata = list;
	fake_operation(&operation);
}

/* @count pages from page @first on get another property. */
static void change(unsigned int first, unsigned int count, struct page_property was,
		   struct page_property becomes, uint64_t leaf)
{
	struct property_change said = { was, becomes };

	tell_jump(first);
	for (unsigned int i = first; i < first + count; i++)
		*fake_descriptor(LEAVES, i) = leaf | data(i);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .range = pages(first, count),
				    .changes = &said,
				    .change_count = 1,
				    .leaves = count },
	     first + count);
}

/* A log begins that protects the first @count of its pages. */
static void start_with(unsigned int count, struct page_property becomes, uint64_t leaf)
{
	tell_jump(0);
	begin(OPERATION_DIRTY_LOG_START, pages(0, 4));
	change(0, count, RW, becomes, leaf);
	tell_jump(4);
	end(OPERATION_DIRTY_LOG_START, pages(0, 4), 0, MM_OK, NULL);
}

static void start(void)
{
	start_with(4, RO, LEAF_RO);
}

/* A write to page @page faults, and may be made. */
static void fault(unsigned int page, bool gives)
{
	tell_jump(page);
	begin(OPERATION_DIRTY_LOG_FAULT, pages(page, 1));
	if (gives)
		change(page, 1, RO, RW, LEAF_RW);
	tell_jump(page);
	end(OPERATION_DIRTY_LOG_FAULT, pages(page, 1), page, MM_OK, NULL);
}

/* The list is taken, as @list; page @page is protected again, if it is one of them. */
static void take(unsigned int page, uint64_t list)
{
	tell_jump(8);
	begin(OPERATION_DIRTY_LOG_TAKE, pages(0, 4));
	if (page < 4)
		change(page, 1, RW, RO, LEAF_RO);
	tell_jump(8);
	end(OPERATION_DIRTY_LOG_TAKE, pages(0, 4), 8, MM_OK, &list);
}

/* The log ends, and the first @count of its pages can be written. */
static void stop(unsigned int count)
{
	tell_jump(8);
	begin(OPERATION_DIRTY_LOG_STOP, pages(0, 4));
	change(0, count, RO, RW, LEAF_RW);
	tell_jump(8);
	end(OPERATION_DIRTY_LOG_STOP, pages(0, 0), 8, MM_OK, NULL);
}

static void adopt(unsigned int page, struct page_property given, struct page_property said)
{
	struct mm_operation operation = asked(OPERATION_DIRTY_LOG_ADOPT, pages(page, 1));
	struct property_change answer = { given, said };

	operation.cursor = NULL;
	operation.position = pages(page, 1).start;
	operation.changes = &answer;
	operation.change_count = 1;
	fake_operation(&operation);
}

/* ---- By faults ------------------------------------------------------------------------------ */

static void a_log_as_it_should_be(void **state)
{
	(void)state;
	start();
	fault(2, true);
	take(2, 0x4);
	take(9, 0);
	stop(4);
	expect_truth();
}

static void a_page_that_can_be_written_unseen(void **state)
{
	(void)state;
	start_with(3, RO, LEAF_RO);
	expect_lie("dirty_log_start in space 1 at 0x3000: it left 0x8002b000 rw-a");
}

static void a_log_of_nothing(void **state)
{
	(void)state;
	tell_jump(0);
	begin(OPERATION_DIRTY_LOG_START, pages(0, 0));
	end(OPERATION_DIRTY_LOG_START, pages(0, 0), 0, MM_OK, NULL);
	expect_lie("status is MM_OK, model says MM_INVALID_ARGS");
}

static void a_written_page_that_is_not_listed(void **state)
{
	(void)state;
	start();
	fault(2, true);
	take(2, 0);
	expect_lie("dirty_log_take in space 1 at 0x2000: written, and not on the list");
}

static void a_written_page_that_was_protected_by_others(void **state)
{
	(void)state;
	start();
	fault(2, true);
	change(2, 1, RW, RO, LEAF_RO);
	take(9, 0);
	expect_lie("dirty_log_take in space 1 at 0x2000: written, and not on the list");
}

static void a_page_listed_that_nobody_wrote(void **state)
{
	(void)state;
	start();
	fault(2, true);
	take(2, 0x6);
	expect_lie(
		"dirty_log_take in space 1 at 0x1000: on the list, and nobody could write to it");
}

static void a_page_listed_twice(void **state)
{
	(void)state;
	start();
	fault(2, true);
	take(2, 0x4);
	take(9, 0x4);
	expect_lie("at 0x2000: on the list, and nobody could write to it");
}

static void a_page_mapped_meanwhile_that_is_not_listed(void **state)
{
	(void)state;
	start();
	change(1, 1, RO, RW, LEAF_RW);
	take(1, 0);
	expect_lie("at 0x1000: written, and not on the list");
}

static void a_list_that_leaves_a_page_to_be_written(void **state)
{
	(void)state;
	start();
	fault(2, true);
	take(9, 0x4);
	expect_lie("dirty_log_take in space 1 at 0x2000: it left 0x8002a000 rw-a");
}

static void a_fault_that_gives_nothing(void **state)
{
	(void)state;
	start();
	fault(2, false);
	expect_lie("dirty_log_fault in space 1 at 0x2000: it left 0x8002a000 r--a");
}

static void a_fault_that_is_not_the_logs(void **state)
{
	(void)state;
	change(1, 1, RW, RO, LEAF_RO);
	tell_jump(0);
	begin(OPERATION_DIRTY_LOG_START, pages(0, 4));
	change(0, 1, RW, RO, LEAF_RO);
	change(2, 2, RW, RO, LEAF_RO);
	tell_jump(4);
	end(OPERATION_DIRTY_LOG_START, pages(0, 4), 0, MM_OK, NULL);
	fault(1, true);
	expect_lie("dirty_log_fault in space 1 at 0x1000: status is MM_OK, model says "
		   "MM_ACCESS_DENIED");
}

static void an_end_that_keeps_a_page(void **state)
{
	(void)state;
	start();
	stop(3);
	expect_lie("dirty_log_stop in space 1 at 0x3000: it left 0x8002b000 r--a");
}

static void an_end_that_gives_what_was_not_taken(void **state)
{
	(void)state;
	change(3, 1, RW, RO, LEAF_RO);
	start_with(3, RO, LEAF_RO);
	stop(4);
	expect_lie("dirty_log_stop in space 1 at 0x3000: it left 0x8002b000 rw-a");
}

static void a_log_that_ended_and_has_a_list(void **state)
{
	(void)state;
	start();
	stop(4);
	take(9, 0);
	expect_lie("dirty_log_take in space 1 at 0x8000: status is MM_OK, model says");
}

static void a_take_refused_for_no_reason(void **state)
{
	(void)state;
	start();
	fault(2, true);
	tell_jump(8);
	begin(OPERATION_DIRTY_LOG_TAKE, pages(0, 4));
	tell_jump(8);
	end(OPERATION_DIRTY_LOG_TAKE, pages(0, 4), 8, MM_ACCESS_DENIED, NULL);
	expect_lie("status is MM_ACCESS_DENIED, model says MM_OK");
}

static void a_take_that_moves_the_cursor(void **state)
{
	uint64_t list = 0;

	(void)state;
	start();
	tell_jump(8);
	begin(OPERATION_DIRTY_LOG_TAKE, pages(0, 4));
	tell_jump(4);
	end(OPERATION_DIRTY_LOG_TAKE, pages(0, 4), 8, MM_OK, &list);
	expect_lie("at 0x8000: the position is 0x4000, model says 0x8000");
}

static void an_adopted_page_that_can_be_written(void **state)
{
	(void)state;
	start();
	adopt(1, RW, RO);
	adopt(7, RW, RW);
	adopt(2, RO, RO);
	expect_truth();
	adopt(1, RW, RW);
	expect_lie("dirty_log_adopt in space 1 at 0x1000: says");
}

static void an_adopted_page_that_is_not_given_back(void **state)
{
	(void)state;
	change(3, 1, RW, RO, LEAF_RO);
	start_with(3, RO, LEAF_RO);
	adopt(3, RW, RO);
	stop(3);
	expect_lie("dirty_log_stop in space 1 at 0x3000: it left 0x8002b000 r--a");
}

/* ---- By hardware ---------------------------------------------------------------------------- */

/* Before the first cursor, for all that was mapped. */
static void use_hardware_flags(void)
{
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	story_space.context.hardware_flags = true;
	tell_space(OPERATION_SPACE_USE_HARDWARE_FLAGS, MM_OK);
	tell_open(CURSOR_MUTABLE, 0, 64);
}

static void start_by_hardware(void)
{
	use_hardware_flags();
	start_with(4, CLEAN, LEAF_CLEAN);
}

/* The list is taken, as @list, with no page that is known to be dirty in its leaf. */
static void take_clean(uint64_t list)
{
	take(9, list);
}

static void what_the_hardware_may_have_listed(void **state)
{
	(void)state;
	start_by_hardware();
	take_clean(0x5);
	expect_truth();
}

static void a_page_that_the_hardware_could_not_write(void **state)
{
	(void)state;
	start_by_hardware();
	change(1, 1, CLEAN, RO, LEAF_RO);
	take_clean(0);
	take_clean(0x2);
	expect_lie("at 0x1000: on the list, and nobody could write to it");
}

static void a_dirty_page_that_became_another(void **state)
{
	(void)state;
	start_by_hardware();
	change(1, 1, CLEAN, DIRTY, LEAF_DIRTY);
	change(1, 1, DIRTY, RO, LEAF_RO);
	take_clean(0);
	expect_lie("at 0x1000: written, and not on the list");
}

static void a_page_without_dirty_state_at_the_start(void **state)
{
	(void)state;
	use_hardware_flags();
	start_with(4, RO, LEAF_RO);
	expect_lie("dirty_log_start in space 1 at 0x0: it left 0x80028000 r--a");
}

static void a_second_log_in_one_place(void **state)
{
	(void)state;
	start_by_hardware();
	tell_jump(0);
	begin(OPERATION_DIRTY_LOG_START, pages(0, 4));
	tell_jump(4);
	end(OPERATION_DIRTY_LOG_START, pages(0, 4), 0, MM_OK, NULL);
	expect_lie("status is MM_OK, model says MM_IN_USE");
}

static void an_end_that_keeps_dirty_state(void **state)
{
	(void)state;
	start_by_hardware();
	tell_jump(8);
	begin(OPERATION_DIRTY_LOG_STOP, pages(0, 4));
	change(0, 3, CLEAN, RW, LEAF_RW);
	tell_jump(8);
	end(OPERATION_DIRTY_LOG_STOP, pages(0, 0), 8, MM_OK, NULL);
	expect_lie("dirty_log_stop in space 1 at 0x3000: it left 0x8002b000 r--a");
}

/* A transfer of the hypervisor's to page 1, and a list without it. */
static void what_the_hypervisor_wrote(void **state)
{
	struct vm_io_range range = { .cursor = PAGE_SIZE + 8,
				     .end = 2 * PAGE_SIZE,
				     .kind = VM_IO_SPACE,
				     .space = &story_space };
	struct mm_operation write = { .kind = OPERATION_WRITER_FILL_ZEROS,
				      .writer = { &range, range },
				      .length = 8,
				      .begins = true };

	(void)state;
	start_by_hardware();
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	fake_operation(&write);
	write.begins = false;
	write.result = 8;
	range.cursor += 8;
	memset(mm_linear(paddr(data(1) + 8)), 0, 8);
	fake_operation(&write);
	tell_open(CURSOR_MUTABLE, 0, 64);
	expect_truth();
	take_clean(0);
	expect_lie("dirty_log_take in space 1 at 0x1000: written, and not on the list");
}

static void a_log_by_faults_that_hardware_flags_do_not_wait_for(void **state)
{
	(void)state;
	start();
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_space(OPERATION_SPACE_USE_HARDWARE_FLAGS, MM_BUSY);
	expect_truth();
	tell_space(OPERATION_SPACE_USE_HARDWARE_FLAGS, MM_OK);
	expect_lie("vm_space_use_hardware_flags in space 1 at 0x0: status is MM_OK, model says "
		   "MM_BUSY");
}

/* Flags that are the hardware's already may be asked for again. */
static void a_log_by_hardware_that_hardware_flags_wait_for(void **state)
{
	(void)state;
	start_by_hardware();
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_space(OPERATION_SPACE_USE_HARDWARE_FLAGS, MM_OK);
	expect_truth();
	tell_space(OPERATION_SPACE_USE_HARDWARE_FLAGS, MM_BUSY);
	expect_lie("status is MM_BUSY, model says MM_OK");
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
		STORY(what_the_hardware_may_have_listed),
		STORY(a_page_that_the_hardware_could_not_write),
		STORY(a_dirty_page_that_became_another),
		STORY(a_page_without_dirty_state_at_the_start),
		STORY(a_second_log_in_one_place),
		STORY(an_end_that_keeps_dirty_state),
		STORY(what_the_hypervisor_wrote),
		STORY(a_log_by_faults_that_hardware_flags_do_not_wait_for),
		STORY(a_log_by_hardware_that_hardware_flags_wait_for),
	};

	return cmocka_run_group_tests_name("lockstep-log", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Lies about dirty logs where CPUs set flags by themselves, and about who waits for whom. */
#include "log_story.h"

#define CLEAN page_property(PAGE_READ | PAGE_ACCESSED | PAGE_DIRTY_STATE, CACHE_WRITEBACK)
#define DIRTY                                                                                      \
	page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED | PAGE_DIRTY_STATE, CACHE_WRITEBACK)
#define DIRTY_STATE (UINT64_C(1) << 51)
#define LEAF_CLEAN (LEAF_RO | DIRTY_STATE)
#define LEAF_DIRTY (LEAF_RW | DIRTY_STATE)

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
	start_log_with(4, CLEAN, LEAF_CLEAN);
}

/* The list is taken, as @list, with no page that is known to be dirty in its leaf. */
static void take_clean(uint64_t list)
{
	take_list(9, list);
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
	change_pages(1, 1, CLEAN, RO, LEAF_RO);
	take_clean(0);
	take_clean(0x2);
	expect_lie("at 0x1000: on the list, and nobody could write to it");
}

static void a_dirty_page_that_became_another(void **state)
{
	(void)state;
	start_by_hardware();
	change_pages(1, 1, CLEAN, DIRTY, LEAF_DIRTY);
	change_pages(1, 1, DIRTY, RO, LEAF_RO);
	take_clean(0);
	expect_lie("at 0x1000: written, and not on the list");
}

static void a_page_without_dirty_state_at_the_start(void **state)
{
	(void)state;
	use_hardware_flags();
	start_log_with(4, RO, LEAF_RO);
	expect_lie("dirty_log_start in space 1 at 0x0: it left 0x80028000 r--a");
}

static void a_second_log_in_one_place(void **state)
{
	(void)state;
	start_by_hardware();
	tell_jump(0);
	log_begins(OPERATION_DIRTY_LOG_START, pages(0, 4));
	tell_jump(4);
	log_ends(OPERATION_DIRTY_LOG_START, pages(0, 4), 0, MM_OK, NULL);
	expect_lie("status is MM_OK, model says MM_IN_USE");
}

static void an_end_that_keeps_dirty_state(void **state)
{
	(void)state;
	start_by_hardware();
	tell_jump(8);
	log_begins(OPERATION_DIRTY_LOG_STOP, pages(0, 4));
	change_pages(0, 3, CLEAN, RW, LEAF_RW);
	tell_jump(8);
	log_ends(OPERATION_DIRTY_LOG_STOP, pages(0, 0), 8, MM_OK, NULL);
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
	start_log();
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

	return cmocka_run_group_tests_name("lockstep-log-hardware", tests, NULL, NULL);
}

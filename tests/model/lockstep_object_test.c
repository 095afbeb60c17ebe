/* SPDX-License-Identifier: BSD-3-Clause */
/* The model told lies about cursors and spaces; what it finds between operations; its own limits. */
#include "story.h"

/* ---- Lies about cursors and spaces ---------------------------------------------------------- */

static void two_cursors_on_one_page(void **state)
{
	struct cursor other = { .space = &story_space, .position = iaddr(63 * PAGE_SIZE) };
	struct mm_operation open = { .kind = OPERATION_CURSOR_OPEN,
				     .space = &story_space,
				     .cursor = &other,
				     .range = pages(63, 2) };

	(void)state;
	machine_current_cpu = 1; /* on its own CPU it would have been MM_BUSY */
	fake_operation(&open);
	expect_lie("opened up to 0x41000, where another cursor holds 0x0");
	assert_int_equal(model_check_all(), 2);
	assert_non_null(strstr(story_last_line, "invariant X1"));
}

static void two_cursors_of_one_cpu(void **state)
{
	struct cursor other = { .space = &story_space };
	struct mm_operation open = { .kind = OPERATION_CURSOR_OPEN,
				     .status = MM_BUSY,
				     .space = &story_space,
				     .cursor = &other,
				     .range = pages(0, 1) };

	(void)state;
	fake_operation(&open);
	open.range = pages(64, 1); /* beside it: the node may be the same */
	fake_operation(&open);
	expect_truth();
	machine_current_cpu = 1;
	fake_operation(&open);
	expect_lie("status is MM_BUSY, model says MM_OK");
}

static void two_cursors_of_one_cpu_on_one_page(void **state)
{
	struct cursor other = { .space = &story_space };
	struct mm_operation open = { .kind = OPERATION_CURSOR_OPEN,
				     .space = &story_space,
				     .cursor = &other,
				     .range = pages(63, 1) };

	(void)state;
	other.position = open.range.start;
	fake_operation(&open);
	assert_int_equal(model_report().differences, 2); /* not MM_BUSY, and held twice */
}

static void a_cursor_beside_another(void **state)
{
	struct cursor other = { .space = &story_space };
	struct mm_operation open = { .kind = OPERATION_CURSOR_OPEN,
				     .space = &story_space,
				     .cursor = &other,
				     .range = pages(64, 1) };

	(void)state;
	other.position = open.range.start;
	fake_operation(&open);
	expect_truth();
}

static void a_cursor_opened_twice(void **state)
{
	(void)state;
	story_cursor.range = pages(64, 1);
	story_cursor.position = story_cursor.range.start;
	fake_operation(&(struct mm_operation){ .kind = OPERATION_CURSOR_OPEN,
					       .space = &story_space,
					       .cursor = &story_cursor,
					       .range = story_cursor.range });
	expect_lie("opened where a cursor was not closed");
}

static void a_cursor_that_begins_elsewhere(void **state)
{
	struct cursor other = { .space = &story_space };

	(void)state;
	fake_operation(&(struct mm_operation){ .kind = OPERATION_CURSOR_OPEN,
					       .space = &story_space,
					       .cursor = &other,
					       .range = pages(64, 1) });
	expect_lie("cursor_open in space 1 at 0x40000: the position is 0x0 after opening");
}

static void a_cursor_that_was_not_opened(void **state)
{
	struct cursor other = { .space = &story_space };
	struct mm_operation flush = { .kind = OPERATION_CURSOR_FLUSH,
				      .space = &story_space,
				      .cursor = &other };

	(void)state;
	fake_operation(&flush);
	expect_lie("the cursor is not open");
}

static void a_space_destroyed_under_a_cursor(void **state)
{
	(void)state;
	*fake_descriptor(ROOT, 0) = 0;
	tell_park(0, 4);
	tell_space(OPERATION_SPACE_DESTROY, MM_OK);
	expect_lie("vm_space_destroy in space 1 at 0x0: status is MM_OK, model says MM_BUSY");
}

static void a_space_destroyed_with_something_left(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	for (unsigned int i = 0; i < 3; i++)
		*fake_descriptor(LEAVES, i) = 0;
	tell_park(0, 4);
	tell_space(OPERATION_SPACE_DESTROY, MM_OK);
	expect_lie("vm_space_destroy in space 1 at 0x3000: table says 0x8002b000");
}

static void a_space_busy_without_a_reason(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_space(OPERATION_SPACE_DESTROY, MM_BUSY);
	expect_lie("status is MM_BUSY, model says MM_OK");
}

static void a_new_space_that_is_not_empty(void **state)
{
	static struct vm_space other;
	struct mm_operation new = { .kind = OPERATION_SPACE_NEW, .space = &other };

	(void)state;
	other = story_space;
	other.root = fake_page(20);
	fake_set_state(other.root, PAGE_TABLE, 1);
	*fake_descriptor(other.root, 3) = (LEAF_RW & ~UINT64_C(2)) | 0x40000000;
	fake_operation(&new);
	expect_lie("vm_space_new in space 2 at 0x600000: table says 0x40000000");
}

static void a_new_space_with_too_many_levels(void **state)
{
	static struct vm_space other;
	struct mm_operation new = { .kind = OPERATION_SPACE_NEW, .space = &other };

	(void)state;
	other = story_space;
	other.geometry = (struct translation_geometry){ 33, 1, 1, 40 };
	other.root = fake_page(20);
	fake_set_state(other.root, PAGE_TABLE, 1);
	fake_operation(&new);
	expect_lie("root is 1 tables at level 1 for 33 bits, model says 8 at level 2");
}

static void a_space_made_twice(void **state)
{
	(void)state;
	*fake_descriptor(ROOT, 0) = 0;
	tell_space(OPERATION_SPACE_NEW, MM_OK);
	expect_lie("made where space 1 still lives");
}

static void a_stage_1_space_for_guests(void **state)
{
	static struct vm_space other;
	struct mm_operation operation = { .kind = OPERATION_SPACE_NEW, .space = &other };

	(void)state;
	other = story_space;
	other.stage = STAGE_1;
	other.root = fake_page(20);
	fake_set_state(other.root, PAGE_TABLE, 1);
	fake_operation(&operation);
	operation.kind = OPERATION_SPACE_ACTIVATE;
	operation.status = MM_INVALID_ARGS;
	fake_operation(&operation);
	expect_truth();
	operation.status = MM_OK;
	fake_operation(&operation);
	expect_lie("status is MM_OK, model says MM_INVALID_ARGS");
}

static void two_spaces_with_one_vmid(void **state)
{
	static struct vm_space other;
	struct mm_operation operation = { .kind = OPERATION_SPACE_NEW, .space = &other };

	(void)state;
	other = story_space;
	other.root = fake_page(20);
	fake_set_state(other.root, PAGE_TABLE, 1);
	fake_operation(&operation);
	operation.kind = OPERATION_SPACE_ACTIVATE;
	fake_vmid = 7;
	fake_operation(&operation);
	expect_lie("vm_space_activate in space 2 at 0x0: VMID 7 is that of space 1");
}

static void an_activation_that_failed(void **state)
{
	(void)state;
	tell_space(OPERATION_SPACE_ACTIVATE, MM_NO_MEMORY);
	expect_lie("status is MM_NO_MEMORY, model says MM_OK");
}

static void a_space_active_without_a_vmid(void **state)
{
	(void)state;
	fake_vmid = 0;
	tell_space(OPERATION_SPACE_ACTIVATE, MM_OK);
	expect_lie("active with VMID 0");
}

/* ---- The full check ------------------------------------------------------------------------- */

static void a_descriptor_written_behind_the_back(void **state)
{
	(void)state;
	expect_truth();
	*fake_descriptor(LEAVES, 500) = LEAF_RW | data(0);
	assert_int_equal(model_check_all(), 1);
	expect_lie("full check in space 1 at 0x1f4000: table says 0x80028000");
}

static void a_descriptor_gone_behind_the_back(void **state)
{
	(void)state;
	*fake_descriptor(ROOT, 0) = 0;
	model_check_all();
	expect_lie("full check in space 1 at 0x0: table says nothing, model says 0x80028000");
}

static void a_table_in_two_places(void **state)
{
	(void)state;
	*fake_descriptor(ROOT, 5) = LEAVES.value | TABLE_TYPE;
	model_check_all();
	expect_lie("the table is reached a second time");
}

static void a_page_dropped_while_mapped(void **state)
{
	(void)state;
	fake_set_state(paddr(data(2)), PAGE_UNUSED, 0);
	model_check_all();
	expect_lie("0x8002a000: the page is unused with 0 references, model says 1 = H 0 + P 1");
}

/* ---- The model's own limits ----------------------------------------------------------------- */

static void a_full_arena_is_a_difference_and_the_end(void **state)
{
	uint64_t operations;

	(void)state;
	model_stop();
	story_lines = 0;
	model_start(story_arena, 600, story_complain);
	*fake_descriptor(ROOT, 0) = 0;
	tell_space(OPERATION_SPACE_NEW, MM_OK);
	tell_open(CURSOR_MUTABLE, 0, 64);
	for (unsigned int i = 0; i < 40 && model_report().differences == 0; i++) {
		*fake_descriptor(ROOT, 0) = LEAVES.value | TABLE_TYPE;
		memset(fake_descriptor(LEAVES, 0), 0, PAGE_SIZE);
		for (unsigned int page = 0; page <= i; page++)
			write_leaf(page, 40 - page, LEAF_RW);
		tell_map(40 - i, 1, MM_OK);
	}
	assert_non_null(strstr(story_last_line, "is full, nothing is checked after operation"));
	operations = model_report().operations;
	tell_map(0, 1, MM_OK);
	model_check_all();
	assert_int_equal(model_report().operations, operations);
	assert_int_equal(model_report().differences, 1);
}

/* With less storage than a story needs there is exactly one difference, wherever it ends. */
static void any_arena_is_enough_to_say_so(void **state)
{
	bool enough = false;

	(void)state;
	for (size_t size = 0; size < 28000; size += 40) {
		model_stop();
		*fake_descriptor(ROOT, 0) = 0;
		model_start(story_arena + 1, size, story_complain);
		tell_space(OPERATION_SPACE_NEW, MM_OK);
		*fake_descriptor(ROOT, 0) = LEAVES.value | TABLE_TYPE;
		memset(fake_descriptor(LEAVES, 0), 0, PAGE_SIZE);
		tell_open(CURSOR_MUTABLE, 0, 64);
		for (unsigned int i = 0; i < 4; i++) {
			write_leaf(i, 40 - i, LEAF_RW);
			tell_map(40 - i, 1, MM_OK);
		}
		model_check_all();
		enough = enough || model_report().differences == 0;
		assert_int_equal(model_report().differences, enough ? 0 : 1);
		assert_true(size > 0 || !enough);
	}
	assert_true(enough);
}

static void a_flood_is_counted_but_not_told(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 50; i++)
		tell_map(4, 1, MM_EXISTS);
	assert_int_equal(model_report().differences, 50);
	assert_int_equal(story_lines, 21);
	assert_non_null(strstr(story_last_line, "only counted"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(two_cursors_on_one_page),
		STORY(two_cursors_of_one_cpu),
		STORY(two_cursors_of_one_cpu_on_one_page),
		STORY(a_cursor_beside_another),
		STORY(a_cursor_opened_twice),
		STORY(a_cursor_that_begins_elsewhere),
		STORY(a_cursor_that_was_not_opened),
		STORY(a_space_destroyed_under_a_cursor),
		STORY(a_space_destroyed_with_something_left),
		STORY(a_space_busy_without_a_reason),
		STORY(a_new_space_that_is_not_empty),
		STORY(a_new_space_with_too_many_levels),
		STORY(a_space_made_twice),
		STORY(a_stage_1_space_for_guests),
		STORY(two_spaces_with_one_vmid),
		STORY(an_activation_that_failed),
		STORY(a_space_active_without_a_vmid),
		STORY(a_descriptor_written_behind_the_back),
		STORY(a_descriptor_gone_behind_the_back),
		STORY(a_table_in_two_places),
		STORY(a_page_dropped_while_mapped),
		STORY(a_full_arena_is_a_difference_and_the_end),
		STORY(any_arena_is_enough_to_say_so),
		STORY(a_flood_is_counted_but_not_told),
	};

	return cmocka_run_group_tests_name("lockstep-object", tests, NULL, NULL);
}

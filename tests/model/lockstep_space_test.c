/* SPDX-License-Identifier: BSD-3-Clause */
/* Lies about where a space is active, who keeps its flags, and EL2's own space and those in its window. */
#include "story.h"

static void a_space_destroyed_while_active(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_space(OPERATION_SPACE_ACTIVATE, MM_OK);
	machine_current_cpu = 1;
	tell_space(OPERATION_SPACE_ACTIVATE, MM_OK);
	tell_space(OPERATION_SPACE_DEACTIVATE, MM_OK);
	tell_space(OPERATION_SPACE_DESTROY, MM_BUSY);
	expect_truth();
	*fake_descriptor(ROOT, 0) = 0;
	tell_park(0, 4);
	tell_space(OPERATION_SPACE_DESTROY, MM_OK);
	expect_lie("vm_space_destroy in space 1 at 0x0: status is MM_OK, model says MM_BUSY");
}

static void a_space_busy_after_deactivation(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_space(OPERATION_SPACE_ACTIVATE, MM_OK);
	tell_space(OPERATION_SPACE_DEACTIVATE, MM_OK);
	expect_truth();
	tell_space(OPERATION_SPACE_DESTROY, MM_BUSY);
	expect_lie("status is MM_BUSY, model says MM_OK");
}

static void a_space_deactivated_on_another_cpu(void **state)
{
	(void)state;
	tell_space(OPERATION_SPACE_ACTIVATE, MM_OK);
	machine_current_cpu = 3;
	tell_space(OPERATION_SPACE_DEACTIVATE, MM_OK);
	expect_lie("vm_space_deactivate in space 1 at 0x0: it was not active on CPU 3");
}

/* A space that the model does not know takes the place of one that it does. */
static void a_space_busy_after_another_took_its_place(void **state)
{
	static struct vm_space other;
	struct mm_operation operation = { .kind = OPERATION_SPACE_ACTIVATE, .space = &other };

	(void)state;
	other = story_space;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_space(OPERATION_SPACE_ACTIVATE, MM_OK);
	fake_operation(&operation);
	expect_truth();
	tell_space(OPERATION_SPACE_DESTROY, MM_BUSY);
	expect_lie("status is MM_BUSY, model says MM_OK");
}

static struct vm_space el2, window;

/* EL2's own table, and a window space above it. */
static void make_window(void)
{
	struct mm_operation new = { .kind = OPERATION_SPACE_NEW, .space = &el2 };

	el2 = story_space;
	el2.stage = STAGE_1;
	el2.geometry = (struct translation_geometry){ 48, 0, 1, 40 };
	el2.root = fake_page(20);
	el2.part = SPACE_BELOW_WINDOW;
	fake_set_state(el2.root, PAGE_TABLE, 1);
	fake_operation(&new);
	window = el2;
	window.root = fake_page(21);
	window.part = SPACE_IN_WINDOW;
	window.el2 = &el2;
	fake_set_state(window.root, PAGE_TABLE, 1);
	new.space = &window;
	fake_operation(&new);
}

static void el2s_own_space_destroyed_below_a_window(void **state)
{
	struct mm_operation destroy = { .kind = OPERATION_SPACE_DESTROY, .space = &el2 };

	(void)state;
	make_window();
	destroy.status = MM_BUSY;
	fake_operation(&destroy);
	expect_truth();
	destroy.status = MM_OK;
	fake_operation(&destroy);
	expect_lie("vm_space_destroy in space 2 at 0x0: status is MM_OK, model says MM_BUSY");
}

static void a_window_that_refuses_for_no_reason(void **state)
{
	struct mm_operation activate = { .kind = OPERATION_SPACE_ACTIVATE, .space = &window };

	(void)state;
	make_window();
	fake_operation(&activate);
	activate.status = MM_NOT_SUPPORTED; /* where EL2 runs on something else */
	fake_operation(&activate);
	expect_truth();
	activate.status = MM_INVALID_ARGS;
	fake_operation(&activate);
	expect_lie("vm_space_activate in space 3 at 0x0: status is MM_INVALID_ARGS");
}

static void a_window_below_which_something_differs(void **state)
{
	(void)state;
	make_window();
	/* A table that is empty means nothing in either. */
	fake_set_state(fake_page(22), PAGE_TABLE, 1);
	*fake_descriptor(el2.root, 300) = fake_page(22).value | TABLE_TYPE;
	*fake_descriptor(window.root, 300) = fake_page(22).value | TABLE_TYPE;
	assert_int_equal(model_check_all(), 0);
	*fake_descriptor(window.root, 300) = 0;
	model_check_all();
	expect_lie("full check in space 3 at 0x960000000000: its root has 0x0, EL2's own has");
}

static void a_cursor_below_the_window(void **state)
{
	struct mm_operation open = { .kind = OPERATION_CURSOR_OPEN,
				     .status = MM_OUT_OF_BOUND,
				     .range = pages(0, 1) };

	(void)state;
	make_window();
	open.space = &window;
	fake_operation(&open);
	open.space = &el2;
	open.range = irange(VM_SPACE_WINDOW.start, iaddr(VM_SPACE_WINDOW.start.value + PAGE_SIZE));
	fake_operation(&open);
	expect_truth();
	open.space = &window;
	fake_operation(&open);
	expect_lie("status is MM_OUT_OF_BOUND, model says MM_OK");
}

static struct vm_space other;

static struct mm_operation make_other(enum mm_status status)
{
	other = story_space;
	other.root = fake_page(20);
	fake_set_state(other.root, PAGE_TABLE, 1);
	return (struct mm_operation){ .kind = OPERATION_SPACE_NEW,
				      .status = status,
				      .space = &other,
				      .stage = STAGE_2,
				      .ia_bits = 30 };
}

static void a_space_of_another_stage(void **state)
{
	struct mm_operation new = make_other(MM_OK);

	(void)state;
	new.stage = STAGE_1;
	fake_operation(&new);
	expect_lie("vm_space_new in space 2 at 0x0: made for stage 2, 30 bits, part 0, asked for "
		   "stage 1, 30 bits, part 0");
}

static void a_space_of_another_size(void **state)
{
	struct mm_operation new = make_other(MM_OK);

	(void)state;
	new.ia_bits = 31;
	fake_operation(&new);
	expect_lie("made for stage 2, 30 bits, part 0, asked for stage 2, 31 bits, part 0");
}

static void a_space_of_bits_that_there_are_not(void **state)
{
	struct mm_operation new = make_other(MM_NOT_SUPPORTED);

	(void)state;
	new.ia_bits = 24;
	fake_operation(&new);
	new.ia_bits = 41; /* more than addresses of this CPU have, where Stage 1 may */
	fake_operation(&new);
	expect_truth();
	new.status = MM_NO_MEMORY;
	fake_operation(&new);
	expect_lie("status is MM_NO_MEMORY, model says MM_NOT_SUPPORTED");
}

static void a_space_not_supported_for_no_reason(void **state)
{
	struct mm_operation new = make_other(MM_NOT_SUPPORTED);

	(void)state;
	fake_operation(&new);
	expect_lie("status is MM_NOT_SUPPORTED, model says MM_OK or MM_NO_MEMORY");
}

static void a_space_with_addresses_that_the_cpu_has_not(void **state)
{
	struct mm_operation new = make_other(MM_OK);

	(void)state;
	other.geometry.pa_bits = 44;
	fake_operation(&new);
	expect_lie("outputs have 44 bits, the CPU's 40");
}

/* ---- Flags that the hardware keeps ---------------------------------------------------------- */

static void tell_flags(enum mm_status status, bool found)
{
	story_space.context.hardware_flags = found;
	tell_space(OPERATION_SPACE_USE_HARDWARE_FLAGS, status);
}

static void flags_given_under_a_cursor(void **state)
{
	(void)state;
	tell_flags(MM_BUSY, false);
	expect_truth();
	tell_flags(MM_OK, true);
	expect_lie("vm_space_use_hardware_flags in space 1 at 0x0: status is MM_OK, model says "
		   "MM_BUSY");
}

static void flags_given_after_the_space_was_active(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_space(OPERATION_SPACE_ACTIVATE, MM_OK);
	tell_space(OPERATION_SPACE_DEACTIVATE, MM_OK);
	tell_flags(MM_BUSY, false);
	expect_truth();
	tell_flags(MM_OK, true);
	expect_lie("status is MM_OK, model says MM_BUSY");
}

static void flags_refused_for_no_reason(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_flags(MM_OK, true);
	tell_flags(MM_OK, true);
	expect_truth();
	tell_flags(MM_NOT_SUPPORTED, true);
	expect_lie("status is MM_NOT_SUPPORTED, model says MM_OK");
}

static void flags_of_a_cpu_that_has_none(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	fake_dirty_state = false;
	tell_flags(MM_NOT_SUPPORTED, false);
	expect_truth();
	tell_flags(MM_OK, true);
	expect_lie("status is MM_OK, model says MM_NOT_SUPPORTED");
}

static void flags_of_el2s_own_space(void **state)
{
	struct mm_operation use = { .kind = OPERATION_SPACE_USE_HARDWARE_FLAGS, .space = &el2 };

	(void)state;
	make_window();
	use.status = MM_INVALID_ARGS;
	fake_operation(&use);
	expect_truth();
	use.status = MM_OK;
	fake_operation(&use);
	expect_lie("status is MM_OK, model says MM_INVALID_ARGS");
}

static void flags_that_were_not_set(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_flags(MM_OK, false);
	expect_lie("vm_space_use_hardware_flags in space 1 at 0x0: hardware flags are off, model "
		   "says on");
}

static void flags_set_by_a_refusal(void **state)
{
	(void)state;
	tell_flags(MM_BUSY, true);
	expect_lie("hardware flags are on, model says off");
}

static void flags_that_nobody_asked_for(void **state)
{
	(void)state;
	story_space.context.hardware_flags = true;
	tell_space(OPERATION_SPACE_ACTIVATE, MM_OK);
	expect_lie("vm_space_activate in space 1 at 0x0: hardware flags are on, model says off");
}

/* An access that a CPU may have made is one only in a space that lets it keep flags. */
static void a_page_accessed_without_hardware_flags(void **state)
{
	(void)state;
	story_space.context.hardware_flags = true; /* and nobody asked for it */
	write_leaf(4, 4, LEAF_RO);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_MAP,
				    .range = pages(4, 1),
				    .output = paddr(data(4)),
				    .property = page_property(PAGE_READ, CACHE_WRITEBACK),
				    .counted = true },
	     5);
	expect_lie("cursor_map in space 1 at 0x4000: table says 0x8002c000 r--a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_space_destroyed_while_active),
		STORY(a_space_busy_after_deactivation),
		STORY(a_space_deactivated_on_another_cpu),
		STORY(a_space_busy_after_another_took_its_place),
		STORY(el2s_own_space_destroyed_below_a_window),
		STORY(a_window_that_refuses_for_no_reason),
		STORY(a_window_below_which_something_differs),
		STORY(a_cursor_below_the_window),
		STORY(a_space_of_another_stage),
		STORY(a_space_of_another_size),
		STORY(a_space_of_bits_that_there_are_not),
		STORY(a_space_not_supported_for_no_reason),
		STORY(a_space_with_addresses_that_the_cpu_has_not),
		STORY(flags_given_under_a_cursor),
		STORY(flags_given_after_the_space_was_active),
		STORY(flags_refused_for_no_reason),
		STORY(flags_of_a_cpu_that_has_none),
		STORY(flags_of_el2s_own_space),
		STORY(flags_that_were_not_set),
		STORY(flags_set_by_a_refusal),
		STORY(flags_that_nobody_asked_for),
		STORY(a_page_accessed_without_hardware_flags),
	};

	return cmocka_run_group_tests_name("lockstep-space", tests, NULL, NULL);
}

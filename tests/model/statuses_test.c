/* SPDX-License-Identifier: BSD-3-Clause */
/* What the store machine says of operations before they are asked for, by the state alone: whether they may
 * be (op_pre), and how they may end (op_statuses). */
#include "story.h"

#include <step.h>

static struct vm_io_range range;

static struct store *store(void)
{
	return (struct store *)(uintptr_t)model_store();
}

static store_id id(const void *object)
{
	return (store_id)(uintptr_t)object;
}

/* All objects there are, and a page of length. */
static struct op any(enum mm_operation_kind kind)
{
	return (struct op){
		.kind = kind,
		.space = id(&story_space),
		.cursor = id(&story_cursor),
		.reader = id(&range),
		.writer = id(&range),
		.address = iaddr(4 * PAGE_SIZE),
		.range = pages(64, 1),
		.pages = prange(paddr(data(5)), paddr(data(6))),
		.handle_pages = prange(paddr(data(5)), paddr(data(6))),
		.property = RW,
		.length = PAGE_SIZE,
		.request = { .page_count = 1, .alignment = PAGE_SIZE },
		.place = PLACE_GHOST,
	};
}

static void expect_statuses(const struct op *op, status_set expected)
{
	status_set allowed = op_statuses(store(), op);

	if (allowed != expected)
		fail_msg("%s may be 0x%x, not 0x%x", op_information(op->kind)->name, allowed,
			 expected);
}

/* Areas have stories of their own (lockstep_asked_test.c). */
static void what_has_ended_cannot_be_asked(void **state)
{
	const uint64_t objects =
		ARG_SPACE | ARG_CURSOR | ARG_FRAME | ARG_UNIQUE | ARG_SEGMENT | ARG_SHARING;
	const struct op_made made = { .id = 7, .kind = SHARE_FRAME };

	(void)state;
	store_add_handle(store(), &made);
	store_remove_handle(store(), store_handle(store(), made.id));
	registry_end(&store()->registry, &made);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_space(OPERATION_SPACE_DESTROY, MM_OK);
	for (int kind = 0; kind < OPERATION_COUNT; kind++) {
		struct op op = any((enum mm_operation_kind)kind);

		op.handle = made.id;
		op.sharing = id(&made);
		if ((op_information(op.kind)->arguments & objects) != 0 &&
		    op_pre(store(), &op) == NULL)
			fail_msg("%s may be asked of what has ended",
				 op_information(op.kind)->name);
	}
}

static void what_lives_can_be_asked_where_it_is(void **state)
{
	struct op op = any(OPERATION_CURSOR_UNMAP);

	(void)state;
	assert_null(op_pre(store(), &op));
	op.cpu = 1; /* a cursor stays on the CPU that opened it */
	assert_non_null(op_pre(store(), &op));
	op = any(OPERATION_SPACE_DESTROY);
	assert_null(op_pre(store(), &op));
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_space(OPERATION_SPACE_DESTROY, MM_OK);
	assert_non_null(op_pre(store(), &op));
}

static void every_operation_has_statuses(void **state)
{
	(void)state;
	range = (struct vm_io_range){ .cursor = data(5), .end = data(6), .kind = VM_IO_HYPERVISOR };
	store_note_io(store(), id(&range), &range);
	for (int kind = 0; kind < OPERATION_COUNT; kind++) {
		struct op op = any((enum mm_operation_kind)kind);
		status_set allowed = op_statuses(store(), &op);

		if (allowed == 0 || allowed == STATUS_ANY)
			fail_msg("%s may be 0x%x", op_information(op.kind)->name, allowed);
	}
}

static void cursors_are_asked_where_they_are(void **state)
{
	struct op op = any(OPERATION_CURSOR_MAP);

	(void)state;
	expect_statuses(&op, STATUS_SET(MM_OK) | STATUS_SET(MM_NO_MEMORY));
	tell_jump(3);
	expect_statuses(&op, STATUS_SET(MM_EXISTS) | STATUS_SET(MM_NO_MEMORY));
	op = any(OPERATION_CURSOR_UNMAP);
	expect_statuses(&op, STATUS_SET(MM_OK));
	op.length = 62 * PAGE_SIZE;
	expect_statuses(&op, STATUS_SET(MM_OUT_OF_BOUND));
	op = any(OPERATION_CURSOR_FIND_NEXT);
	expect_statuses(&op, STATUS_SET(MM_OK));
	tell_jump(4);
	expect_statuses(&op, STATUS_SET(MM_NOT_MAPPED));
	op = any(OPERATION_CURSOR_JUMP);
	op.address = iaddr(65 * PAGE_SIZE);
	expect_statuses(&op, STATUS_SET(MM_OUT_OF_BOUND));
}

static void what_is_held_is_busy(void **state)
{
	struct op op = any(OPERATION_CURSOR_OPEN);

	(void)state;
	expect_statuses(&op, STATUS_SET(MM_BUSY) | STATUS_SET(MM_OK));
	op.range = pages(63, 2);
	expect_statuses(&op, STATUS_SET(MM_BUSY));
	op.cpu = 1; /* which waits */
	expect_statuses(&op, STATUS_SET(MM_OK));
	op = any(OPERATION_SPACE_DESTROY);
	expect_statuses(&op, STATUS_SET(MM_BUSY));
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	expect_statuses(&op, STATUS_SET(MM_OK));
}

/* Who has a cursor open waits for no node of any space: where there are other CPUs, one may have it. */
static void what_another_cpu_may_hold_is_busy(void **state)
{
	static struct vm_space other;
	const struct mm_operation make = {
		.kind = OPERATION_SPACE_NEW, .space = &other, .stage = STAGE_2, .ia_bits = 32
	};
	struct op op = any(OPERATION_CURSOR_OPEN);

	(void)state;
	other = story_space;
	fake_operation(&make);
	op.space = id(&other);
	expect_statuses(&op, STATUS_SET(MM_OK));
	machine_current_cpu = 1;
	tell_space(OPERATION_SPACE_ACTIVATE, MM_OK);
	machine_current_cpu = 0;
	expect_statuses(&op, STATUS_SET(MM_BUSY) | STATUS_SET(MM_OK));
	op.range = pages(0, 0);
	expect_statuses(&op, STATUS_SET(MM_INVALID_ARGS));
	op.range = pages(64, 1);
	op.cpu = 1; /* which has no cursor */
	expect_statuses(&op, STATUS_SET(MM_OK));
	op.cpu = 0;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	expect_statuses(&op, STATUS_SET(MM_OK));
}

static void transfers_end_where_nothing_is_mapped(void **state)
{
	struct op op = any(OPERATION_READER_READ_VAL);

	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	range = (struct vm_io_range){ .cursor = 3 * PAGE_SIZE,
				      .end = 5 * PAGE_SIZE,
				      .kind = VM_IO_SPACE,
				      .fallible = true,
				      .space = &story_space };
	store_note_io(store(), id(&range), &range);
	expect_statuses(&op, STATUS_SET(MM_OK));
	op.length = PAGE_SIZE + 1;
	expect_statuses(&op, STATUS_SET(MM_PAGE_FAULT));
	op.length = 2 * PAGE_SIZE + 1;
	expect_statuses(&op, STATUS_SET(MM_INVALID_ARGS));
}

/* Of a range that is taken, one page is enough to refuse all. */
static void every_page_of_a_range_is_asked(void **state)
{
	struct op op = any(OPERATION_SEGMENT_FROM_UNUSED);

	(void)state;
	op.pages = prange(paddr(data(5)), paddr(data(8)));
	expect_statuses(&op, STATUS_SET(MM_OK));
	store_page(store(), paddr(data(7)), 1)->state = PAGE_SHARED;
	expect_statuses(&op, STATUS_SET(MM_IN_USE));
	op.kind = OPERATION_SEGMENT_FROM_RESERVED;
	fake_set_state(paddr(data(5)), PAGE_RESERVED, 0);
	fake_set_state(paddr(data(6)), PAGE_RESERVED, 0);
	expect_statuses(&op, STATUS_SET(MM_ACCESS_DENIED));
	op.pages.end = paddr(data(7));
	expect_statuses(&op, STATUS_SET(MM_OK));
	fake_set_state(paddr(data(6)), PAGE_UNUSED, 0);
	expect_statuses(&op, STATUS_SET(MM_ACCESS_DENIED));
}

static void no_page_has_more_references_than_there_can_be(void **state)
{
	struct op segment = any(OPERATION_SEGMENT_CLONE);
	struct op frame = any(OPERATION_FRAME_CLONE);
	struct page_record *record = store_page(store(), paddr(data(3)), 1);

	(void)state;
	segment.handle_pages = prange(paddr(data(0)), paddr(data(4)));
	frame.handle_pages = prange(paddr(data(3)), paddr(data(4)));
	record->references = FRAME_REFERENCES_MAX - 1;
	expect_statuses(&segment, STATUS_SET(MM_OK));
	expect_statuses(&frame, STATUS_SET(MM_OK));
	record->references = FRAME_REFERENCES_MAX;
	expect_statuses(&segment, STATUS_SET(MM_SATURATED));
	expect_statuses(&frame, STATUS_SET(MM_SATURATED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(what_has_ended_cannot_be_asked),
		STORY(what_lives_can_be_asked_where_it_is),
		STORY(every_operation_has_statuses),
		STORY(cursors_are_asked_where_they_are),
		STORY(what_is_held_is_busy),
		STORY(what_another_cpu_may_hold_is_busy),
		STORY(transfers_end_where_nothing_is_mapped),
		STORY(every_page_of_a_range_is_asked),
		STORY(no_page_has_more_references_than_there_can_be),
	};

	return cmocka_run_group_tests_name("statuses", tests, NULL, NULL);
}

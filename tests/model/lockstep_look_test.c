/* SPDX-License-Identifier: BSD-3-Clause */
/* Lies of what only looks at a frame, a segment, a list, a reader or a writer. */
#include "story.h"

#define FRAME 3001
#define SEGMENT 3002
#define LISTED 3003

static struct frame_list *const list = (struct frame_list *)0x1000;

static struct mm_handle handle(enum share_kind kind, uint32_t nonce, unsigned int page,
			       unsigned int count)
{
	return (struct mm_handle){ .certificate = { 1, nonce },
				   .pages = prange(paddr(data(page)), paddr(data(page + count))),
				   .kind = kind };
}

static void make(enum mm_operation_kind kind, struct mm_handle made)
{
	for (uint64_t page = made.pages.start.value; page < made.pages.end.value; page += PAGE_SIZE)
		fake_set_state(paddr(page), PAGE_FRAME, made.kind == SHARE_UNIQUE_FRAME ? 0 : 1);
	fake_operation(
		&(struct mm_operation){ .kind = kind, .pages = made.pages, .made = { made } });
}

static struct mm_handle frame(void)
{
	return handle(SHARE_FRAME, FRAME, 10, 1);
}

static struct mm_handle segment(void)
{
	return handle(SHARE_SEGMENT, SEGMENT, 11, 2);
}

/* A frame, a segment of two pages, and a list of one. */
static int look_set_up(void **state)
{
	struct mm_handle listed = handle(SHARE_UNIQUE_FRAME, LISTED, 14, 1);

	story_set_up(state);
	make(OPERATION_FRAME_FROM_UNUSED, frame());
	make(OPERATION_SEGMENT_FROM_UNUSED, segment());
	make(OPERATION_UNIQUE_FROM_UNUSED, listed);
	fake_operation(&(struct mm_operation){ .kind = OPERATION_LIST_PUSH_BACK,
					       .list = list,
					       .used = listed,
					       .place = PLACE_GHOST });
	expect_truth();
	return 0;
}

#define LOOK(name) cmocka_unit_test_setup_teardown(name, look_set_up, story_tear_down)

static void tell_look(enum mm_operation_kind kind, struct mm_handle used, uint64_t result)
{
	fake_operation(&(struct mm_operation){ .kind = kind, .used = used, .result = result });
}

static void a_frame_referenced_more_often(void **state)
{
	(void)state;
	tell_look(OPERATION_FRAME_REFERENCE_COUNT, frame(), 1);
	expect_truth();
	tell_look(OPERATION_FRAME_REFERENCE_COUNT, frame(), 7);
	expect_lie("frame_reference_count in space 0 at 0x80032000: says 7, model says 1");
}

/* Another CPU's reference may have come and gone since. */
static void references_while_others_are_at_work(void **state)
{
	(void)state;
	machine_current_cpu = 1;
	tell_look(OPERATION_FRAME_BORROW, frame(), data(10));
	machine_current_cpu = 0;
	tell_look(OPERATION_FRAME_REFERENCE_COUNT, frame(), 2);
	expect_truth();
}

static void a_borrowed_name_of_another_page(void **state)
{
	(void)state;
	tell_look(OPERATION_FRAME_BORROW, frame(), data(10));
	expect_truth();
	tell_look(OPERATION_FRAME_BORROW, frame(), data(11));
	expect_lie("frame_borrow in space 0 at 0x80032000: says");
}

static void a_segment_of_another_size(void **state)
{
	(void)state;
	tell_look(OPERATION_SEGMENT_SIZE, segment(), 2 * PAGE_SIZE);
	expect_truth();
	tell_look(OPERATION_SEGMENT_SIZE, segment(), 2 * PAGE_SIZE + 1);
	expect_lie("segment_size in space 0 at 0x80033000: says 8193, model says 8192");
}

static void a_list_of_another_size(void **state)
{
	struct mm_operation size = { .kind = OPERATION_LIST_SIZE, .list = list, .result = 1 };

	(void)state;
	fake_operation(&size);
	expect_truth();
	size.result = 2;
	fake_operation(&size);
	expect_lie("frame_list_size in space 0 at 0x0: says 2, model says 1");
}

static void a_list_empty_that_is_not(void **state)
{
	struct mm_operation empty = { .kind = OPERATION_LIST_IS_EMPTY, .list = list };

	(void)state;
	fake_operation(&empty);
	expect_truth();
	empty.answer = true;
	fake_operation(&empty);
	expect_lie("frame_list_is_empty in space 0 at 0x0: says true, model says false");
}

static struct mm_operation current_of(struct paddr place, bool answer, struct paddr now)
{
	return (struct mm_operation){ .kind = OPERATION_LIST_CURSOR_CURRENT,
				      .list = list,
				      .place = place,
				      .answer = answer,
				      .place_now = now };
}

static void the_frame_of_another_place(void **state)
{
	struct mm_operation ghost = current_of(PLACE_GHOST, false, PLACE_GHOST);
	struct mm_operation at = current_of(paddr(data(14)), true, paddr(data(14)));

	(void)state;
	fake_operation(&ghost);
	fake_operation(&at);
	expect_truth();
	at.place_now = paddr(data(15));
	fake_operation(&at);
	expect_lie("frame_list_cursor_current in space 0 at 0x0: comes to 0x80037000, model says "
		   "0x80036000");
}

static void a_frame_at_the_ghost(void **state)
{
	struct mm_operation ghost = current_of(PLACE_GHOST, true, PLACE_GHOST);

	(void)state;
	fake_operation(&ghost);
	expect_lie("says true, model says false");
}

/* It takes the frame out, and looks past it. */
static void the_place_after_a_frame_that_was_taken(void **state)
{
	struct mm_operation take = {
		.kind = OPERATION_LIST_CURSOR_TAKE,
		.list = list,
		.place = paddr(data(14)),
		.answer = true,
		.made = { handle(SHARE_UNIQUE_FRAME, LISTED + 1, 14, 1) },
		.place_now = paddr(data(15)),
	};

	(void)state;
	fake_operation(&take);
	expect_lie("frame_list_cursor_take in space 0 at 0x0: comes to 0x80037000, model says "
		   "0xffffffffffffffff");
}

static const struct vm_io_range range = { .cursor = 0x1000, .end = 0x1010 };
static struct vm_io_range now;

static void tell_remain(enum mm_operation_kind kind, uint64_t result)
{
	struct mm_operation look = { .kind = kind, .result = result };
	struct mm_io io = { &now, range };

	if (kind == OPERATION_READER_REMAIN)
		look.reader = io;
	else
		look.writer = io;
	fake_operation(&look);
}

static void a_reader_of_another_size(void **state)
{
	(void)state;
	now = range;
	tell_remain(OPERATION_READER_REMAIN, 16);
	expect_truth();
	tell_remain(OPERATION_READER_REMAIN, 17);
	expect_lie("vm_reader_remain in space 0 at 0x1000: says 17, model says 16");
}

static void a_writer_of_another_size(void **state)
{
	(void)state;
	now = range;
	tell_remain(OPERATION_WRITER_AVAIL, 16);
	expect_truth();
	tell_remain(OPERATION_WRITER_AVAIL, 0);
	expect_lie("vm_writer_avail in space 0 at 0x1000: says 0, model says 16");
}

static void a_look_that_moves_a_cursor(void **state)
{
	(void)state;
	now = range;
	now.cursor++;
	tell_remain(OPERATION_READER_REMAIN, 16);
	expect_lie("the cursor moved 1 bytes, model says 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOK(a_frame_referenced_more_often),
		LOOK(references_while_others_are_at_work),
		LOOK(a_borrowed_name_of_another_page),
		LOOK(a_segment_of_another_size),
		LOOK(a_list_of_another_size),
		LOOK(a_list_empty_that_is_not),
		LOOK(the_frame_of_another_place),
		LOOK(a_frame_at_the_ghost),
		LOOK(the_place_after_a_frame_that_was_taken),
		LOOK(a_reader_of_another_size),
		LOOK(a_writer_of_another_size),
		LOOK(a_look_that_moves_a_cursor),
	};

	return cmocka_run_group_tests_name("lockstep-look", tests, NULL, NULL);
}

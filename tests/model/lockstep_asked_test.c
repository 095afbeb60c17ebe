/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations that nobody may ask for: with objects that have ended, or are not the asker's. */
#include "story.h"

#include <op.h>

#include <stdio.h>

#define HANDLE 7

static struct vm_space other;
static struct frame_list *const list = (struct frame_list *)0x6000;
static struct sharing *const sharing = (struct sharing *)0x7000;
static int kvirt, area; /* names */

/* Of which arguments it was told that they are not what may be asked with. */
static uint64_t told;

static struct mm_handle handle(enum share_kind kind, uint32_t nonce)
{
	return (struct mm_handle){ .certificate = { 1, nonce },
				   .pages = prange(paddr(data(8)), paddr(data(9))),
				   .kind = kind };
}

static void tell_made(enum mm_operation_kind kind, enum share_kind share)
{
	struct mm_operation operation = { .kind = kind };

	operation.made[0] = handle(share, HANDLE);
	operation.pages = operation.made[0].pages;
	fake_set_state(paddr(data(8)), PAGE_FRAME, share == SHARE_UNIQUE_FRAME ? 0 : 1);
	fake_operation(&operation);
	expect_truth();
}

static void tell_used(enum mm_operation_kind kind, enum share_kind share)
{
	struct mm_operation operation = { .kind = kind };

	operation.used = handle(share, HANDLE);
	fake_operation(&operation);
}

static void make_other(enum translation_stage stage)
{
	other = story_space;
	other.stage = stage;
	other.root = fake_page(20);
	fake_set_state(other.root, PAGE_TABLE, 1);
	fake_operation(&(struct mm_operation){ .kind = OPERATION_SPACE_NEW, .space = &other });
	expect_truth();
}

static void tell_other(enum mm_operation_kind kind)
{
	fake_operation(&(struct mm_operation){ .kind = kind, .space = &other });
}

/* It lived, and does not any more. */
static void end_other(void)
{
	make_other(STAGE_2);
	tell_other(OPERATION_SPACE_DESTROY);
	expect_truth();
}

static void expect_unasked(uint64_t argument, const char *lacks)
{
	char words[100];

	snprintf(words, sizeof(words), ": asked without its precondition: %s", lacks);
	if (strstr(story_first_line, words) == NULL)
		fail_msg("first told: %s", story_first_line);
	told |= argument;
}

/* ---- Spaces and what belongs to one -------------------------------------------------------- */

static void a_space_that_was_destroyed(void **state)
{
	(void)state;
	end_other();
	tell_other(OPERATION_SPACE_ACTIVATE);
	expect_unasked(ARG_SPACE, "the space was destroyed");
}

static void a_space_that_was_made_again(void **state)
{
	(void)state;
	end_other();
	make_other(STAGE_2);
	tell_other(OPERATION_SPACE_DESTROY);
	expect_truth();
}

static void a_space_from_before_the_model(void **state)
{
	(void)state;
	other = story_space;
	tell_other(OPERATION_SPACE_ACTIVATE);
	expect_truth();
}

static void a_cursor_that_was_closed(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	expect_truth();
	tell_jump(5);
	expect_unasked(ARG_CURSOR, "the cursor is not open");
	expect_lie("cursor_jump in space 1 at 0x4000: asked without");
}

static void a_cursor_of_another_cpu(void **state)
{
	(void)state;
	machine_current_cpu = 1;
	tell_jump(5);
	expect_unasked(ARG_CURSOR, "the cursor is another CPU's");
	machine_current_cpu = 0;
}

static void a_flush_of_a_space_that_was_destroyed(void **state)
{
	(void)state;
	end_other();
	fake_operation(&(struct mm_operation){ .kind = OPERATION_FLUSH_DISPATCH,
					       .space = &other,
					       .gather = &story_cursor.gather });
	expect_unasked(ARG_GATHER, "the space was destroyed");
}

static const struct vm_io_range of_other = {
	.cursor = PAGE_SIZE, .end = 2 * PAGE_SIZE, .kind = VM_IO_SPACE, .space = &other
};

static void a_reader_of_a_space_that_was_destroyed(void **state)
{
	(void)state;
	end_other();
	fake_operation(&(struct mm_operation){ .kind = OPERATION_READER_LIMIT,
					       .length = PAGE_SIZE,
					       .reader = { &of_other, of_other } });
	expect_unasked(ARG_READER, "the reader's space was destroyed");
}

static void a_writer_of_a_space_that_was_destroyed(void **state)
{
	(void)state;
	end_other();
	fake_operation(&(struct mm_operation){ .kind = OPERATION_WRITER_LIMIT,
					       .length = PAGE_SIZE,
					       .writer = { &of_other, of_other } });
	expect_unasked(ARG_WRITER, "the writer's space was destroyed");
}

static void tell_area(enum mm_operation_kind kind, struct irange range)
{
	fake_operation(&(struct mm_operation){ .kind = kind,
					       .space = &other,
					       .kvirt = &kvirt,
					       .area = &area,
					       .length = irange_size(range),
					       .range = range });
}

static void an_area_of_what_gives_none(void **state)
{
	(void)state;
	make_other(STAGE_1);
	tell_area(OPERATION_KVIRT_NEW, pages(8, 16));
	tell_area(OPERATION_KVIRT_DESTROY, pages(0, 0));
	expect_truth();
	tell_area(OPERATION_AREA_ALLOC, pages(9, 1));
	expect_unasked(ARG_KVIRT, "it gives no areas any more");
}

static void an_area_given_back_twice(void **state)
{
	(void)state;
	make_other(STAGE_1);
	tell_area(OPERATION_KVIRT_NEW, pages(8, 16));
	tell_area(OPERATION_AREA_ALLOC, pages(9, 1));
	tell_area(OPERATION_AREA_DROP, pages(9, 1));
	expect_truth();
	tell_area(OPERATION_AREA_DROP, pages(9, 1));
	expect_unasked(ARG_AREA, "the area was given back");
}

/* ---- Handles ------------------------------------------------------------------------------- */

static void a_frame_dropped_twice(void **state)
{
	(void)state;
	tell_made(OPERATION_FRAME_FROM_UNUSED, SHARE_FRAME);
	tell_used(OPERATION_FRAME_DROP, SHARE_FRAME);
	expect_truth();
	tell_used(OPERATION_FRAME_DROP, SHARE_FRAME);
	expect_unasked(ARG_FRAME, "the handle has ended");
}

static void a_frame_that_is_raw(void **state)
{
	(void)state;
	tell_made(OPERATION_FRAME_FROM_UNUSED, SHARE_FRAME);
	tell_used(OPERATION_FRAME_INTO_RAW, SHARE_FRAME);
	expect_truth();
	tell_used(OPERATION_FRAME_DROP, SHARE_FRAME);
	expect_unasked(ARG_FRAME, "the handle is raw");
}

static void a_segment_that_is_a_frame(void **state)
{
	(void)state;
	tell_made(OPERATION_FRAME_FROM_UNUSED, SHARE_FRAME);
	tell_used(OPERATION_SEGMENT_INTO_RAW, SHARE_SEGMENT);
	expect_unasked(ARG_SEGMENT, "the handle is of another kind");
}

static void a_unique_frame_dropped_twice(void **state)
{
	(void)state;
	tell_made(OPERATION_UNIQUE_FROM_UNUSED, SHARE_UNIQUE_FRAME);
	tell_used(OPERATION_UNIQUE_DROP, SHARE_UNIQUE_FRAME);
	expect_truth();
	tell_used(OPERATION_UNIQUE_DROP, SHARE_UNIQUE_FRAME);
	expect_unasked(ARG_UNIQUE, "the handle has ended");
}

static void tell_from_raw(enum mm_operation_kind kind, enum share_kind share)
{
	struct mm_operation raw = { .kind = kind };

	tell_made(OPERATION_FRAME_FROM_UNUSED, SHARE_FRAME);
	raw.made[0] = handle(share, HANDLE + 1);
	raw.pages = raw.made[0].pages;
	fake_operation(&raw);
}

static void an_address_that_was_no_frame(void **state)
{
	(void)state;
	tell_from_raw(OPERATION_FRAME_FROM_RAW, SHARE_FRAME);
	expect_unasked(ARG_RAW_FRAME, "no handle to it is raw");
}

static void an_address_that_was_no_unique_frame(void **state)
{
	(void)state;
	tell_from_raw(OPERATION_UNIQUE_FROM_RAW, SHARE_UNIQUE_FRAME);
	expect_unasked(ARG_RAW_UNIQUE, "no handle to it is raw");
}

static void an_address_that_was_no_segment(void **state)
{
	(void)state;
	tell_from_raw(OPERATION_SEGMENT_FROM_RAW, SHARE_SEGMENT);
	expect_unasked(ARG_RAW_SEGMENT, "no handle to it is raw");
}

/* ---- Lists --------------------------------------------------------------------------------- */

static void tell_push(void)
{
	struct mm_operation push = { .kind = OPERATION_LIST_PUSH_BACK, .list = list };

	fake_operation(&(struct mm_operation){ .kind = OPERATION_LIST_NEW, .list = list });
	tell_made(OPERATION_UNIQUE_FROM_UNUSED, SHARE_UNIQUE_FRAME);
	push.used = handle(SHARE_UNIQUE_FRAME, HANDLE);
	fake_operation(&push);
	expect_truth();
}

static void a_list_begun_anew_with_frames(void **state)
{
	(void)state;
	tell_push();
	fake_operation(&(struct mm_operation){ .kind = OPERATION_LIST_NEW, .list = list });
	expect_unasked(ARG_LIST, "the list has frames");
}

static void a_place_at_a_frame_of_no_list(void **state)
{
	(void)state;
	tell_push();
	fake_operation(&(struct mm_operation){ .kind = OPERATION_LIST_CURSOR_MOVE_NEXT,
					       .list = list,
					       .place = paddr(data(9)),
					       .place_now = paddr(data(8)) });
	expect_unasked(ARG_PLACE, "the cursor's frame is not in the list");
	expect_lie("frame_list_cursor_move_next");
}

/* ---- Owners -------------------------------------------------------------------------------- */

static void tell_sharing(enum mm_operation_kind kind, const struct vm_space *member)
{
	fake_operation(&(struct mm_operation){ .kind = kind,
					       .from = &story_space,
					       .sharing = sharing,
					       .members = &member,
					       .member_count = 1 });
}

static void a_member_that_was_destroyed(void **state)
{
	(void)state;
	end_other();
	tell_sharing(OPERATION_SHARING_NEW, &other);
	expect_unasked(ARG_OWNERS, "an owner was destroyed");
}

static void a_sharing_destroyed_twice(void **state)
{
	(void)state;
	make_other(STAGE_2);
	tell_sharing(OPERATION_SHARING_NEW, &other);
	tell_sharing(OPERATION_SHARING_DESTROY, &other);
	expect_truth();
	tell_sharing(OPERATION_SHARING_DESTROY, &other);
	expect_unasked(ARG_SHARING, "the sharing was destroyed");
}

/* The last: whatever names an object was told of once. */
static void every_object_can_be_lacking(void **state)
{
	(void)state;
	assert_int_equal(told, ARG_SPACE | ARG_CURSOR | ARG_FRAME | ARG_UNIQUE | ARG_SEGMENT |
				       ARG_RAW_FRAME | ARG_RAW_UNIQUE | ARG_RAW_SEGMENT | ARG_LIST |
				       ARG_PLACE | ARG_GATHER | ARG_READER | ARG_WRITER |
				       ARG_KVIRT | ARG_AREA | ARG_OWNERS | ARG_SHARING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_space_that_was_destroyed),
		STORY(a_space_that_was_made_again),
		STORY(a_space_from_before_the_model),
		STORY(a_cursor_that_was_closed),
		STORY(a_cursor_of_another_cpu),
		STORY(a_flush_of_a_space_that_was_destroyed),
		STORY(a_reader_of_a_space_that_was_destroyed),
		STORY(a_writer_of_a_space_that_was_destroyed),
		STORY(an_area_of_what_gives_none),
		STORY(an_area_given_back_twice),
		STORY(a_frame_dropped_twice),
		STORY(a_frame_that_is_raw),
		STORY(a_segment_that_is_a_frame),
		STORY(a_unique_frame_dropped_twice),
		STORY(an_address_that_was_no_frame),
		STORY(an_address_that_was_no_unique_frame),
		STORY(an_address_that_was_no_segment),
		STORY(a_list_begun_anew_with_frames),
		STORY(a_place_at_a_frame_of_no_list),
		STORY(a_member_that_was_destroyed),
		STORY(a_sharing_destroyed_twice),
		STORY(every_object_can_be_lacking),
	};

	return cmocka_run_group_tests_name("lockstep-asked", tests, NULL, NULL);
}

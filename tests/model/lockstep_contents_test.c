/* SPDX-License-Identifier: BSD-3-Clause */
/* Lies about what is in pages that were allocated. */
#include "story.h"

#include <strata/frame_request.h>

static uint64_t *word(unsigned int page, unsigned int index)
{
	return (uint64_t *)mm_linear(paddr(data(page))) + index;
}

/* @count pages from data page 10 on. */
static void tell_allocated(enum mm_operation_kind kind, enum share_kind share, unsigned int count,
			   enum frame_contents contents)
{
	struct frame_request request = { .page_count = count,
					 .alignment = PAGE_SIZE,
					 .contents = contents };
	struct mm_operation operation = {
		.kind = kind,
		.made = { { .certificate = { 1, 4001 },
			    .pages = prange(paddr(data(10)), paddr(data(10 + count))),
			    .kind = share } },
	};

	if (share == SHARE_SEGMENT)
		operation.request = &request;
	else
		operation.contents = contents;
	for (unsigned int i = 0; i < count; i++)
		fake_set_state(paddr(data(10 + i)), PAGE_FRAME, share != SHARE_UNIQUE_FRAME);
	fake_operation(&operation);
}

static void a_frame_with_a_secret(void **state)
{
	(void)state;
	*word(10, 511) = 7;
	tell_allocated(OPERATION_FRAME_ALLOC, SHARE_FRAME, 1, FRAME_ZEROED);
	expect_lie(
		"frame_alloc in space 0 at 0x80032ff8: 0x7 is left, where zeroes were asked for");
}

static void a_unique_frame_with_a_secret(void **state)
{
	(void)state;
	*word(10, 0) = 1;
	tell_allocated(OPERATION_UNIQUE_ALLOC, SHARE_UNIQUE_FRAME, 1, FRAME_ZEROED);
	expect_lie("unique_frame_alloc in space 0 at 0x80032000: 0x1 is left");
}

static void a_segment_with_a_secret(void **state)
{
	(void)state;
	*word(12, 1) = 1;
	tell_allocated(OPERATION_SEGMENT_ALLOC, SHARE_SEGMENT, 3, FRAME_ZEROED);
	expect_lie("segment_alloc in space 0 at 0x80034008: 0x1 is left");
}

static void a_requested_segment_with_a_secret(void **state)
{
	(void)state;
	*word(11, 1) = 1;
	tell_allocated(OPERATION_SEGMENT_REQUEST, SHARE_SEGMENT, 2, FRAME_ZEROED);
	expect_lie("segment_request in space 0 at 0x80033008: 0x1 is left");
}

/* Whatever was there: and beside what was asked for, anything. */
static void what_nobody_asked_to_be_zero(void **state)
{
	(void)state;
	*word(11, 0) = 1;
	tell_allocated(OPERATION_FRAME_ALLOC, SHARE_FRAME, 1, FRAME_ZEROED);
	fake_operation(
		&(struct mm_operation){ .kind = OPERATION_FRAME_DROP,
					.used = { .certificate = { 1, 4001 },
						  .pages = prange(paddr(data(10)), paddr(data(11))),
						  .kind = SHARE_FRAME } });
	tell_allocated(OPERATION_SEGMENT_ALLOC, SHARE_SEGMENT, 2, FRAME_UNDEFINED);
	expect_truth();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_frame_with_a_secret),	     STORY(a_unique_frame_with_a_secret),
		STORY(a_segment_with_a_secret),	     STORY(a_requested_segment_with_a_secret),
		STORY(what_nobody_asked_to_be_zero),
	};

	return cmocka_run_group_tests_name("lockstep-contents", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts that the model looks at while another CPU is between its word and its deed. */
#include "story.h"

/* A frame is made, with one reference; and looked at, when it has @references, of which CPU 1 gives one up
 * after so many looks (0: none). */
static void tell_frame_with(uint32_t references, unsigned int looks)
{
	struct paddr page = paddr(data(10));
	struct mm_handle frame = { .certificate = { 1, 4001 },
				   .pages = prange(page, paddr(data(11))),
				   .kind = SHARE_FRAME };

	fake_set_state(page, PAGE_FRAME, 1);
	fake_operation(&(struct mm_operation){ .kind = OPERATION_FRAME_ALLOC, .made = { frame } });
	expect_truth();
	fake_set_state(page, PAGE_FRAME, references);
	fake_give_up(page, looks);
	fake_operation(&(struct mm_operation){
		.kind = OPERATION_FRAME_BORROW, .used = frame, .result = page.value });
}

static void a_reference_that_nobody_took(void **state)
{
	(void)state;
	tell_frame_with(2, 0);
	expect_lie("the page is frame with 2 references, model says 1");
}

static void a_reference_that_is_given_up_after_the_first_look(void **state)
{
	(void)state;
	tell_frame_with(2, 1);
	expect_truth();
}

static void a_reference_that_is_given_up_after_the_second_look(void **state)
{
	(void)state;
	tell_frame_with(2, 2);
	expect_truth();
}

static void a_reference_that_is_given_up_later(void **state)
{
	(void)state;
	tell_frame_with(2, 100);
	expect_truth();
}

/* Whoever gives up, what was counted must be there. */
static void a_reference_that_is_not_there(void **state)
{
	(void)state;
	tell_frame_with(0, 100);
	expect_lie("the page is frame with 0 references, model says 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_reference_that_nobody_took),
		STORY(a_reference_that_is_given_up_after_the_first_look),
		STORY(a_reference_that_is_given_up_after_the_second_look),
		STORY(a_reference_that_is_given_up_later),
		STORY(a_reference_that_is_not_there),
	};

	return cmocka_run_group_tests_name("lockstep-count", tests, NULL, NULL);
}

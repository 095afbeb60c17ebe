/* SPDX-License-Identifier: BSD-3-Clause */
/* The model told lies about whose pages are mapped, and what becomes of the pages of who ends. */
#include "owner_story.h"

static void a_claim_of_anothers_page(void **state)
{
	(void)state;
	donate_to_story();
	tell_claim(&neighbour, part(8, 1), MM_OK);
	expect_lie("OWNER_CLAIM in space 0 at 0x80030000: status is MM_OK, model says "
		   "MM_ACCESS_DENIED");
}

static void a_claim_refused_without_a_reason(void **state)
{
	(void)state;
	tell_claim(&neighbour, part(8, 1), MM_ACCESS_DENIED);
	expect_lie("status is MM_ACCESS_DENIED, model says MM_OK");
}

static void a_claim_that_took_a_lent_page(void **state)
{
	(void)state;
	lend_by_story();
	tell_claim(&story_space, part(8, 1), MM_OK);
	expect_lie("status is MM_OK, model says MM_ACCESS_DENIED");
}

static void a_claim_that_changed_no_owner(void **state)
{
	(void)state;
	fake_operation(&(struct mm_operation){
		.kind = OPERATION_OWNER_CLAIM, .to = &neighbour, .pages = part(8, 1) });
	expect_lie("OWNER_CLAIM in space 0 at 0x80030000: the page is the hypervisor's");
}

static void a_page_mapped_that_nobody_claimed(void **state)
{
	(void)state;
	map_8();
	expect_lie("cursor_map in space 1 at 0x80030000: mapped, and nobody claimed the page");
}

static void a_page_claimed_and_not_mapped(void **state)
{
	(void)state;
	tell_frame_of_8();
	tell_claim(&story_space, part(8, 1), MM_OK);
	tell_map_of_8(MM_NO_MEMORY);
	expect_lie("cursor_map in space 1 at 0x80030000: pages were claimed, and are not mapped");
}

static void a_page_of_another_space_mapped(void **state)
{
	(void)state;
	tell_frame_of_8();
	tell_claim(&neighbour, part(8, 1), MM_OK);
	map_frame_of_8();
	expect_lie("status is MM_OK, model says MM_NO_MEMORY or MM_ACCESS_DENIED");
	expect_broken("X5");
}

static void a_page_of_another_space_denied(void **state)
{
	(void)state;
	set_owner(&neighbour);
	tell_donation(NULL, &neighbour, MM_OK, FRAME_UNDEFINED);
	tell_settled();
	tell_frame_of_8();
	tell_claim(&story_space, part(8, 1), MM_ACCESS_DENIED);
	tell_map_of_8(MM_ACCESS_DENIED);
	expect_truth();
}

static void a_page_of_its_own_denied(void **state)
{
	(void)state;
	donate_to_story();
	tell_frame_of_8();
	tell_map_of_8(MM_ACCESS_DENIED);
	expect_lie("status is MM_ACCESS_DENIED, model says MM_OK or MM_NO_MEMORY");
}

static void a_refused_map_that_took_the_page(void **state)
{
	(void)state;
	tell_frame_of_8();
	set_owner(&story_space);
	tell_map_of_8(MM_NO_MEMORY);
	expect_lie("cursor_map in space 1 at 0x80030000: the page is a space's");
}

static void a_lent_page_mapped_by_its_owner(void **state)
{
	(void)state;
	lend_by_story();
	map_8();
	expect_lie("status is MM_OK, model says MM_NO_MEMORY or MM_ACCESS_DENIED");
}

static void a_mapped_page_given_away_unseen(void **state)
{
	(void)state;
	fake_set_owner(paddr(data(3)), &neighbour);
	model_check_all();
	expect_lie("full check in space 0 at 0x8002b000: the page is a space's");
}

/* ---- The end of a space ---------------------------------------------------------------------- */

static void tell_end_of_neighbour(void)
{
	set_owner(&neighbour);
	tell_donation(NULL, &neighbour, MM_OK, FRAME_UNDEFINED);
	tell_settled();
	fake_operation(
		&(struct mm_operation){ .kind = OPERATION_SPACE_DESTROY, .space = &neighbour });
	expect_truth();
}

static void pages_that_outlive_their_owner(void **state)
{
	(void)state;
	tell_end_of_neighbour();
	set_owner(NULL);
	fake_operation(&(struct mm_operation){ .kind = OPERATION_OWNER_END, .from = &neighbour });
	donate_to_story();
	assert_int_equal(model_check_all(), 0);
	expect_truth();
}

static void pages_kept_by_who_has_ended(void **state)
{
	(void)state;
	tell_end_of_neighbour();
	fake_operation(&(struct mm_operation){ .kind = OPERATION_OWNER_END, .from = &neighbour });
	expect_lie("OWNER_END in space 0 at 0x80030000: the page is a space's");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWNER_STORY(a_claim_of_anothers_page),
		OWNER_STORY(a_claim_refused_without_a_reason),
		OWNER_STORY(a_claim_that_took_a_lent_page),
		OWNER_STORY(a_claim_that_changed_no_owner),
		OWNER_STORY(a_page_mapped_that_nobody_claimed),
		OWNER_STORY(a_page_claimed_and_not_mapped),
		OWNER_STORY(a_page_of_another_space_mapped),
		OWNER_STORY(a_page_of_another_space_denied),
		OWNER_STORY(a_page_of_its_own_denied),
		OWNER_STORY(a_refused_map_that_took_the_page),
		OWNER_STORY(a_lent_page_mapped_by_its_owner),
		OWNER_STORY(a_mapped_page_given_away_unseen),
		OWNER_STORY(pages_that_outlive_their_owner),
		OWNER_STORY(pages_kept_by_who_has_ended),
	};

	return cmocka_run_group_tests_name("lockstep-claim", tests, NULL, NULL);
}

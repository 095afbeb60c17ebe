/* SPDX-License-Identifier: BSD-3-Clause */
/* The model told lies about how pages change hands, and about who shares them. */
#include "owner_story.h"

/* ---- The truth ------------------------------------------------------------------------------ */

static void pages_that_go_round(void **state)
{
	(void)state;
	share_by_story();
	set_owner(&story_space);
	tell_change(OPERATION_OWNERSHIP_UNSHARE, MM_OK);
	tell_settled();
	set_sharing(true);
	tell_change(OPERATION_OWNERSHIP_LEND, MM_OK);
	tell_settled();
	tell_sharing(OPERATION_SHARING_DESTROY, MM_BUSY);
	set_owner(&story_space);
	tell_change(OPERATION_OWNERSHIP_RECLAIM, MM_OK);
	tell_settled();
	tell_sharing(OPERATION_SHARING_DESTROY, MM_OK);
	set_owner(NULL);
	tell_donation(&story_space, NULL, MM_OK, FRAME_ZEROED);
	tell_settled();
	assert_int_equal(model_check_all(), 0);
	expect_truth();
}

static void refusals_with_a_reason(void **state)
{
	(void)state;
	tell_donation(&story_space, &story_space, MM_INVALID_ARGS, FRAME_UNDEFINED);
	tell_donation(&story_space, NULL, MM_ACCESS_DENIED, FRAME_UNDEFINED);
	tell_settled();
	share_by_story();
	tell_claim(&neighbour, part(0, 1), MM_ACCESS_DENIED);
	map_8();
	tell_change(OPERATION_OWNERSHIP_UNSHARE, MM_IN_USE);
	assert_int_equal(model_check_all(), 0);
	expect_truth();
}

/* ---- Sharings ------------------------------------------------------------------------------- */

static void a_sharing_with_its_owner_as_a_member(void **state)
{
	const struct vm_space *const both[] = { &neighbour, &story_space };

	(void)state;
	fake_operation(&(struct mm_operation){ .kind = OPERATION_SHARING_NEW,
					       .from = &story_space,
					       .sharing = sharing,
					       .members = both,
					       .member_count = 2 });
	expect_lie("sharing_new in space 0 at 0x0: status is MM_OK, model says MM_INVALID_ARGS");
}

static void a_sharing_with_a_member_twice(void **state)
{
	const struct vm_space *const twice[] = { &neighbour, &neighbour };

	(void)state;
	fake_operation(&(struct mm_operation){ .kind = OPERATION_SHARING_NEW,
					       .sharing = sharing,
					       .members = twice,
					       .member_count = 2 });
	expect_lie("status is MM_OK, model says MM_INVALID_ARGS or MM_NO_MEMORY");
}

static void a_sharing_refused_without_a_reason(void **state)
{
	(void)state;
	tell_sharing(OPERATION_SHARING_NEW, MM_INVALID_ARGS);
	expect_lie("status is MM_INVALID_ARGS, model says MM_OK or MM_NO_MEMORY");
}

static void a_sharing_that_ended_with_pages_in_it(void **state)
{
	(void)state;
	share_by_story();
	tell_sharing(OPERATION_SHARING_DESTROY, MM_OK);
	expect_lie("sharing_destroy in space 0 at 0x0: status is MM_OK, model says MM_BUSY");
}

static void a_sharing_busy_without_a_page(void **state)
{
	(void)state;
	tell_sharing(OPERATION_SHARING_NEW, MM_OK);
	tell_sharing(OPERATION_SHARING_DESTROY, MM_BUSY);
	expect_lie("status is MM_BUSY, model says MM_OK");
}

/* ---- Pages change hands --------------------------------------------------------------------- */

static void a_donation_of_anothers_pages(void **state)
{
	(void)state;
	tell_donation(&neighbour, &story_space, MM_OK, FRAME_UNDEFINED);
	expect_lie("ownership_donate in space 0 at 0x80030000: status is MM_OK, model says "
		   "MM_ACCESS_DENIED");
}

static void a_donation_to_the_giver(void **state)
{
	(void)state;
	tell_donation(NULL, NULL, MM_OK, FRAME_UNDEFINED);
	expect_lie("status is MM_OK, model says MM_INVALID_ARGS");
}

static void a_donation_refused_without_a_reason(void **state)
{
	(void)state;
	tell_donation(NULL, &story_space, MM_IN_USE, FRAME_UNDEFINED);
	expect_lie("status is MM_IN_USE, model says MM_OK");
}

static void a_donation_of_pages_that_somebody_holds(void **state)
{
	(void)state;
	donate_to_story();
	map_8();
	tell_donation(&story_space, &neighbour, MM_OK, FRAME_UNDEFINED);
	expect_lie("ownership_donate in space 0 at 0x80030000: status is MM_OK, model says "
		   "MM_IN_USE");
}

static void a_donation_that_one_page_missed(void **state)
{
	(void)state;
	fake_set_owner(paddr(data(8)), &story_space);
	tell_donation(NULL, &story_space, MM_OK, FRAME_UNDEFINED);
	tell_settled();
	expect_lie("OWNERSHIP_SETTLED in space 0 at 0x80031000: the page is the hypervisor's");
}

static void a_donation_to_somebody_else(void **state)
{
	(void)state;
	set_owner(&neighbour);
	tell_donation(NULL, &story_space, MM_OK, FRAME_UNDEFINED);
	tell_settled();
	expect_lie("OWNERSHIP_SETTLED in space 0 at 0x80030000: the page is a space's");
}

static void a_refused_donation_that_changed_a_page(void **state)
{
	(void)state;
	tell_donation(&story_space, NULL, MM_ACCESS_DENIED, FRAME_UNDEFINED);
	fake_set_owner(paddr(data(9)), &neighbour);
	tell_settled();
	expect_lie("at 0x80031000: the page is a space's");
}

static void a_donation_that_left_a_secret(void **state)
{
	uint64_t *word = mm_linear(paddr(data(9) + 24));

	(void)state;
	set_owner(&story_space);
	*word = 7;
	tell_donation(NULL, &story_space, MM_OK, FRAME_ZEROED);
	expect_lie("ownership_donate in space 0 at 0x80031018: 0x7 is left, where zeroes were");
}

static void a_share_of_pages_of_the_hypervisor(void **state)
{
	(void)state;
	tell_sharing(OPERATION_SHARING_NEW, MM_OK);
	tell_change(OPERATION_OWNERSHIP_SHARE, MM_OK);
	expect_lie("ownership_share in space 0 at 0x80030000: status is MM_OK, model says "
		   "MM_ACCESS_DENIED");
}

static void a_share_that_lends(void **state)
{
	(void)state;
	donate_to_story();
	tell_sharing(OPERATION_SHARING_NEW, MM_OK);
	set_sharing(true);
	tell_change(OPERATION_OWNERSHIP_SHARE, MM_OK);
	expect_lie("the page is lent by a sharing (0x5000), model says shared in a sharing");
}

static void an_unshare_of_what_is_lent(void **state)
{
	(void)state;
	lend_by_story();
	tell_change(OPERATION_OWNERSHIP_UNSHARE, MM_OK);
	expect_lie("ownership_unshare in space 0 at 0x80030000: status is MM_OK, model says "
		   "MM_ACCESS_DENIED");
}

static void a_loan_of_what_is_shared(void **state)
{
	(void)state;
	share_by_story();
	tell_change(OPERATION_OWNERSHIP_LEND, MM_OK);
	expect_lie("ownership_lend in space 0 at 0x80030000: status is MM_OK, model says "
		   "MM_ACCESS_DENIED");
}

static void a_reclaim_refused_without_a_reason(void **state)
{
	(void)state;
	lend_by_story();
	tell_change(OPERATION_OWNERSHIP_RECLAIM, MM_ACCESS_DENIED);
	expect_lie("ownership_reclaim in space 0 at 0x80030000: status is MM_ACCESS_DENIED, model "
		   "says MM_OK");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWNER_STORY(pages_that_go_round),
		OWNER_STORY(refusals_with_a_reason),
		OWNER_STORY(a_sharing_with_its_owner_as_a_member),
		OWNER_STORY(a_sharing_with_a_member_twice),
		OWNER_STORY(a_sharing_refused_without_a_reason),
		OWNER_STORY(a_sharing_that_ended_with_pages_in_it),
		OWNER_STORY(a_sharing_busy_without_a_page),
		OWNER_STORY(a_donation_of_anothers_pages),
		OWNER_STORY(a_donation_to_the_giver),
		OWNER_STORY(a_donation_refused_without_a_reason),
		OWNER_STORY(a_donation_of_pages_that_somebody_holds),
		OWNER_STORY(a_donation_that_one_page_missed),
		OWNER_STORY(a_donation_to_somebody_else),
		OWNER_STORY(a_refused_donation_that_changed_a_page),
		OWNER_STORY(a_donation_that_left_a_secret),
		OWNER_STORY(a_share_of_pages_of_the_hypervisor),
		OWNER_STORY(a_share_that_lends),
		OWNER_STORY(an_unshare_of_what_is_lent),
		OWNER_STORY(a_loan_of_what_is_shared),
		OWNER_STORY(a_reclaim_refused_without_a_reason),
	};

	return cmocka_run_group_tests_name("lockstep-owner", tests, NULL, NULL);
}

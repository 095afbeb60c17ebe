/* SPDX-License-Identifier: BSD-3-Clause */
/* The model told lies about memory that comes and goes. */
#include "story.h"

#define FRAME 4001

static struct prange part(unsigned int first, unsigned int end)
{
	return prange(fake_page(first), fake_page(end));
}

static const unsigned int first = FAKE_PAGES, end = FAKE_PAGES + FAKE_PAGES_MORE;

static void tell_memory(enum mm_operation_kind kind, struct prange pages, enum mm_status status)
{
	fake_operation(&(struct mm_operation){ .kind = kind, .status = status, .pages = pages });
}

/* There are 16 pages more, three of them metadata, and nobody said so yet. */
static void have_more(void)
{
	fake_have_more(true);
	for (unsigned int page = first; page < end; page++)
		fake_set_state(fake_page(page), page < first + 3 ? PAGE_META : PAGE_UNUSED, 0);
}

static void add_more(void)
{
	have_more();
	tell_memory(OPERATION_MEMORY_ADD, part(first, end), MM_OK);
	expect_truth();
}

/* Page @page is taken, by a frame or a unique frame. */
static void tell_taken(enum mm_operation_kind kind, enum share_kind share, unsigned int page,
		       enum mm_status status)
{
	struct mm_operation operation = { .kind = kind,
					  .status = status,
					  .pages = part(page, page + 1) };

	if (status == MM_OK)
		operation.made[0] = (struct mm_handle){ .certificate = { 1, FRAME },
							.pages = part(page, page + 1),
							.kind = share };
	fake_operation(&operation);
}

static void tell_ended(enum mm_operation_kind kind, enum share_kind share, unsigned int page)
{
	fake_operation(&(struct mm_operation){ .kind = kind,
					       .used = { .certificate = { 1, FRAME },
							 .pages = part(page, page + 1),
							 .kind = share } });
	fake_set_state(fake_page(page), PAGE_UNUSED, 0);
}

static void take_frame(unsigned int page)
{
	fake_set_state(fake_page(page), PAGE_FRAME, 1);
	tell_taken(OPERATION_FRAME_FROM_UNUSED, SHARE_FRAME, page, MM_OK);
}

static void memory_that_comes_and_goes(void **state)
{
	(void)state;
	add_more();
	take_frame(first + 5);
	tell_memory(OPERATION_MEMORY_REMOVE, part(first, end), MM_BUSY);
	tell_ended(OPERATION_FRAME_DROP, SHARE_FRAME, first + 5);
	tell_memory(OPERATION_MEMORY_REMOVE, part(first, end), MM_OK);
	fake_have_more(false);
	tell_taken(OPERATION_FRAME_FROM_UNUSED, SHARE_FRAME, first + 5, MM_OUT_OF_BOUND);
	assert_int_equal(model_check_all(), 0);
	expect_truth();
}

static void refusals_with_a_reason(void **state)
{
	struct prange odd = part(first, end);

	(void)state;
	tell_memory(OPERATION_MEMORY_ADD, part(first - 1, end), MM_EXISTS);
	tell_memory(OPERATION_MEMORY_ADD, part(first, first), MM_INVALID_ARGS);
	tell_memory(OPERATION_MEMORY_ADD, part(end, first), MM_INVALID_ARGS);
	odd.start.value += 8;
	tell_memory(OPERATION_MEMORY_ADD, odd, MM_NOT_ALIGNED);
	tell_memory(OPERATION_MEMORY_ADD,
		    prange(fake_page(first), paddr((UINT64_C(1) << 48) + PAGE_SIZE)),
		    MM_OUT_OF_BOUND);
	tell_memory(OPERATION_MEMORY_ADD, prange(fake_page(first), paddr(UINT64_C(1) << 46)),
		    MM_NOT_SUPPORTED);
	tell_memory(OPERATION_MEMORY_ADD, part(first, first + 3), MM_NO_MEMORY);
	tell_memory(OPERATION_MEMORY_REMOVE, part(first, end), MM_INVALID_ARGS);
	expect_truth();
}

static void memory_added_where_there_is_some(void **state)
{
	(void)state;
	have_more();
	fake_set_state(fake_page(first - 1), PAGE_META, 0);
	tell_memory(OPERATION_MEMORY_ADD, part(first - 1, end), MM_OK);
	expect_lie("mm_memory_add in space 0 at 0x8005f000: status is MM_OK, model says MM_EXISTS");
}

static void memory_refused_without_a_reason(void **state)
{
	(void)state;
	tell_memory(OPERATION_MEMORY_ADD, part(first, end), MM_EXISTS);
	expect_lie("status is MM_EXISTS, model says MM_OK");
}

static void memory_with_no_room_for_metadata(void **state)
{
	(void)state;
	have_more();
	tell_memory(OPERATION_MEMORY_ADD, part(first, first + 3), MM_OK);
	expect_lie("status is MM_OK, model says MM_NO_MEMORY");
}

static void tell_device(void)
{
	*fake_descriptor(LEAVES, 4) = LEAF_RW | NOT_COUNTED | fake_page(first).value;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_MAP_IOMEM,
				    .range = pages(4, 1),
				    .output = fake_page(first),
				    .pages = part(first, first + 1),
				    .property = RW },
	     5);
	expect_truth();
}

static void memory_that_a_guest_has_as_a_device(void **state)
{
	(void)state;
	tell_device();
	tell_memory(OPERATION_MEMORY_ADD, part(first, end), MM_IN_USE);
	expect_truth();
	have_more();
	tell_memory(OPERATION_MEMORY_ADD, part(first, end), MM_OK);
	expect_lie("mm_memory_add in space 0 at 0x80060000: status is MM_OK, model says MM_IN_USE");
}

static void memory_in_use_by_nobody(void **state)
{
	(void)state;
	tell_memory(OPERATION_MEMORY_ADD, part(first, end), MM_IN_USE);
	expect_lie("status is MM_IN_USE, model says MM_OK");
}

static void memory_that_is_not_there(void **state)
{
	(void)state;
	tell_memory(OPERATION_MEMORY_ADD, part(first, end), MM_OK);
	expect_lie("at 0x80060000: it is not memory, model says metadata");
}

static void memory_without_metadata(void **state)
{
	(void)state;
	have_more();
	fake_set_state(fake_page(first + 1), PAGE_UNUSED, 0);
	tell_memory(OPERATION_MEMORY_ADD, part(first, end), MM_OK);
	expect_lie("at 0x80061000: the page is unused, model says metadata");
}

static void memory_that_is_not_free(void **state)
{
	(void)state;
	have_more();
	fake_set_state(fake_page(end - 1), PAGE_FRAME, 1);
	tell_memory(OPERATION_MEMORY_ADD, part(first, end), MM_OK);
	expect_lie("at 0x8006f000: the page is frame, model says unused");
}

static void a_frame_where_no_memory_is(void **state)
{
	(void)state;
	have_more();
	take_frame(first + 5);
	expect_lie("frame_from_unused in space 0 at 0x80065000: status is MM_OK, model says "
		   "MM_OUT_OF_BOUND");
}

static void memory_removed_unseen(void **state)
{
	(void)state;
	add_more();
	fake_have_more(false);
	model_check_all();
	expect_lie("at 0x80060000: invariant M1");
}

static void memory_removed_with_a_frame_in_it(void **state)
{
	(void)state;
	add_more();
	take_frame(first + 5);
	tell_memory(OPERATION_MEMORY_REMOVE, part(first, end), MM_OK);
	expect_lie(
		"mm_memory_remove in space 0 at 0x80060000: status is MM_OK, model says MM_BUSY");
}

static void memory_removed_with_a_page_withheld(void **state)
{
	(void)state;
	add_more();
	fake_set_state(fake_page(first + 5), PAGE_FRAME, 0);
	tell_taken(OPERATION_UNIQUE_FROM_UNUSED, SHARE_UNIQUE_FRAME, first + 5, MM_OK);
	tell_ended(OPERATION_UNIQUE_RESET_AS_UNUSED, SHARE_UNIQUE_FRAME, first + 5);
	tell_memory(OPERATION_MEMORY_REMOVE, part(first, end), MM_OK);
	expect_lie("status is MM_OK, model says MM_BUSY");
}

static void memory_busy_without_a_reason(void **state)
{
	(void)state;
	add_more();
	tell_memory(OPERATION_MEMORY_REMOVE, part(first, end), MM_BUSY);
	expect_lie("status is MM_BUSY, model says MM_OK");
}

static void a_part_of_memory_removed(void **state)
{
	(void)state;
	add_more();
	tell_memory(OPERATION_MEMORY_REMOVE, part(first, end - 1), MM_OK);
	expect_lie("status is MM_OK, model says MM_INVALID_ARGS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(memory_that_comes_and_goes),
		STORY(refusals_with_a_reason),
		STORY(memory_added_where_there_is_some),
		STORY(memory_refused_without_a_reason),
		STORY(memory_with_no_room_for_metadata),
		STORY(memory_that_a_guest_has_as_a_device),
		STORY(memory_in_use_by_nobody),
		STORY(memory_that_is_not_there),
		STORY(memory_without_metadata),
		STORY(memory_that_is_not_free),
		STORY(a_frame_where_no_memory_is),
		STORY(memory_removed_unseen),
		STORY(memory_removed_with_a_frame_in_it),
		STORY(memory_removed_with_a_page_withheld),
		STORY(memory_busy_without_a_reason),
		STORY(a_part_of_memory_removed),
	};

	return cmocka_run_group_tests_name("lockstep-memory", tests, NULL, NULL);
}

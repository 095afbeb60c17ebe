/* SPDX-License-Identifier: BSD-3-Clause */
/* Lies about services: ageing, write protection, migration, reclaim. Each begins at page 0 of four. */
#include "story.h"

#define OLD page_property(PAGE_READ | PAGE_WRITE, CACHE_WRITEBACK)
#define LEAF_OLD (LEAF_RW & ~(UINT64_C(1) << 10))

static struct mm_operation asked(enum mm_operation_kind kind, uint64_t first, uint64_t count)
{
	return (struct mm_operation){ .kind = kind,
				      .space = &story_space,
				      .cursor = &story_cursor,
				      .position = pages(first, 0).start,
				      .range = pages(first, count) };
}

static void begin(enum mm_operation_kind kind, uint64_t first, uint64_t count, uint64_t wanted)
{
	struct mm_operation operation = asked(kind, first, count);

	tell_jump(first);
	operation.begins = true;
	operation.length = wanted;
	operation.output = paddr(data(5)); /* of what migrates */
	fake_operation(&operation);
}

static void end(enum mm_operation_kind kind, uint64_t first, uint64_t count,
		struct mm_operation results)
{
	struct mm_operation operation = asked(kind, first, count);

	operation.status = results.status;
	operation.result = results.result;
	operation.metadata = results.metadata;
	operation.length = results.length;
	fake_operation(&operation);
}

/* The first @count pages get another property. */
static void change(unsigned int count, struct page_property becomes, uint64_t leaf)
{
	struct property_change said = { RW, becomes };

	for (unsigned int i = 0; i < count; i++)
		*fake_descriptor(LEAVES, i) = leaf | data(i);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .range = pages(0, count),
				    .changes = &said,
				    .change_count = 1,
				    .leaves = count },
	     count);
}

static void age(unsigned int changed, uint64_t said, uint64_t bits)
{
	begin(OPERATION_CURSOR_AGE, 0, 4, 0);
	change(changed, OLD, LEAF_OLD);
	end(OPERATION_CURSOR_AGE, 0, 4, (struct mm_operation){ .result = said, .metadata = &bits });
}

static void services_as_they_should_be(void **state)
{
	(void)state;
	age(4, 4, 0xf);
	expect_truth();
}

static void a_page_that_did_not_age(void **state)
{
	(void)state;
	age(3, 4, 0xf);
	expect_lie("cursor_age in space 1 at 0x3000: it left 0x8002b000 rw-a");
}

static void ageing_that_counts_too_few(void **state)
{
	(void)state;
	age(4, 3, 0xf);
	expect_lie("says 3 pages, model says 4");
}

static void ageing_that_forgets_a_page(void **state)
{
	(void)state;
	age(4, 4, 0xb);
	expect_lie("0x2000: accessed, and not among those that are said to be");
}

static void ageing_refused_for_no_reason(void **state)
{
	(void)state;
	begin(OPERATION_CURSOR_AGE, 0, 4, 0);
	end(OPERATION_CURSOR_AGE, 0, 4, (struct mm_operation){ .status = MM_NOT_SUPPORTED });
	expect_lie("status is MM_NOT_SUPPORTED, model says MM_OK");
}

static void a_refusal_that_changed_something(void **state)
{
	(void)state;
	begin(OPERATION_CURSOR_AGE, 0, 65, 0);
	change(1, OLD, LEAF_OLD);
	end(OPERATION_CURSOR_AGE, 0, 65, (struct mm_operation){ .status = MM_OUT_OF_BOUND });
	expect_lie("it left 0x80028000 rw-- write-back counted of 0x80028000 rw-a");
}

static void a_page_that_can_be_written_still(void **state)
{
	(void)state;
	begin(OPERATION_CURSOR_WRITE_PROTECT, 0, 4, 0);
	change(3, RO, LEAF_RO);
	end(OPERATION_CURSOR_WRITE_PROTECT, 0, 4, (struct mm_operation){ .result = 4 });
	expect_lie("cursor_write_protect in space 1 at 0x3000: it left 0x8002b000 rw-a");
}

static void protection_that_takes_the_access_flag(void **state)
{
	struct page_property becomes = page_property(PAGE_READ, CACHE_WRITEBACK);

	(void)state;
	begin(OPERATION_CURSOR_WRITE_PROTECT, 0, 4, 0);
	change(4, becomes, LEAF_RO & ~(UINT64_C(1) << 10));
	end(OPERATION_CURSOR_WRITE_PROTECT, 0, 4, (struct mm_operation){ .result = 4 });
	expect_lie("it left 0x80028000 r--- write-back counted of 0x80028000 rw-a");
}

/* Data page 5 in the place of page 0, with @first in its first byte. */
static void migrate(unsigned char first, struct page_property property, uint64_t leaf)
{
	struct paddr output = paddr(data(5));

	tell((struct mm_operation){ .kind = OPERATION_CURSOR_JUMP, .range = pages(0, 0) }, 0);
	begin(OPERATION_CURSOR_MIGRATE, 0, 1, 0);
	memset(mm_linear(output), 0, PAGE_SIZE);
	*(unsigned char *)mm_linear(output) = first;
	write_leaf(0, 5, leaf);
	tell_park(0, 1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_REPLACE,
				    .range = pages(0, 1),
				    .output = output,
				    .property = property,
				    .counted = true },
	     1);
	end(OPERATION_CURSOR_MIGRATE, 0, 1, (struct mm_operation){ .status = MM_OK });
}

static void a_migration_as_it_should_be(void **state)
{
	(void)state;
	migrate(0, RW, LEAF_RW);
	expect_truth();
}

static void a_migration_that_copies_something_else(void **state)
{
	(void)state;
	migrate(1, RW, LEAF_RW);
	expect_lie("the new frame has another content");
}

static void a_migration_that_changes_what_is_permitted(void **state)
{
	(void)state;
	migrate(0, RO, LEAF_RO);
	expect_lie("the page is not the new frame as it was the old");
}

static void a_migration_of_nothing(void **state)
{
	(void)state;
	begin(OPERATION_CURSOR_MIGRATE, 6, 1, 0);
	end(OPERATION_CURSOR_MIGRATE, 6, 1, (struct mm_operation){ .status = MM_OK });
	expect_lie("status is MM_OK, model says MM_NOT_MAPPED");
}

/* Page 1 has not been accessed; one page is wanted, and that at @page goes. */
static void reclaim(unsigned int page, uint64_t said)
{
	struct property_change cold = { RW, OLD };

	tell_jump(1);
	*fake_descriptor(LEAVES, 1) = LEAF_OLD | data(1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .range = pages(1, 1),
				    .changes = &cold,
				    .change_count = 1,
				    .leaves = 1 },
	     2);
	begin(OPERATION_CURSOR_RECLAIM, 0, 4, 1);
	if (page < 4) {
		tell_jump(page);
		*fake_descriptor(LEAVES, page) = 0;
		tell_park(page, 1);
		tell_unmap(1, 1);
	}
	end(OPERATION_CURSOR_RECLAIM, 0, 4, (struct mm_operation){ .length = 1, .result = said });
}

static void a_cold_page_taken(void **state)
{
	(void)state;
	reclaim(1, 1);
	expect_truth();
}

static void a_page_in_use_taken_before_a_cold_one(void **state)
{
	(void)state;
	reclaim(2, 1);
	expect_lie("took pages that were accessed, and left 1 that were not");
}

static void more_said_than_were_taken(void **state)
{
	(void)state;
	reclaim(1, 2);
	expect_lie("says 2 pages, and took 1, model says 1");
}

static void nothing_taken_where_something_is(void **state)
{
	(void)state;
	reclaim(4, 0);
	expect_lie("says 0 pages, and took 0, model says 1");
}

static void reclaim_that_changes_what_it_leaves(void **state)
{
	(void)state;
	begin(OPERATION_CURSOR_RECLAIM, 0, 4, 0);
	change(1, OLD, LEAF_OLD);
	end(OPERATION_CURSOR_RECLAIM, 0, 4, (struct mm_operation){ .length = 0 });
	expect_lie("what was not taken is not as it was");
}

static void an_end_without_a_beginning(void **state)
{
	(void)state;
	tell_jump(0);
	end(OPERATION_CURSOR_AGE, 0, 4, (struct mm_operation){ .result = 4 });
	expect_lie("cursor_age in space 1 at 0x0: ended without having begun");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(services_as_they_should_be),
		STORY(a_page_that_did_not_age),
		STORY(ageing_that_counts_too_few),
		STORY(ageing_that_forgets_a_page),
		STORY(ageing_refused_for_no_reason),
		STORY(a_refusal_that_changed_something),
		STORY(a_page_that_can_be_written_still),
		STORY(protection_that_takes_the_access_flag),
		STORY(a_migration_as_it_should_be),
		STORY(a_migration_that_copies_something_else),
		STORY(a_migration_that_changes_what_is_permitted),
		STORY(a_migration_of_nothing),
		STORY(a_cold_page_taken),
		STORY(a_page_in_use_taken_before_a_cold_one),
		STORY(more_said_than_were_taken),
		STORY(nothing_taken_where_something_is),
		STORY(reclaim_that_changes_what_it_leaves),
		STORY(an_end_without_a_beginning),
	};

	return cmocka_run_group_tests_name("lockstep-service", tests, NULL, NULL);
}

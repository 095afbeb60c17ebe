/* SPDX-License-Identifier: BSD-3-Clause */
/* Lies about transfers: by IPA, by a guest's own addresses, and through EL2's live Stage 1. */
#include "story.h"

#include <strata/vm_guest.h>

/*
 * The guest's tables are data pages 0 to 2 at those IPAs; the last has pages of its own addresses:
 * page 1 leads to IPA 3, page 2 to nothing, page 3 to IPA 3 read-only, page 4 to the table itself.
 */
#define GUEST_VALID UINT64_C(0x743)
#define GUEST_READ_ONLY (GUEST_VALID | UINT64_C(1) << 7)
#define GUEST_TABLE UINT64_C(3)

static struct vm_guest guest;
static struct vm_io_range reader, writer;
static uint64_t value;

static uint64_t *bytes(unsigned int page)
{
	return mm_linear(paddr(data(page)));
}

static void make_guest(void)
{
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	guest = (struct vm_guest){
		.space = &story_space, .tcr = 25, .sctlr = 1, .level = VM_GUEST_EL1
	};
	*bytes(0) = PAGE_SIZE | GUEST_TABLE;
	*bytes(1) = 2 * PAGE_SIZE | GUEST_TABLE;
	bytes(2)[1] = 3 * PAGE_SIZE | GUEST_VALID;
	bytes(2)[3] = 3 * PAGE_SIZE | GUEST_READ_ONLY;
	bytes(2)[4] = 2 * PAGE_SIZE | GUEST_VALID;
	bytes(3)[0] = 5;
}

static struct vm_io_range of_guest(uint64_t page, uint64_t length)
{
	return (struct vm_io_range){ .cursor = page * PAGE_SIZE,
				     .end = page * PAGE_SIZE + length,
				     .kind = VM_IO_GUEST,
				     .fallible = true,
				     .guest = &guest };
}

static void begin(struct mm_operation operation, const struct vm_io_range *from,
		  const struct vm_io_range *to)
{
	operation.begins = true;
	if (from != NULL) {
		reader = *from;
		operation.reader = (struct mm_io){ &reader, *from };
	}
	if (to != NULL) {
		writer = *to;
		operation.writer = (struct mm_io){ &writer, *to };
	}
	fake_operation(&operation);
}

static void end(struct mm_operation operation, const struct vm_io_range *from,
		const struct vm_io_range *to)
{
	if (from != NULL)
		operation.reader = (struct mm_io){ &reader, *from };
	if (to != NULL)
		operation.writer = (struct mm_io){ &writer, *to };
	fake_operation(&operation);
}

/* A load of 8 bytes that says so. */
static void load(struct vm_io_range from, enum mm_status status, uint64_t result)
{
	struct mm_operation operation = { .kind = OPERATION_READER_ATOMIC_LOAD, .length = 8 };

	begin(operation, &from, NULL);
	operation.status = status;
	operation.result = result;
	end(operation, &from, NULL);
}

static void a_value_that_was_not_there(void **state)
{
	(void)state;
	make_guest();
	load(of_guest(1, 8), MM_OK, 5);
	expect_truth();
	load(of_guest(1, 8), MM_OK, 6);
	expect_lie(
		"vm_reader_atomic_load in space 0 at 0x1000: says 0x6 was there, model says 0x5");
}

static void a_guests_hole_that_was_read(void **state)
{
	(void)state;
	make_guest();
	load(of_guest(2, 8), MM_PAGE_FAULT, 0);
	expect_truth();
	load(of_guest(2, 8), MM_OK, 5);
	expect_lie("status is MM_OK, model says MM_PAGE_FAULT");
}

static void a_guests_page_refused_for_no_reason(void **state)
{
	(void)state;
	make_guest();
	load(of_guest(1, 8), MM_PAGE_FAULT, 0);
	expect_lie("status is MM_PAGE_FAULT, model says MM_OK");
}

static void a_form_of_tables_that_is_not_walked(void **state)
{
	(void)state;
	make_guest();
	guest.tcr |= UINT64_C(1) << 14; /* 64 KiB */
	load(of_guest(1, 8), MM_NOT_SUPPORTED, 0);
	expect_truth();
	load(of_guest(1, 8), MM_PAGE_FAULT, 0);
	expect_lie("status is MM_PAGE_FAULT, model says MM_NOT_SUPPORTED");
}

/* A write of @value to @to that leaves @left. */
static void write(struct vm_io_range to, uint64_t left, enum mm_status status)
{
	struct mm_operation operation = { .kind = OPERATION_WRITER_WRITE_VAL,
					  .length = 8,
					  .metadata = &value };

	value = 0x1122334455667788;
	begin(operation, NULL, &to);
	bytes(3)[0] = left;
	operation.status = status;
	writer.cursor += status == MM_OK ? 8 : 0;
	end(operation, NULL, &to);
}

static void a_byte_that_did_not_arrive(void **state)
{
	(void)state;
	make_guest();
	write(of_guest(1, 8), 0x1122334455667788, MM_OK);
	expect_truth();
	write(of_guest(1, 8), 0x1122330055667788, MM_OK);
	expect_lie("byte 4 is not the one that should have arrived");
}

static void a_write_where_the_guest_may_not(void **state)
{
	(void)state;
	make_guest();
	write(of_guest(3, 8), 5, MM_PAGE_FAULT);
	expect_truth();
	write(of_guest(3, 8), 5, MM_OK);
	expect_lie("status is MM_OK, model says MM_PAGE_FAULT");
}

/* Whoever writes to the tables by which the way is found may come anywhere. */
static void a_write_to_the_guests_tables(void **state)
{
	struct vm_io_range to = of_guest(4, 64);
	struct mm_operation operation = { .kind = OPERATION_WRITER_FILL_ZEROS, .length = 64 };

	(void)state;
	make_guest();
	begin(operation, NULL, &to);
	operation.status = MM_PAGE_FAULT;
	operation.result = 32;
	writer.cursor += 32;
	end(operation, NULL, &to);
	expect_truth();
}

static void a_copy_that_comes_too_far(void **state)
{
	static uint8_t own[2 * PAGE_SIZE];
	struct vm_io_range from = of_guest(1, 2 * PAGE_SIZE);
	struct vm_io_range to = { .cursor = (uintptr_t)own,
				  .end = (uintptr_t)own + sizeof(own),
				  .kind = VM_IO_HYPERVISOR };
	struct mm_operation operation = { .kind = OPERATION_READ_FALLIBLE };

	(void)state;
	make_guest();
	begin(operation, &from, &to);
	memcpy(own, bytes(3), PAGE_SIZE);
	operation.status = MM_PAGE_FAULT;
	operation.result = PAGE_SIZE + 1;
	reader.cursor += PAGE_SIZE;
	writer.cursor += PAGE_SIZE;
	end(operation, &from, &to);
	expect_lie("says 4097, model says 4096");
}

/* An exchange of what is 5 for 9, if it is @expected, that leaves @left. */
static void exchange(uint64_t expected, uint64_t said, bool exchanged, uint64_t left)
{
	struct vm_io_range range = of_guest(1, 8);
	struct mm_operation operation = { .kind = OPERATION_WRITER_COMPARE_EXCHANGE,
					  .length = 8,
					  .value = expected,
					  .desired = 9 };

	make_guest();
	begin(operation, &range, &range);
	bytes(3)[0] = left;
	operation.result = said;
	operation.answer = exchanged;
	end(operation, &range, &range);
}

static void exchanges_as_they_are(void **state)
{
	(void)state;
	exchange(5, 5, true, 9);
	expect_truth();
}

static void an_exchange_that_was_not_due(void **state)
{
	(void)state;
	exchange(4, 5, false, 9);
	expect_lie("byte 0 is not the one that should be there");
}

static void an_exchange_that_did_not_store(void **state)
{
	(void)state;
	exchange(5, 5, true, 5);
	expect_lie("byte 0 is not the one that should be there");
}

static void an_exchange_that_says_another_value(void **state)
{
	(void)state;
	exchange(4, 7, false, 5);
	expect_lie("says 0x7 was there, model says 0x5");
}

static void an_exchange_that_denies_it(void **state)
{
	(void)state;
	exchange(5, 5, false, 9);
	expect_lie("says not exchanged, model says exchanged");
}

static void an_end_without_a_beginning(void **state)
{
	struct vm_io_range from = of_guest(1, 8);

	(void)state;
	make_guest();
	end((struct mm_operation){ .kind = OPERATION_READER_ATOMIC_LOAD, .length = 8 }, &from,
	    NULL);
	expect_lie("ended without having begun");
}

/* ---- EL2's own live Stage 1 ----------------------------------------------------------------- */

#define EL2_ROOT fake_page(20)
#define EL2_LEAVES fake_page(21)
/* Read-only, write-back, accessed, never executed. */
#define EL2_LEAF (UINT64_C(0x00400000000007c3) | NOT_COUNTED)

static struct vm_space el2;

/* Page 7 of EL2's own addresses is data page 5. */
static struct vm_io_range make_window(uint64_t page)
{
	struct mm_operation operation = { .kind = OPERATION_SPACE_NEW, .space = &el2 };
	static struct cursor cursor;

	el2 = story_space;
	el2.stage = STAGE_1;
	el2.root = EL2_ROOT;
	fake_set_state(EL2_ROOT, PAGE_TABLE, 1);
	fake_set_state(EL2_LEAVES, PAGE_TABLE, 1);
	fake_operation(&operation);
	*fake_descriptor(EL2_ROOT, 0) = EL2_LEAVES.value | TABLE_TYPE;
	operation.kind = OPERATION_CURSOR_OPEN;
	operation.cursor = &cursor;
	operation.range = pages(7, 1);
	cursor = (struct cursor){ .space = &el2,
				  .range = operation.range,
				  .position = operation.range.start,
				  .access = CURSOR_MUTABLE };
	fake_operation(&operation);
	operation.kind = OPERATION_CURSOR_MAP_IOMEM;
	operation.position = operation.range.start;
	operation.output = paddr(data(5));
	operation.property = RO;
	*fake_descriptor(EL2_LEAVES, 7) = EL2_LEAF | data(5);
	cursor.position = operation.range.end;
	fake_operation(&operation);
	operation.kind = OPERATION_CURSOR_CLOSE;
	fake_operation(&operation);
	fake_el2_root = EL2_ROOT;
	bytes(5)[0] = 5;
	return (struct vm_io_range){ .cursor = page * PAGE_SIZE,
				     .end = page * PAGE_SIZE + 8,
				     .kind = VM_IO_WINDOW,
				     .fallible = true };
}

static void a_window_that_says_what_is_not_there(void **state)
{
	struct vm_io_range range = make_window(7);

	(void)state;
	load(range, MM_OK, 5);
	expect_truth();
	load(range, MM_OK, 4);
	expect_lie("says 0x4 was there, model says 0x5");
}

static void a_window_with_nothing_behind_it(void **state)
{
	struct vm_io_range range = make_window(8);

	(void)state;
	load(range, MM_PAGE_FAULT, 0);
	expect_truth();
	load(range, MM_OK, 0);
	expect_lie("status is MM_OK, model says MM_PAGE_FAULT");
}

static void a_window_that_is_read_only(void **state)
{
	struct vm_io_range range = make_window(7);
	struct mm_operation operation = { .kind = OPERATION_WRITER_FILL_ZEROS, .length = 8 };

	(void)state;
	begin(operation, NULL, &range);
	operation.result = 8;
	writer.cursor += 8;
	bytes(5)[0] = 0;
	end(operation, NULL, &range);
	expect_lie("status is MM_OK, model says MM_PAGE_FAULT");
}

/* Which table EL2 runs on is not known: neither is what is there. */
static void a_window_of_another_table(void **state)
{
	struct vm_io_range range = make_window(8);

	(void)state;
	fake_el2_root = fake_page(30);
	load(range, MM_OK, 1);
	expect_truth();
}

static void a_window_space_that_is_not_active(void **state)
{
	struct vm_io_range range = make_window(7);

	(void)state;
	range.kind = VM_IO_WINDOW_SPACE;
	range.space = &el2;
	load(range, MM_PAGE_FAULT, 0);
	expect_truth();
	load(range, MM_OK, 5);
	expect_lie("status is MM_OK, model says MM_PAGE_FAULT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_value_that_was_not_there),
		STORY(a_guests_hole_that_was_read),
		STORY(a_guests_page_refused_for_no_reason),
		STORY(a_form_of_tables_that_is_not_walked),
		STORY(a_byte_that_did_not_arrive),
		STORY(a_write_where_the_guest_may_not),
		STORY(a_write_to_the_guests_tables),
		STORY(a_copy_that_comes_too_far),
		STORY(exchanges_as_they_are),
		STORY(an_exchange_that_was_not_due),
		STORY(an_exchange_that_did_not_store),
		STORY(an_exchange_that_says_another_value),
		STORY(an_exchange_that_denies_it),
		STORY(an_end_without_a_beginning),
		STORY(a_window_that_says_what_is_not_there),
		STORY(a_window_with_nothing_behind_it),
		STORY(a_window_that_is_read_only),
		STORY(a_window_of_another_table),
		STORY(a_window_space_that_is_not_active),
	};

	return cmocka_run_group_tests_name("lockstep-io", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model told lies: a stream of operations made by hand over tables made by hand. The truth makes
 * no difference, and every lie makes exactly one, that names it.
 *
 * One Stage-2 space of 30 bits: the root in ROOT, and LEAVES for its first 2 MiB.
 */
#include "fake_machine.h"

#include <model.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ROOT fake_page(16)
#define LEAVES fake_page(17)
#define DATA_PAGE 40

#define RW page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK)
#define RO page_property(PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK)

/* Read-write, never executed, write-back, accessed, counted: a page but for its address. */
#define LEAF_RW UINT64_C(0x00400000000007ff)
#define LEAF_RO (LEAF_RW & ~(UINT64_C(1) << 7))
#define NOT_COUNTED (UINT64_C(1) << 55)
#define TABLE_TYPE UINT64_C(3)

static unsigned char arena[65536];
static char last_line[400];
static unsigned int lines;
static struct vm_space space;
static struct cursor cursor;

static void complain(const char *text)
{
	lines++;
	strncpy(last_line, text, sizeof(last_line) - 1);
}

static uint64_t data(unsigned int page)
{
	return fake_page(DATA_PAGE + page).value;
}

static void tell_space(enum mm_operation_kind kind, enum mm_status status)
{
	struct mm_operation operation = { .kind = kind, .status = status, .space = &space };

	fake_operation(&operation);
}

/* The operation as an engine reports it, with the cursor moved to page @after. */
static void tell(struct mm_operation operation, uint64_t after)
{
	operation.space = &space;
	operation.cursor = &cursor;
	operation.position = cursor.position;
	cursor.position = iaddr(after * PAGE_SIZE);
	fake_operation(&operation);
}

static struct irange pages(uint64_t first, uint64_t count)
{
	return irange(iaddr(first * PAGE_SIZE), iaddr((first + count) * PAGE_SIZE));
}

static void tell_open(enum cursor_access access, uint64_t first, uint64_t count)
{
	struct mm_operation open = {
		.kind = OPERATION_CURSOR_OPEN,
		.space = &space,
		.cursor = &cursor,
		.range = pages(first, count),
	};

	cursor = (struct cursor){
		.space = &space, .range = open.range, .position = open.range.start, .access = access
	};
	fake_operation(&open);
}

/* A page of data with one reference, and a leaf for it. */
static void write_leaf(unsigned int index, unsigned int page, uint64_t leaf)
{
	fake_set_state(paddr(data(page)), PAGE_FRAME, 1);
	*fake_descriptor(LEAVES, index) = leaf | data(page);
}

static void tell_map(uint64_t page, unsigned int count, enum mm_status status)
{
	uint64_t first = cursor.position.value / PAGE_SIZE;

	tell((struct mm_operation){ .kind = OPERATION_CURSOR_MAP,
				    .status = status,
				    .range = pages(first, count),
				    .output = paddr(data((unsigned int)page)),
				    .property = RW,
				    .counted = true },
	     status == MM_OK ? first + count : first);
}

static void tell_unmap(unsigned int count, uint64_t leaves)
{
	uint64_t first = cursor.position.value / PAGE_SIZE;

	tell((struct mm_operation){ .kind = OPERATION_CURSOR_UNMAP,
				    .range = pages(first, count),
				    .leaves = leaves },
	     first + count);
}

static void tell_jump(uint64_t page)
{
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_JUMP, .range = pages(page, 0) }, page);
}

/* A space with pages 0 to 3 mapped to data pages 0 to 3, the cursor on 64 pages, at page 4. */
static int set_up(void **state)
{
	(void)state;
	fake_machine_reset();
	fake_set_state(ROOT, PAGE_TABLE, 1);
	fake_set_state(LEAVES, PAGE_TABLE, 1);
	space = (struct vm_space){
		.stage = STAGE_2,
		.geometry = { .ia_bits = 30, .root_level = 2, .root_tables = 1, .pa_bits = 40 },
		.root = ROOT,
	};
	lines = 0;
	last_line[0] = '\0';
	model_start(arena, sizeof(arena), complain);
	tell_space(OPERATION_SPACE_NEW, MM_OK);
	*fake_descriptor(ROOT, 0) = LEAVES.value | TABLE_TYPE;
	tell_open(CURSOR_MUTABLE, 0, 64);
	for (unsigned int i = 0; i < 4; i++)
		write_leaf(i, i, LEAF_RW);
	tell_map(0, 4, MM_OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	model_stop();
	return fake_observer_attached();
}

static void expect_truth(void)
{
	if (model_report().differences != 0)
		fail_msg("%s", last_line);
	assert_int_equal(lines, 0);
}

static void expect_lie(const char *words)
{
	if (model_report().differences != 1 || strstr(last_line, words) == NULL)
		fail_msg("%llu differences, last: %s",
			 (unsigned long long)model_report().differences, last_line);
	assert_int_equal(lines, 1);
}

/* ---- The truth ------------------------------------------------------------------------------ */

static void the_truth_makes_no_difference(void **state)
{
	struct cursor_item item = { .range = pages(1, 1),
				    .mapped = true,
				    .counted = true,
				    .output = paddr(data(1)),
				    .property = RW };
	struct cursor_item hole = { .range = pages(512, 512) };

	(void)state;
	tell_map(4, 1, MM_NO_MEMORY);
	tell_jump(1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_QUERY, .item = item }, 1);
	tell_map(9, 1, MM_EXISTS);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_FIND_NEXT, .range = pages(1, 9) }, 1);
	*fake_descriptor(LEAVES, 1) = LEAF_RO | data(1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .range = pages(1, 9),
				    .changed = pages(1, 1),
				    .property = RO },
	     2);
	write_leaf(2, 8, LEAF_RW);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_REPLACE,
				    .range = pages(2, 1),
				    .output = paddr(data(8)),
				    .property = RW,
				    .counted = true },
	     3);
	*fake_descriptor(LEAVES, 3) = 0;
	tell_unmap(7, 1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_FLUSH }, 10);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_FIND_NEXT,
				    .status = MM_NOT_MAPPED,
				    .range = pages(10, 5) },
	     15);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .status = MM_NOT_MAPPED,
				    .range = pages(15, 5) },
	     20);
	*fake_descriptor(LEAVES, 20) = LEAF_RW | NOT_COUNTED | 0x1000000; /* no memory there */
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_MAP,
				    .range = pages(20, 1),
				    .output = paddr(0x1000000),
				    .property = RW },
	     21);
	tell_jump(64);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_QUERY, .status = MM_OUT_OF_BOUND },
	     64);
	assert_int_equal(model_check_all(), 0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 64);
	tell_open(CURSOR_READ_ONLY, 512, 8);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_QUERY, .item = hole }, 512);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 512);
	fake_vmid = 0;
	tell_space(OPERATION_SPACE_ACTIVATE, MM_NO_MEMORY);
	fake_vmid = 1;
	tell_space(OPERATION_SPACE_ACTIVATE, MM_OK);
	tell_space(OPERATION_SPACE_DESTROY, MM_BUSY);
	*fake_descriptor(ROOT, 0) = 0;
	tell_space(OPERATION_SPACE_DESTROY, MM_OK);
	tell_space(OPERATION_SPACE_NEW, MM_NO_MEMORY);
	/* The space is unknown now, and what happens in it not the model's to judge. */
	tell_open(CURSOR_MUTABLE, 0, 1);
	tell_space(OPERATION_SPACE_DESTROY, MM_OK);
	tell_space(OPERATION_SPACE_ACTIVATE, MM_EXISTS);
	expect_truth();
	assert_int_equal(model_report().operations, 26);
}

/* ---- Lies about tables ---------------------------------------------------------------------- */

static void a_map_that_wrote_nothing(void **state)
{
	(void)state;
	write_leaf(4, 4, 0);
	*fake_descriptor(LEAVES, 4) = 0;
	tell_map(4, 1, MM_OK);
	expect_lie("cursor_map in space 1 at 0x4000: table says nothing, model says 0x8002c000");
}

static void a_map_to_the_wrong_page(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW);
	write_leaf(4, 5, LEAF_RW);
	tell_map(4, 1, MM_OK);
	expect_lie("table says 0x8002d000 rw-a write-back counted, model says 0x8002c000");
}

static void a_map_with_another_permission(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW & ~(UINT64_C(1) << 54));
	tell_map(4, 1, MM_OK);
	expect_lie("table says 0x8002c000 rwxa write-back counted, model says 0x8002c000 rw-a");
}

static void a_map_not_marked_as_counted(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW | NOT_COUNTED);
	tell_map(4, 1, MM_OK);
	expect_lie(
		"table says 0x8002c000 rw-a write-back, model says 0x8002c000 rw-a write-back c");
}

static void a_map_that_hit_its_neighbour(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW);
	write_leaf(5, 5, LEAF_RW);
	tell_map(4, 1, MM_OK);
	expect_lie("at 0x5000: table says 0x8002d000 rw-a write-back counted, model says nothing");
}

static void an_unmap_that_hit_the_page_before(void **state)
{
	(void)state;
	tell_jump(2);
	*fake_descriptor(LEAVES, 1) = 0;
	*fake_descriptor(LEAVES, 2) = 0;
	tell_unmap(1, 1);
	expect_lie("at 0x1000: table says nothing, model says 0x80029000");
}

/* What lies beside the cursor's range is somebody else's, and may be changing. */
static void neighbours_of_the_cursor_are_not_compared(void **state)
{
	(void)state;
	tell_jump(63);
	write_leaf(63, 4, LEAF_RW);
	write_leaf(64, 5, LEAF_RW);
	tell_map(4, 1, MM_OK);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 64);
	tell_open(CURSOR_MUTABLE, 65, 8);
	write_leaf(65, 6, LEAF_RW);
	tell_map(6, 1, MM_OK);
	expect_truth();
	model_check_all();
	expect_lie("at 0x40000: table says 0x8002d000");
}

/* 2 MiB of memory that is not the subsystem's, as a block at page 512. */
static void map_device_block(void)
{
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_open(CURSOR_MUTABLE, 0, 2048);
	tell_jump(512);
	*fake_descriptor(ROOT, 1) = (LEAF_RW & ~UINT64_C(2)) | NOT_COUNTED | 0x1000000;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_MAP,
				    .range = pages(512, 512),
				    .output = paddr(0x1000000),
				    .property = RW },
	     1024);
}

/* The block at page 512 becomes a table of the same pages. */
static void split_device_block(void)
{
	fake_set_state(fake_page(18), PAGE_TABLE, 1);
	for (unsigned int i = 0; i < 512; i++)
		*fake_descriptor(fake_page(18), i) =
			LEAF_RW | NOT_COUNTED | (0x1000000 + i * PAGE_SIZE);
	*fake_descriptor(ROOT, 1) = fake_page(18).value | TABLE_TYPE;
}

static void a_split_that_lost_a_page(void **state)
{
	(void)state;
	map_device_block();
	tell_jump(600);
	split_device_block();
	*fake_descriptor(fake_page(18), 600 - 512) = 0;
	*fake_descriptor(fake_page(18), 700 - 512) = 0;
	tell_unmap(1, 1);
	expect_lie("cursor_unmap in space 1 at 0x2bc000: table says nothing");
}

static void a_split_that_lost_a_page_before(void **state)
{
	(void)state;
	map_device_block();
	tell_jump(600);
	split_device_block();
	*fake_descriptor(fake_page(18), 512 - 512) = 0;
	*fake_descriptor(fake_page(18), 600 - 512) = 0;
	tell_unmap(1, 1);
	expect_lie("cursor_unmap in space 1 at 0x200000: table says nothing");
}

static void a_block_where_a_page_should_be(void **state)
{
	(void)state;
	map_device_block();
	tell_jump(512);
	split_device_block();
	memset(fake_descriptor(fake_page(18), 0), 0, PAGE_SIZE);
	tell_unmap(512, 1);
	tell_jump(600);
	*fake_descriptor(ROOT, 1) = (LEAF_RW & ~UINT64_C(2)) | NOT_COUNTED | 0x1000000;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_MAP,
				    .range = pages(600, 1),
				    .output = paddr(0x1000000 + 88 * PAGE_SIZE),
				    .property = RW },
	     601);
	/* Too much before it, and too much after it. */
	assert_int_equal(model_report().differences, 2);
}

static void a_map_with_a_bad_descriptor(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW & ~(UINT64_C(3) << 8));
	tell_map(4, 1, MM_OK);
	expect_lie("the shareability is not that of its memory type (level 3, descriptor 0x");
}

static void a_refusal_that_changed_something(void **state)
{
	(void)state;
	write_leaf(5, 5, LEAF_RW);
	tell_map(4, 2, MM_NO_MEMORY);
	expect_lie("at 0x5000: table says 0x8002d000");
}

static void an_unmap_that_forgot_a_leaf(void **state)
{
	(void)state;
	tell_jump(0);
	*fake_descriptor(LEAVES, 0) = 0;
	*fake_descriptor(LEAVES, 2) = 0;
	*fake_descriptor(LEAVES, 3) = 0;
	tell_unmap(4, 4);
	expect_lie("cursor_unmap in space 1 at 0x1000: table says 0x80029000");
}

static void an_unmap_that_took_too_much(void **state)
{
	(void)state;
	tell_jump(0);
	*fake_descriptor(LEAVES, 0) = 0;
	*fake_descriptor(LEAVES, 1) = 0;
	tell_unmap(1, 1);
	expect_lie("at 0x1000: table says nothing, model says 0x80029000");
}

static void a_protect_that_wrote_nothing(void **state)
{
	(void)state;
	tell_jump(0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .range = pages(0, 1),
				    .changed = pages(0, 1),
				    .property = RO },
	     1);
	expect_lie("table says 0x80028000 rw-a write-back counted, model says 0x80028000 r--a");
}

static void a_replace_that_kept_the_old_page(void **state)
{
	(void)state;
	tell_jump(0);
	fake_set_state(paddr(data(9)), PAGE_FRAME, 1);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_REPLACE,
				    .range = pages(0, 1),
				    .output = paddr(data(9)),
				    .property = RW,
				    .counted = true },
	     1);
	expect_lie("table says 0x80028000 rw-a write-back counted, model says 0x80031000");
}

/* ---- Lies about results --------------------------------------------------------------------- */

static void a_map_over_a_mapping(void **state)
{
	(void)state;
	tell_jump(3);
	write_leaf(4, 4, LEAF_RW);
	tell_map(3, 2, MM_OK);
	assert_int_equal(model_report().differences, 3); /* the status, where it is, the table */
	assert_int_equal(lines, 3);
}

static void a_refusal_without_a_reason(void **state)
{
	(void)state;
	tell_map(4, 1, MM_EXISTS);
	expect_lie("status is MM_EXISTS, model says MM_OK or MM_NO_MEMORY");
}

static void a_replace_of_nothing(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_REPLACE,
				    .range = pages(4, 1),
				    .output = paddr(data(0)),
				    .property = RW,
				    .counted = true },
	     4);
	expect_lie("status is MM_OK, model says MM_NO_MEMORY or MM_NOT_MAPPED");
}

static void a_protect_refused_without_a_reason(void **state)
{
	(void)state;
	tell_jump(0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .status = MM_NOT_SUPPORTED,
				    .range = pages(0, 1),
				    .changed = pages(0, 1),
				    .property = RO },
	     0);
	expect_lie("status is MM_NOT_SUPPORTED, model says MM_OK");
}

static void a_read_only_cursor_that_unmaps_nothing(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_open(CURSOR_READ_ONLY, 8, 8);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_UNMAP, .range = pages(8, 1) }, 8);
	expect_lie("status is MM_OK, model says MM_ACCESS_DENIED");
}

static void a_wrong_number_of_leaves(void **state)
{
	(void)state;
	tell_jump(0);
	for (unsigned int i = 0; i < 4; i++)
		*fake_descriptor(LEAVES, i) = 0;
	tell_unmap(4, 3);
	expect_lie("3 leaves removed, model says 4 to 4");
}

static void a_query_of_another_page(void **state)
{
	struct cursor_item item = { .range = pages(2, 1),
				    .mapped = true,
				    .counted = true,
				    .output = paddr(data(1)),
				    .property = RW };

	(void)state;
	tell_jump(2);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_QUERY, .item = item }, 2);
	expect_lie("item says [0x2000, 0x3000) 0x80029000 rw-a write-back counted, model says");
}

static void a_query_larger_than_the_descriptor(void **state)
{
	struct cursor_item item = { .range = pages(2, 2),
				    .mapped = true,
				    .counted = true,
				    .output = paddr(data(2)),
				    .property = RW };

	(void)state;
	tell_jump(2);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_QUERY, .item = item }, 2);
	expect_lie("item's range ends at 0x4000, the descriptor's at 0x3000");
}

static void a_search_that_passed_a_mapping(void **state)
{
	(void)state;
	tell_jump(0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_FIND_NEXT, .range = pages(0, 8) }, 1);
	expect_lie("cursor_find_next in space 1 at 0x0: the position is 0x1000, model says 0x0");
}

static void a_search_that_found_nothing_where_something_is(void **state)
{
	(void)state;
	tell_jump(0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_FIND_NEXT,
				    .status = MM_NOT_MAPPED,
				    .range = pages(0, 8) },
	     0);
	expect_lie("status is MM_NOT_MAPPED, model says MM_OK");
}

static void a_jump_out_of_the_range(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_JUMP, .range = pages(65, 0) }, 4);
	expect_lie("status is MM_OK, model says MM_OUT_OF_BOUND");
}

static void a_jump_to_somewhere_else(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_JUMP, .range = pages(6, 0) }, 7);
	expect_lie("the position is 0x7000, model says 0x6000");
}

static void a_cursor_that_moved_by_itself(void **state)
{
	(void)state;
	cursor.position.value += PAGE_SIZE;
	tell_map(4, 1, MM_NO_MEMORY);
	expect_lie("the position is 0x5000, model says 0x4000");
}

static void a_range_that_begins_elsewhere(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_UNMAP, .range = pages(5, 1) }, 4);
	expect_lie("the range begins at 0x5000");
}

static void a_protect_of_part_of_a_range(void **state)
{
	(void)state;
	tell_jump(0);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_PROTECT,
				    .range = pages(0, 4),
				    .changed = pages(0, 2),
				    .property = RW },
	     0);
	expect_lie("changed up to 0x2000, which is the part of no leaf in the range");
}

/* ---- Lies about cursors and spaces ---------------------------------------------------------- */

static void two_cursors_on_one_page(void **state)
{
	struct cursor other = { .space = &space, .position = iaddr(63 * PAGE_SIZE) };
	struct mm_operation open = { .kind = OPERATION_CURSOR_OPEN,
				     .space = &space,
				     .cursor = &other,
				     .range = pages(63, 2) };

	(void)state;
	fake_cpu = 1; /* on its own CPU it would have been MM_BUSY */
	fake_operation(&open);
	expect_lie("opened up to 0x41000, where another cursor holds 0x0");
	assert_int_equal(model_check_all(), 3); /* said of each of the two */
}

static void two_cursors_of_one_cpu(void **state)
{
	struct cursor other = { .space = &space };
	struct mm_operation open = { .kind = OPERATION_CURSOR_OPEN,
				     .status = MM_BUSY,
				     .space = &space,
				     .cursor = &other,
				     .range = pages(0, 1) };

	(void)state;
	fake_operation(&open);
	open.range = pages(64, 1); /* beside it: the node may be the same */
	fake_operation(&open);
	expect_truth();
	fake_cpu = 1;
	fake_operation(&open);
	expect_lie("status is MM_BUSY, model says MM_OK");
}

static void two_cursors_of_one_cpu_on_one_page(void **state)
{
	struct cursor other = { .space = &space };
	struct mm_operation open = { .kind = OPERATION_CURSOR_OPEN,
				     .space = &space,
				     .cursor = &other,
				     .range = pages(63, 1) };

	(void)state;
	other.position = open.range.start;
	fake_operation(&open);
	assert_int_equal(model_report().differences, 2); /* not MM_BUSY, and held twice */
}

static void a_cursor_beside_another(void **state)
{
	struct cursor other = { .space = &space };
	struct mm_operation open = { .kind = OPERATION_CURSOR_OPEN,
				     .space = &space,
				     .cursor = &other,
				     .range = pages(64, 1) };

	(void)state;
	other.position = open.range.start;
	fake_operation(&open);
	expect_truth();
}

static void a_cursor_opened_twice(void **state)
{
	(void)state;
	cursor.range = pages(64, 1);
	cursor.position = cursor.range.start;
	fake_operation(&(struct mm_operation){ .kind = OPERATION_CURSOR_OPEN,
					       .space = &space,
					       .cursor = &cursor,
					       .range = cursor.range });
	expect_lie("opened where a cursor was not closed");
}

static void a_cursor_that_begins_elsewhere(void **state)
{
	struct cursor other = { .space = &space };

	(void)state;
	fake_operation(&(struct mm_operation){ .kind = OPERATION_CURSOR_OPEN,
					       .space = &space,
					       .cursor = &other,
					       .range = pages(64, 1) });
	expect_lie("cursor_open in space 1 at 0x40000: the position is 0x0 after opening");
}

static void a_cursor_that_was_not_opened(void **state)
{
	struct cursor other = { .space = &space };
	struct mm_operation flush = { .kind = OPERATION_CURSOR_FLUSH,
				      .space = &space,
				      .cursor = &other };

	(void)state;
	fake_operation(&flush);
	expect_lie("the cursor is not open");
}

static void a_space_destroyed_under_a_cursor(void **state)
{
	(void)state;
	*fake_descriptor(ROOT, 0) = 0;
	tell_space(OPERATION_SPACE_DESTROY, MM_OK);
	expect_lie("vm_space_destroy in space 1 at 0x0: status is MM_OK, model says MM_BUSY");
}

static void a_space_destroyed_with_something_left(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	for (unsigned int i = 0; i < 3; i++)
		*fake_descriptor(LEAVES, i) = 0;
	tell_space(OPERATION_SPACE_DESTROY, MM_OK);
	expect_lie("vm_space_destroy in space 1 at 0x3000: table says 0x8002b000");
}

static void a_space_busy_without_a_reason(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_space(OPERATION_SPACE_DESTROY, MM_BUSY);
	expect_lie("status is MM_BUSY, model says MM_OK");
}

static void a_new_space_that_is_not_empty(void **state)
{
	static struct vm_space other;
	struct mm_operation new = { .kind = OPERATION_SPACE_NEW, .space = &other };

	(void)state;
	other = space;
	other.root = fake_page(20);
	fake_set_state(other.root, PAGE_TABLE, 1);
	*fake_descriptor(other.root, 3) = (LEAF_RW & ~UINT64_C(2)) | 0x40000000;
	fake_operation(&new);
	expect_lie("vm_space_new in space 2 at 0x600000: table says 0x40000000");
}

static void a_new_space_with_too_many_levels(void **state)
{
	static struct vm_space other;
	struct mm_operation new = { .kind = OPERATION_SPACE_NEW, .space = &other };

	(void)state;
	other = space;
	other.geometry = (struct translation_geometry){ 33, 1, 1, 40 };
	other.root = fake_page(20);
	fake_set_state(other.root, PAGE_TABLE, 1);
	fake_operation(&new);
	expect_lie("root is 1 tables at level 1 for 33 bits, model says 8 at level 2");
}

static void a_space_made_twice(void **state)
{
	(void)state;
	*fake_descriptor(ROOT, 0) = 0;
	tell_space(OPERATION_SPACE_NEW, MM_OK);
	expect_lie("made where space 1 still lives");
}

static void a_stage_1_space_for_guests(void **state)
{
	static struct vm_space other;
	struct mm_operation operation = { .kind = OPERATION_SPACE_NEW, .space = &other };

	(void)state;
	other = space;
	other.stage = STAGE_1;
	other.root = fake_page(20);
	fake_set_state(other.root, PAGE_TABLE, 1);
	fake_operation(&operation);
	operation.kind = OPERATION_SPACE_ACTIVATE;
	operation.status = MM_INVALID_ARGS;
	fake_operation(&operation);
	expect_truth();
	operation.status = MM_OK;
	fake_operation(&operation);
	expect_lie("status is MM_OK, model says MM_INVALID_ARGS");
}

static void two_spaces_with_one_vmid(void **state)
{
	static struct vm_space other;
	struct mm_operation operation = { .kind = OPERATION_SPACE_NEW, .space = &other };

	(void)state;
	other = space;
	other.root = fake_page(20);
	fake_set_state(other.root, PAGE_TABLE, 1);
	fake_operation(&operation);
	operation.kind = OPERATION_SPACE_ACTIVATE;
	fake_vmid = 7;
	fake_operation(&operation);
	expect_lie("vm_space_activate in space 2 at 0x0: VMID 7 is that of space 1");
}

static void a_space_active_without_a_vmid(void **state)
{
	(void)state;
	fake_vmid = 0;
	tell_space(OPERATION_SPACE_ACTIVATE, MM_OK);
	expect_lie("active with VMID 0");
}

/* ---- Lies about pages ----------------------------------------------------------------------- */

static void a_mapped_page_without_a_reference(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW);
	fake_set_state(paddr(data(4)), PAGE_FRAME, 0);
	tell_map(4, 1, MM_OK);
	expect_lie("page 0x8002c000 is mapped as counted, but is frame with 0 references");
}

static void a_counted_page_that_is_a_table(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW);
	fake_set_state(paddr(data(4)), PAGE_TABLE, 1);
	tell_map(4, 1, MM_OK);
	expect_lie("is mapped as counted, but is page table with 1 references");
}

static void memory_mapped_as_a_device(void **state)
{
	(void)state;
	write_leaf(4, 4, LEAF_RW | NOT_COUNTED);
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_MAP,
				    .range = pages(4, 1),
				    .output = paddr(data(4)),
				    .property = RW },
	     5);
	assert_true(model_report().differences > 0);
	assert_non_null(strstr(last_line, "model says"));
}

static void a_page_freed_before_the_flush(void **state)
{
	(void)state;
	tell_jump(0);
	*fake_descriptor(LEAVES, 0) = 0;
	fake_set_state(paddr(data(0)), PAGE_UNUSED, 0);
	tell_unmap(1, 1);
	expect_lie("page 0x80028000 is free before its translation is flushed");
}

/* More runs than the gather holds: the operation flushed on its way, and some pages are free. */
static void pages_freed_by_a_flush_that_was_needed(void **state)
{
	(void)state;
	tell((struct mm_operation){ .kind = OPERATION_CURSOR_CLOSE }, 4);
	tell_open(CURSOR_MUTABLE, 100, 200);
	for (unsigned int i = 0; i < TLB_GATHER_RUNS + 1; i++) {
		write_leaf(100 + i, 50 - i, LEAF_RW);
		tell_map(50 - i, 1, MM_OK);
		fake_set_state(paddr(data(50 - i)), PAGE_UNUSED, 0);
	}
	tell_jump(100);
	memset(fake_descriptor(LEAVES, 100), 0, (TLB_GATHER_RUNS + 1) * sizeof(uint64_t));
	tell_unmap(TLB_GATHER_RUNS + 1, TLB_GATHER_RUNS + 1);
	expect_truth();
}

/* ---- The full check ------------------------------------------------------------------------- */

static void a_descriptor_written_behind_the_back(void **state)
{
	(void)state;
	expect_truth();
	*fake_descriptor(LEAVES, 500) = LEAF_RW | data(0);
	assert_int_equal(model_check_all(), 1);
	expect_lie("full check in space 1 at 0x1f4000: table says 0x80028000");
}

static void a_descriptor_gone_behind_the_back(void **state)
{
	(void)state;
	*fake_descriptor(ROOT, 0) = 0;
	model_check_all();
	expect_lie("full check in space 1 at 0x0: table says nothing, model says 0x80028000");
}

static void a_table_in_two_places(void **state)
{
	(void)state;
	*fake_descriptor(ROOT, 5) = LEAVES.value | TABLE_TYPE;
	model_check_all();
	expect_lie("the table is reached a second time");
}

static void a_page_dropped_while_mapped(void **state)
{
	(void)state;
	fake_set_state(paddr(data(2)), PAGE_UNUSED, 0);
	model_check_all();
	expect_lie("full check in space 1 at 0x2000: page 0x8002a000 is mapped as counted, but is");
}

/* ---- The model's own limits ----------------------------------------------------------------- */

static void a_full_arena_is_a_difference_and_the_end(void **state)
{
	uint64_t operations;

	(void)state;
	model_stop();
	lines = 0;
	model_start(arena, 600, complain);
	*fake_descriptor(ROOT, 0) = 0;
	tell_space(OPERATION_SPACE_NEW, MM_OK);
	tell_open(CURSOR_MUTABLE, 0, 64);
	for (unsigned int i = 0; i < 40 && model_report().differences == 0; i++) {
		*fake_descriptor(ROOT, 0) = LEAVES.value | TABLE_TYPE;
		memset(fake_descriptor(LEAVES, 0), 0, PAGE_SIZE);
		for (unsigned int page = 0; page <= i; page++)
			write_leaf(page, 40 - page, LEAF_RW);
		tell_map(40 - i, 1, MM_OK);
	}
	assert_non_null(strstr(last_line, "is full, nothing is checked after operation"));
	operations = model_report().operations;
	tell_map(0, 1, MM_OK);
	model_check_all();
	assert_int_equal(model_report().operations, operations);
	assert_int_equal(model_report().differences, 1);
}

/* With less storage than a story needs there is exactly one difference, wherever it ends. */
static void any_arena_is_enough_to_say_so(void **state)
{
	bool enough = false;

	(void)state;
	for (size_t size = 0; size < 1200; size += 8) {
		model_stop();
		*fake_descriptor(ROOT, 0) = 0;
		model_start(arena + 1, size, complain);
		tell_space(OPERATION_SPACE_NEW, MM_OK);
		*fake_descriptor(ROOT, 0) = LEAVES.value | TABLE_TYPE;
		memset(fake_descriptor(LEAVES, 0), 0, PAGE_SIZE);
		tell_open(CURSOR_MUTABLE, 0, 64);
		for (unsigned int i = 0; i < 4; i++) {
			write_leaf(i, 40 - i, LEAF_RW);
			tell_map(40 - i, 1, MM_OK);
		}
		model_check_all();
		enough = enough || model_report().differences == 0;
		assert_int_equal(model_report().differences, enough ? 0 : 1);
		assert_true(size > 0 || !enough);
	}
	assert_true(enough);
}

static void a_flood_is_counted_but_not_told(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 50; i++)
		tell_map(4, 1, MM_EXISTS);
	assert_int_equal(model_report().differences, 50);
	assert_int_equal(lines, 21);
	assert_non_null(strstr(last_line, "only counted"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_truth_makes_no_difference),
		TEST(a_map_that_wrote_nothing),
		TEST(a_map_to_the_wrong_page),
		TEST(a_map_with_another_permission),
		TEST(a_map_not_marked_as_counted),
		TEST(a_map_that_hit_its_neighbour),
		TEST(an_unmap_that_hit_the_page_before),
		TEST(neighbours_of_the_cursor_are_not_compared),
		TEST(a_split_that_lost_a_page),
		TEST(a_split_that_lost_a_page_before),
		TEST(a_block_where_a_page_should_be),
		TEST(a_map_with_a_bad_descriptor),
		TEST(a_refusal_that_changed_something),
		TEST(an_unmap_that_forgot_a_leaf),
		TEST(an_unmap_that_took_too_much),
		TEST(a_protect_that_wrote_nothing),
		TEST(a_replace_that_kept_the_old_page),
		TEST(a_map_over_a_mapping),
		TEST(a_refusal_without_a_reason),
		TEST(a_replace_of_nothing),
		TEST(a_protect_refused_without_a_reason),
		TEST(a_read_only_cursor_that_unmaps_nothing),
		TEST(a_wrong_number_of_leaves),
		TEST(a_query_of_another_page),
		TEST(a_query_larger_than_the_descriptor),
		TEST(a_search_that_passed_a_mapping),
		TEST(a_search_that_found_nothing_where_something_is),
		TEST(a_jump_out_of_the_range),
		TEST(a_jump_to_somewhere_else),
		TEST(a_cursor_that_moved_by_itself),
		TEST(a_range_that_begins_elsewhere),
		TEST(a_protect_of_part_of_a_range),
		TEST(two_cursors_on_one_page),
		TEST(two_cursors_of_one_cpu),
		TEST(two_cursors_of_one_cpu_on_one_page),
		TEST(a_cursor_beside_another),
		TEST(a_cursor_opened_twice),
		TEST(a_cursor_that_begins_elsewhere),
		TEST(a_cursor_that_was_not_opened),
		TEST(a_space_destroyed_under_a_cursor),
		TEST(a_space_destroyed_with_something_left),
		TEST(a_space_busy_without_a_reason),
		TEST(a_new_space_that_is_not_empty),
		TEST(a_new_space_with_too_many_levels),
		TEST(a_space_made_twice),
		TEST(a_stage_1_space_for_guests),
		TEST(two_spaces_with_one_vmid),
		TEST(a_space_active_without_a_vmid),
		TEST(a_mapped_page_without_a_reference),
		TEST(a_counted_page_that_is_a_table),
		TEST(memory_mapped_as_a_device),
		TEST(a_page_freed_before_the_flush),
		TEST(pages_freed_by_a_flush_that_was_needed),
		TEST(a_descriptor_written_behind_the_back),
		TEST(a_descriptor_gone_behind_the_back),
		TEST(a_table_in_two_places),
		TEST(a_page_dropped_while_mapped),
		TEST(a_full_arena_is_a_difference_and_the_end),
		TEST(any_arena_is_enough_to_say_so),
		TEST(a_flood_is_counted_but_not_told),
	};

	return cmocka_run_group_tests_name("lockstep", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A CPU that has a cursor open, and wants one node more, while another CPU waits for what the first has:
 * it is refused, or goes without, and nobody waits for ever. CPUs that did are stopped, and the test fails.
 *
 *	 level 2	 [	M	]	CPU 1 opens a cursor on all of it: it has M and
 *			   |	     |		the first table, and waits for the second, which
 *	 level 3	[ FIRST ] [ SECOND ]	CPU 0 has, who then wants the first, or M.
 */
#include "several_cpus.h"
#include <strata/deferred_tables.h>
#include <strata/statistics.h>
#include <strata/table_runs.h>
#include <strata/vm_guest.h>
#include <strata/vm_reader.h>
#include <strata/vm_writer.h>
#include <unistd.h>

#define FIRST MIB(2)
#define SECOND MIB(4)
#define BOTH span(FIRST, MIB(4))

enum { ROUNDS = 400, TABLES = 6, TABLE_PAGES = 512, SECONDS_MAX = 5 };

static struct vm_space space;
static struct vm_space *el2;

/* ---- CPU 1 waits for CPU 0, who wants more -------------------------------------------------- */

static void cross(unsigned int cpu)
{
	struct cursor cursor;

	(void)cpu;
	if (cursor_open(&space, BOTH, CURSOR_MUTABLE, &cursor) != MM_OK) {
		complain("who has no cursor was refused one");
		return;
	}
	cursor_close(&cursor);
}

static void look_at_el2(const struct table_run *run, void *context)
{
	(void)run;
	(void)context;
}

static void cross_el2(unsigned int cpu)
{
	(void)cpu;
	if (table_runs(el2, look_at_el2, NULL) != MM_OK)
		complain("who has no cursor was refused one");
}

/* CPU 1 begins, and waits. */
static void let_wait(cpu_work *work)
{
	const uint64_t waited = mm_lock_statistics(MM_LOCK_NODE).waited;

	begin_on(1, work);
	while (mm_lock_statistics(MM_LOCK_NODE).waited == waited)
		usleep(100);
}

static void expect_refused(enum mm_status status, const char *text)
{
	if (status != MM_BUSY)
		complain(text);
}

static void open_another(void)
{
	struct cursor cursor;

	expect_refused(cursor_open(&space, span(FIRST, PAGE_SIZE), CURSOR_MUTABLE, &cursor),
		       "a second cursor was not refused");
}

static void open_another_above(void)
{
	struct cursor cursor;

	expect_refused(cursor_open(&space, span(GIB(1) - MIB(2), MIB(2)), CURSOR_MUTABLE, &cursor),
		       "a second cursor above was not refused");
}

static void read_page(void)
{
	struct vm_reader reader;
	uint64_t value;

	if (vm_reader_from_space(&space, iaddr(FIRST), 8, &reader) != MM_OK)
		complain("no reader");
	else
		expect_refused(vm_reader_atomic_load(&reader, 8, &value), "a read was not refused");
}

static void write_page(void)
{
	struct vm_writer writer;
	uint64_t value = 1;

	if (vm_writer_from_space(&space, iaddr(FIRST), 8, &writer) != MM_OK)
		complain("no writer");
	else
		expect_refused(vm_writer_write_val(&writer, &value, 8), "a write was not refused");
}

static void translate(void)
{
	/* Its Stage-1 tables are in the first page: SCTLR_EL1.M, and 39 bits. */
	const struct vm_guest guest = {
		.space = &space,
		.level = VM_GUEST_EL1,
		.sctlr = 1,
		.tcr = 25,
		.ttbr0 = FIRST,
	};
	struct vm_guest_walk walk;

	expect_refused(vm_guest_translate(&guest, 0, PAGE_READ, &walk), "a walk was not refused");
}

static void (*const wanted[])(void) = { open_another, open_another_above, read_page, write_page,
					translate };
static void (*want)(void);

static void want_more(unsigned int cpu)
{
	struct cursor held;

	(void)cpu;
	if (cursor_open(&space, span(SECOND, PAGE_SIZE), CURSOR_MUTABLE, &held) != MM_OK) {
		complain("no cursor");
		return;
	}
	let_wait(cross);
	want();
	cursor_close(&held);
}

TEST(who_has_a_cursor_is_refused_what_he_would_wait_for)
{
	world_space(world, &space);
	map_frame_at(world, &space, FIRST, READ_WRITE);
	map_frame_at(world, &space, SECOND, READ_WRITE);
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		want = wanted[i];
		run_in_time(want_more, SECONDS_MAX);
	}
	EXPECT_OK(vm_space_destroy(&space));
}

/* ---- Each has what the other wants, in two spaces ------------------------------------------- */

static struct vm_space second_space;
static _Atomic unsigned int met;

/* Until both CPUs have come here @times. */
static void meet(unsigned int times)
{
	atomic_fetch_add(&met, 1);
	while (atomic_load(&met) < 2 * times)
		usleep(100);
}

static void want_of_the_other(unsigned int cpu)
{
	struct cursor held, more;

	if (cpu == 0)
		begin_on(1, want_of_the_other);
	if (cursor_open(cpu == 0 ? &second_space : &space, BOTH, CURSOR_MUTABLE, &held) != MM_OK) {
		complain("no cursor");
		return;
	}
	meet(1);
	if (cpu == 0)
		want();
	else
		expect_refused(cursor_open(&second_space, BOTH, CURSOR_MUTABLE, &more),
			       "a cursor on a second space was not refused");
	meet(2);
	cursor_close(&held);
}

TEST(who_has_a_cursor_on_one_space_waits_for_nobody_in_another)
{
	world_space(world, &space);
	world_space(world, &second_space);
	map_frame_at(world, &space, FIRST, READ_WRITE);
	map_frame_at(world, &space, SECOND, READ_WRITE);
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		want = wanted[i];
		atomic_store(&met, 0);
		run_in_time(want_of_the_other, SECONDS_MAX);
	}
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_OK(vm_space_destroy(&second_space));
}

/* ---- Closing -------------------------------------------------------------------------------- */

static void close_one_of_two(unsigned int cpu)
{
	struct cursor held, closed;

	(void)cpu;
	if (cursor_open(&space, span(SECOND, PAGE_SIZE), CURSOR_MUTABLE, &held) != MM_OK ||
	    cursor_open(&space, span(FIRST, PAGE_SIZE), CURSOR_MUTABLE, &closed) != MM_OK ||
	    cursor_unmap(&closed, PAGE_SIZE, NULL) != MM_OK) {
		complain("no cursors");
		return;
	}
	let_wait(cross);
	/* The first table is empty: the descriptor that leads to it is CPU 1's. */
	cursor_close(&closed);
	cursor_close(&held);
}

/* A table that is left empty is one that nothing is mapped in: who changes something there takes it away. */
TEST(who_closes_one_of_two_cursors_waits_for_nobody)
{
	for (unsigned int look = 0; look < 2; look++) {
		uint64_t tables;
		struct cursor cursor;

		world_space(world, &space);
		map_frame_at(world, &space, FIRST, READ_WRITE);
		map_frame_at(world, &space, SECOND, READ_WRITE);
		tables = world_pages(PAGE_TABLE);
		run_in_time(close_one_of_two, SECONDS_MAX);
		EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
		expect_hole(&space, FIRST);
		EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
		if (look == 0) {
			open_at(&space, FIRST, MIB(2), &cursor);
			cursor_close(&cursor);
			EXPECT_EQUAL(world_pages(PAGE_TABLE), tables - 1);
		}
		/* A block's pages, in the table that is there. */
		map_segment_at(world, &space, FIRST, MIB(2) / PAGE_SIZE, MIB(2), READ_WRITE);
		EXPECT_EQUAL(unmap_at(&space, FIRST, MIB(2)), 1);
		EXPECT_EQUAL(world_pages(PAGE_TABLE), tables - 1);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

/* Nor is it lost with its space. */
TEST(a_table_that_was_left_empty_goes_with_its_space)
{
	world_space(world, &space);
	map_frame_at(world, &space, FIRST, READ_WRITE);
	map_frame_at(world, &space, SECOND, READ_WRITE);
	run_in_time(close_one_of_two, SECONDS_MAX);
	EXPECT_OK(vm_space_destroy(&space));
}

/* ---- Window spaces -------------------------------------------------------------------------- */

static struct iaddr held_page;

static void make_and_destroy(unsigned int cpu)
{
	struct vm_space window;
	struct cursor held;

	(void)cpu;
	if (cursor_open(el2, span(held_page.value, PAGE_SIZE), CURSOR_READ_ONLY, &held) != MM_OK) {
		complain("no cursor");
		return;
	}
	let_wait(cross_el2);
	expect_refused(vm_space_new_window(el2, &window), "a window space was not refused");
	expect_refused(vm_space_destroy(&space), "the end of one was not refused");
	cursor_close(&held);
}

TEST(window_spaces_wait_for_nobody_under_a_cursor)
{
	el2 = world_el2_space(world);
	held_page = world_el2_window(world).start;
	map_frame_at(world, el2, held_page.value, READ_WRITE);
	EXPECT_OK(vm_space_new_window(el2, &space));
	run_in_time(make_and_destroy, SECONDS_MAX);
	EXPECT_OK(vm_space_destroy(&space));
	unmap_at(el2, held_page.value, PAGE_SIZE);
}

/* ---- At random ------------------------------------------------------------------------------ */

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static struct irange random_range(uint32_t *random)
{
	uint64_t first = next_random(random) % (TABLES * TABLE_PAGES);
	uint64_t pages = 1 + next_random(random) % 4;

	if (next_random(random) % 4 == 0)
		pages = 2 * TABLE_PAGES;
	if (pages > TABLES * TABLE_PAGES - first)
		pages = TABLES * TABLE_PAGES - first;
	return span(MIB(2) + first * PAGE_SIZE, pages * PAGE_SIZE);
}

/* Maps or unmaps something in the range of a cursor at its start. */
static void change(struct cursor *cursor, uint32_t *random)
{
	frame_t frame;

	if (cursor_unmap(cursor, irange_size(cursor->range), NULL) != MM_OK ||
	    cursor_jump(cursor, cursor->range.start) != MM_OK)
		complain("unmap failed");
	if (next_random(random) % 2 == 0)
		return;
	if (frame_alloc(FRAME_ZEROED, &frame) != MM_OK ||
	    cursor_map(cursor, &frame, READ_WRITE) != MM_OK)
		complain("map failed");
}

static void read_somewhere(uint32_t *random)
{
	struct iaddr page = random_range(random).start;
	struct vm_reader reader;
	uint64_t value;
	enum mm_status status = vm_reader_from_space(&space, page, 8, &reader);

	if (status == MM_OK)
		status = vm_reader_atomic_load(&reader, 8, &value);
	if (status != MM_OK && status != MM_PAGE_FAULT && status != MM_BUSY)
		complain("a read neither done nor refused");
}

static void have_two(unsigned int cpu)
{
	uint32_t random = cpu + 1;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct cursor cursors[2];
		unsigned int first = next_random(&random) % 2;
		enum mm_status status;

		if (cursor_open(&space, random_range(&random), CURSOR_MUTABLE, &cursors[0]) !=
		    MM_OK) {
			complain("who has no cursor was refused one");
			return;
		}
		change(&cursors[0], &random);
		status = cursor_open(&space, random_range(&random), CURSOR_MUTABLE, &cursors[1]);
		read_somewhere(&random);
		if (status != MM_OK) {
			if (status != MM_BUSY)
				complain("neither opened nor refused");
			cursor_close(&cursors[0]);
			continue;
		}
		change(&cursors[1], &random);
		cursor_close(&cursors[first]);
		read_somewhere(&random);
		cursor_close(&cursors[1 - first]);
	}
}

static void have_two_on_all(unsigned int cpu)
{
	for (unsigned int next = 1; next < CPUS; next++)
		begin_on(next, have_two);
	have_two(cpu);
}

/* In any order of opening, closing and reading everybody comes to an end, and nothing is left over. */
TEST(two_cursors_on_each_of_several_cpus)
{
	uint64_t tables;

	world_space(world, &space);
	tables = world_pages(PAGE_TABLE);
	run_in_time(have_two_on_all, SECONDS_MAX);
	unmap_at(&space, MIB(2), TABLES * MIB(2));
	(void)deferred_tables_drain();
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	EXPECT_OK(vm_space_destroy(&space));
}

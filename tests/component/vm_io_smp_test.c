/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers and writers while other CPUs unmap and map. Every page is filled with one value at any
 * moment that nobody copies: whoever finds two has seen a page that was no longer there for him.
 */
#include "several_cpus.h"
#include "vm_io_place.h"
#include <sched.h>
#include <string.h>

enum { ROUNDS = 500, WORDS = PAGE_SIZE / 8 };

#define POISON UINT64_C(0xdeaddeaddeaddead)
#define IPA UINT64_C(0x40000000)

static struct vm_space spaces[2];

static bool is_uniform(const uint64_t *words)
{
	for (size_t i = 1; i < WORDS; i++)
		if (words[i] != words[0])
			return false;
	return true;
}

static void fill(uint64_t *words, uint64_t value)
{
	for (size_t i = 0; i < WORDS; i++)
		words[i] = value;
}

/* Takes the page away and puts another in its place; the old one is poisoned once it is gone. */
static void migrate(unsigned int cpu)
{
	(void)cpu;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct cursor_item item;
		struct cursor cursor;
		frame_t old, new;

		if (frame_alloc(FRAME_UNDEFINED, &new) != MM_OK ||
		    cursor_open(&spaces[0], span(IPA, PAGE_SIZE), CURSOR_MUTABLE, &cursor) !=
			    MM_OK) {
			complain("no page, or no cursor");
			return;
		}
		if (cursor_query(&cursor, &item, &old) != MM_OK ||
		    cursor_unmap(&cursor, PAGE_SIZE, NULL) != MM_OK)
			complain("the page is not there");
		cursor_flush(&cursor);
		if (round % 2 == 0) {
			/* For a while there is nothing. */
			cursor_close(&cursor);
			sched_yield();
			if (cursor_open(&spaces[0], span(IPA, PAGE_SIZE), CURSOR_MUTABLE,
					&cursor) != MM_OK)
				complain("no cursor");
		} else if (cursor_jump(&cursor, iaddr(IPA)) != MM_OK) {
			complain("no jump");
		}
		/* Whole writes or none: nobody is storing to it any more. */
		uint64_t *words = mm_linear(old.paddr);

		if (!is_uniform(words))
			complain("a page was taken away in the middle of a write");
		memcpy(mm_linear(new.paddr), words, PAGE_SIZE);
		fill(words, POISON);
		if (cursor_map(&cursor, &new, READ_WRITE) != MM_OK)
			complain("the new page is not mapped");
		cursor_close(&cursor);
		if (!is_uniform(words) || words[0] != POISON)
			complain("a page was written to after it was unmapped");
		frame_drop(&old);
	}
}

static void read_page(unsigned int cpu)
{
	static _Thread_local uint64_t words[WORDS];

	(void)cpu;
	while (!first_has_ended()) {
		struct vm_reader reader;
		uint64_t length;
		enum mm_status status =
			vm_reader_from_space(&spaces[0], iaddr(IPA), PAGE_SIZE, &reader);

		if (status == MM_OK)
			status = vm_reader_collect(&reader, words, sizeof(words), &length);
		if (status != MM_OK && status != MM_PAGE_FAULT)
			complain("a read neither done nor faulted");
		if (status == MM_OK && (!is_uniform(words) || words[0] == POISON))
			complain("a read of a page that was taken away");
	}
}

static void write_page(unsigned int cpu)
{
	static _Thread_local uint64_t words[WORDS];
	uint64_t value = (uint64_t)cpu << 32;

	while (!first_has_ended()) {
		struct vm_writer writer;
		enum mm_status status =
			vm_writer_from_space(&spaces[0], iaddr(IPA), PAGE_SIZE, &writer);

		fill(words, value++);
		if (status == MM_OK)
			status = vm_writer_write_val(&writer, words, sizeof(words));
		if (status != MM_OK && status != MM_PAGE_FAULT)
			complain("a write neither done nor faulted");
	}
}

/* Nobody reads or writes a page that is gone, and nobody is interrupted in it. */
TEST(vm_io_is_safe_against_unmap)
{
	cpu_work *const work[] = { migrate, read_page, write_page, read_page };

	world_space(world, &spaces[0]);
	map_frame_at(world, &spaces[0], IPA, READ_WRITE);
	/* A neighbour keeps the table where it is, every other time. */
	for (unsigned int neighbour = 0; neighbour < 2; neighbour++) {
		if (neighbour == 1)
			map_frame_at(world, &spaces[0], IPA + PAGE_SIZE, READ_WRITE);
		run_each(work, COUNT_OF(work));
	}
	EXPECT_OK(vm_space_destroy(&spaces[0]));
}

static void copy_pages(struct vm_space *from, struct vm_space *to)
{
	struct vm_reader reader;
	struct vm_writer writer;
	uint64_t copied;

	if (vm_reader_from_space(from, iaddr(IPA), 2 * PAGE_SIZE, &reader) != MM_OK ||
	    vm_writer_from_space(to, iaddr(IPA), 2 * PAGE_SIZE, &writer) != MM_OK ||
	    vm_reader_read_fallible(&reader, &writer, &copied) != MM_OK || copied != 2 * PAGE_SIZE)
		complain("a copy from guest to guest");
}

static void copy_there(unsigned int cpu)
{
	(void)cpu;
	for (unsigned int round = 0; round < ROUNDS; round++)
		copy_pages(&spaces[0], &spaces[1]);
}

static void copy_back(unsigned int cpu)
{
	(void)cpu;
	while (!first_has_ended())
		copy_pages(&spaces[1], &spaces[0]);
}

static void copy_within(unsigned int cpu)
{
	(void)cpu;
	while (!first_has_ended())
		copy_pages(&spaces[0], &spaces[0]);
}

/* Copies both ways between two guests at once: nobody waits for a lock while he has one. */
TEST(vm_io_copies_between_guests_without_deadlock)
{
	cpu_work *const work[] = { copy_there, copy_back, copy_within, copy_back };

	for (size_t i = 0; i < COUNT_OF(spaces); i++) {
		world_space(world, &spaces[i]);
		map_segment_at(world, &spaces[i], IPA, 2, PAGE_SIZE, READ_WRITE);
	}
	run_each(work, COUNT_OF(work));
	for (size_t i = 0; i < COUNT_OF(spaces); i++)
		EXPECT_OK(vm_space_destroy(&spaces[i]));
}

static void increment(unsigned int cpu)
{
	(void)cpu;
	for (unsigned int round = 0; round < ROUNDS;) {
		struct vm_reader reader;
		struct vm_writer writer;
		uint64_t value, previous;
		bool exchanged = false;

		if (vm_reader_from_space(&spaces[0], iaddr(IPA + 8), 4, &reader) != MM_OK ||
		    vm_writer_from_space(&spaces[0], iaddr(IPA + 8), 4, &writer) != MM_OK ||
		    vm_reader_atomic_load(&reader, 4, &value) != MM_OK ||
		    vm_writer_atomic_compare_exchange(&writer, &reader, 4, value, value + 1,
						      &previous, &exchanged) != MM_OK)
			complain("an exchange");
		round += exchanged;
	}
}

/* No increment is lost. */
TEST(vm_io_exchanges_are_atomic)
{
	cpu_work *const work[] = { increment, increment, increment, increment };

	world_space(world, &spaces[0]);
	struct paddr page = map_frame_at(world, &spaces[0], IPA, READ_WRITE);

	run_each(work, COUNT_OF(work));
	EXPECT_EQUAL(world_read(paddr(page.value + 8)), 4 * ROUNDS);
	EXPECT_OK(vm_space_destroy(&spaces[0]));
}

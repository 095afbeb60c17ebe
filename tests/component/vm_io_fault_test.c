/* SPDX-License-Identifier: BSD-3-Clause */
/* A fault at any byte: exactly the bytes before it are done, both cursors stand there. */
#include "vm_io_place.h"
#include <string.h>

#define BEFORE 300 /* bytes of the last page that transfers begin in */
#define SENTINEL 0xee

static const enum vm_io_kind faulting[] = { VM_IO_SPACE, VM_IO_GUEST, VM_IO_WINDOW,
					    VM_IO_WINDOW_SPACE };
static const uint64_t lengths[] = { 1, 2, 3, 7, 8, 16, 31, 64, 129, 300 };

/* The loops move up to 128 bytes at a time: more than the longest transfer, at every alignment. */
static _Alignas(16) uint8_t buffer[512];

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void expect_all(const uint8_t *bytes, uint8_t value, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		EXPECT_EQUAL(bytes[i], value);
}

/* @at: first byte; the bytes from @end on are not there. */
static void read_across(struct world *world, struct place *place, uint64_t at, uint64_t end,
			uint64_t length)
{
	struct vm_reader reader = place_reader(world, place, at, length);
	uint8_t *to = buffer + at % 16;
	struct vm_writer writer = own_writer(to, length + 8);
	uint64_t expected = at < end ? least(length, end - at) : 0;
	uint64_t copied = UINT64_MAX;

	memset(buffer, SENTINEL, sizeof(buffer));
	EXPECT_STATUS(vm_reader_read_fallible(&reader, &writer, &copied),
		      expected < length ? MM_PAGE_FAULT : MM_OK);
	EXPECT_EQUAL(copied, expected);
	EXPECT_EQUAL(vm_reader_cursor(&reader), place->base + at + expected);
	EXPECT_EQUAL(vm_reader_remain(&reader), length - expected);
	EXPECT_EQUAL(vm_writer_avail(&writer), length + 8 - expected);
	for (uint64_t i = 0; i < expected; i++)
		EXPECT_EQUAL(to[i], pattern_at(at + i));
	expect_all(to + expected, SENTINEL, sizeof(buffer) - (size_t)(to - buffer) - expected);
}

TEST(vm_io_read_faults_at_any_byte)
{
	for (size_t kind = 0; kind < COUNT_OF(faulting); kind++) {
		struct place place;

		place_make(world, &place, faulting[kind], 2);
		place_fill_pattern(&place);
		for (size_t i = 0; i < COUNT_OF(lengths); i++) {
			const uint64_t end = 2 * PAGE_SIZE;

			for (uint64_t at = end - BEFORE; at <= end + 1; at++)
				read_across(world, &place, at, end, lengths[i]);
			/* From one page into the next, which is elsewhere. */
			for (uint64_t at = PAGE_SIZE - BEFORE; at <= PAGE_SIZE; at += 3)
				read_across(world, &place, at, end, lengths[i]);
		}
		place_end(world, &place);
	}
}

static void write_across(struct world *world, struct place *place, uint64_t at, uint64_t end,
			 uint64_t length, bool zeroes)
{
	struct vm_writer writer = place_writer(world, place, at, length);
	const uint8_t *from = buffer + at % 16;
	uint64_t expected = at < end ? least(length, end - at) : 0;
	uint64_t done = UINT64_MAX;

	for (uint64_t i = at & ~UINT64_C(15); i < end; i++)
		*place_byte(place, i) = SENTINEL;
	if (zeroes) {
		EXPECT_STATUS(vm_writer_fill_zeros(&writer, length + 8, &done),
			      expected < length ? MM_PAGE_FAULT : MM_OK);
	} else {
		struct vm_reader reader = own_reader(from, length + 8);

		EXPECT_STATUS(vm_writer_write_fallible(&writer, &reader, &done),
			      expected < length ? MM_PAGE_FAULT : MM_OK);
		EXPECT_EQUAL(vm_reader_remain(&reader), length + 8 - expected);
	}
	EXPECT_EQUAL(done, expected);
	EXPECT_EQUAL(vm_writer_cursor(&writer), place->base + at + expected);
	EXPECT_EQUAL(vm_writer_avail(&writer), length - expected);
	for (uint64_t i = at & ~UINT64_C(15); i < end; i++) {
		bool inside = i >= at && i < at + expected;

		EXPECT_EQUAL(*place_byte(place, i), !inside ? SENTINEL : zeroes ? 0 : from[i - at]);
	}
}

TEST(vm_io_write_faults_at_any_byte)
{
	for (size_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = pattern_at(i);
	for (size_t kind = 0; kind < COUNT_OF(faulting); kind++) {
		struct place place;

		place_make(world, &place, faulting[kind], 1);
		for (size_t i = 0; i < COUNT_OF(lengths); i++)
			for (uint64_t at = PAGE_SIZE - BEFORE; at <= PAGE_SIZE + 1; at++)
				write_across(world, &place, at, PAGE_SIZE, lengths[i], false);
		place_end(world, &place);
	}
}

TEST(vm_io_fill_zeros_faults_at_any_byte)
{
	for (size_t kind = 0; kind < COUNT_OF(faulting); kind++) {
		struct place place;

		place_make(world, &place, faulting[kind], 1);
		for (size_t i = 0; i < COUNT_OF(lengths); i++)
			for (uint64_t at = PAGE_SIZE - BEFORE; at <= PAGE_SIZE + 1; at++)
				write_across(world, &place, at, PAGE_SIZE, lengths[i], true);
		place_end(world, &place);
	}
}

/* A read-only page ends a write as a hole does, and neither a read. */
TEST(vm_io_write_faults_at_a_read_only_page)
{
	for (size_t kind = 0; kind < COUNT_OF(faulting); kind++) {
		struct place place;

		place_make(world, &place, faulting[kind], 2);
		place_fill_pattern(&place);
		place_protect(world, &place, 1, READ_ONLY);
		read_across(world, &place, PAGE_SIZE - 100, 2 * PAGE_SIZE, 300);
		for (uint64_t at = PAGE_SIZE - 130; at <= PAGE_SIZE; at++)
			write_across(world, &place, at, PAGE_SIZE, 200, at % 2);
		for (uint64_t i = PAGE_SIZE; i < 2 * PAGE_SIZE; i++)
			EXPECT_EQUAL(*place_byte(&place, i), pattern_at(i));
		place_end(world, &place);
	}
}

/* Between any two kinds, whichever of the two sides faults first. */
TEST(vm_io_copies_between_any_two_kinds)
{
	static const enum vm_io_kind kinds[] = { VM_IO_HYPERVISOR, VM_IO_SPACE, VM_IO_GUEST,
						 VM_IO_WINDOW, VM_IO_WINDOW_SPACE };
	static const struct {
		uint64_t from, to, length; /* from and to: offsets in two pages */
	} cases[] = {
		{ 0, 0, 2 * PAGE_SIZE },
		{ 1, 3, PAGE_SIZE + 100 },
		{ PAGE_SIZE - 1, PAGE_SIZE - 2, 3 },
		{ PAGE_SIZE - 200, 9, 1000 },
		{ 8, PAGE_SIZE - 200, 1000 },
		{ 2 * PAGE_SIZE - 77, 5, 100 },
		{ 5, 2 * PAGE_SIZE - 77, 100 },
		{ 2 * PAGE_SIZE - 40, 2 * PAGE_SIZE - 50, 100 },
	};

	for (size_t i = 0; i < COUNT_OF(kinds) * COUNT_OF(kinds); i++) {
		enum vm_io_kind from_kind = kinds[i / COUNT_OF(kinds)];
		enum vm_io_kind to_kind = kinds[i % COUNT_OF(kinds)];
		struct place from, to;

		/* There is one window, and one space active in it: its second place would lie where
		 * the first does. */
		if (from_kind == to_kind &&
		    (from_kind == VM_IO_WINDOW || from_kind == VM_IO_WINDOW_SPACE))
			continue;
		place_make(world, &from, from_kind, 2);
		place_make(world, &to, to_kind, 2);
		place_fill_pattern(&from);
		for (size_t j = 0; j < COUNT_OF(cases); j++) {
			uint64_t length = cases[j].length;
			uint64_t from_left = 2 * PAGE_SIZE - cases[j].from;
			uint64_t to_left = 2 * PAGE_SIZE - cases[j].to;
			uint64_t expected, copied;

			/* The hypervisor's memory has no hole to run into: the range ends there. */
			if (from_kind == VM_IO_HYPERVISOR || to_kind == VM_IO_HYPERVISOR)
				length = least(length, least(from_left, to_left));
			expected = least(length, least(from_left, to_left));

			struct vm_reader reader = place_reader(world, &from, cases[j].from, length);
			struct vm_writer writer = place_writer(world, &to, cases[j].to, length);

			for (uint64_t at = 0; at < 2 * PAGE_SIZE; at++)
				*place_byte(&to, at) = SENTINEL;
			EXPECT_STATUS(vm_reader_read_fallible(&reader, &writer, &copied),
				      expected < length ? MM_PAGE_FAULT : MM_OK);
			EXPECT_EQUAL(copied, expected);
			EXPECT_EQUAL(vm_reader_remain(&reader), length - expected);
			EXPECT_EQUAL(vm_writer_avail(&writer), length - expected);
			for (uint64_t at = 0; at < 2 * PAGE_SIZE; at++) {
				bool inside = at >= cases[j].to && at - cases[j].to < expected;

				EXPECT_EQUAL(*place_byte(&to, at),
					     inside ? pattern_at(cases[j].from + at - cases[j].to)
						    : SENTINEL);
			}
		}
		place_end(world, &to);
		place_end(world, &from);
	}
}

/* Across a window: real loads and real stores of one routine, each of which may fault. */
TEST(vm_io_copies_within_a_window)
{
	struct place place;

	place_make(world, &place, VM_IO_WINDOW, 4);
	place_unmap(world, &place, 2);
	for (uint64_t back = 0; back <= 140; back++) {
		/* Page 0 to page 1, whose end is a hole; and out of page 1 into page 3. */
		struct vm_reader reader = place_reader(world, &place, 64, 200);
		struct vm_writer writer = place_writer(world, &place, 2 * PAGE_SIZE - back, 200);
		uint64_t copied;

		place_fill_pattern(&place);
		EXPECT_STATUS(vm_reader_read_fallible(&reader, &writer, &copied), MM_PAGE_FAULT);
		EXPECT_EQUAL(copied, back);
		for (uint64_t i = 0; i < back; i++)
			EXPECT_EQUAL(*place_byte(&place, 2 * PAGE_SIZE - back + i),
				     pattern_at(64 + i));

		reader = place_reader(world, &place, 2 * PAGE_SIZE - back, 200);
		writer = place_writer(world, &place, 3 * PAGE_SIZE + 5, 200);
		place_fill_pattern(&place);
		EXPECT_STATUS(vm_reader_read_fallible(&reader, &writer, &copied), MM_PAGE_FAULT);
		EXPECT_EQUAL(copied, back);
		for (uint64_t i = 0; i < 200; i++)
			EXPECT_EQUAL(*place_byte(&place, 3 * PAGE_SIZE + 5 + i),
				     i < back ? pattern_at(2 * PAGE_SIZE - back + i)
					      : pattern_at(3 * PAGE_SIZE + 5 + i));
	}

	/* Put back, so that what is unmapped at the end is what place_make mapped. */
	frame_t again = frame_borrow(&place.frames[2]);
	struct cursor cursor;

	EXPECT_OK(frame_clone(&again, &again));
	open_at(world_el2_space(world), place.base + 2 * PAGE_SIZE, PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_map(&cursor, &again, READ_WRITE));
	cursor_close(&cursor);
	place_end(world, &place);
}

/* Device memory does not take what crosses its own alignment: it is copied byte by byte then. */
TEST(vm_io_copies_device_memory_at_any_alignment)
{
	struct place place;

	place_make(world, &place, VM_IO_WINDOW, 2);
	place_fill_pattern(&place);
	place_protect(world, &place, 0, DEVICE);
	place_protect(world, &place, 1, DEVICE);
	for (uint64_t at = PAGE_SIZE - 17; at < PAGE_SIZE; at++) {
		struct vm_reader reader = place_reader(world, &place, at, 300);
		struct vm_writer writer = own_writer(buffer + 1, 300);
		uint64_t copied;

		EXPECT_OK(vm_reader_read_fallible(&reader, &writer, &copied));
		EXPECT_EQUAL(copied, 300);
		for (uint64_t i = 0; i < 300; i++)
			EXPECT_EQUAL(buffer[1 + i], pattern_at(at + i));
		reader = own_reader(buffer + 1, 300);
		writer = place_writer(world, &place, at, 300);
		EXPECT_OK(vm_writer_write_fallible(&writer, &reader, &copied));
		EXPECT_EQUAL(copied, 300);
		writer = place_writer(world, &place, at, 300);
		EXPECT_OK(vm_writer_fill_zeros(&writer, 300, &copied));
		EXPECT_EQUAL(copied, 300);
		reader = place_reader(world, &place, at, 300);
		writer = own_writer(buffer, 300);
		EXPECT_OK(vm_reader_read_fallible(&reader, &writer, &copied));
		for (uint64_t i = 0; i < 300; i++)
			EXPECT_EQUAL(buffer[i], 0);
		for (uint64_t i = 0; i < 300; i++)
			*place_byte(&place, at + i) = pattern_at(at + i);
	}
	place_end(world, &place);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Readers and writers: where their cursors go, and values. */
#include "vm_io_place.h"
#include <string.h>

static const enum vm_io_kind kinds[] = { VM_IO_HYPERVISOR, VM_IO_SPACE, VM_IO_GUEST, VM_IO_WINDOW,
					 VM_IO_WINDOW_SPACE };
static const enum vm_io_kind faulting[] = { VM_IO_SPACE, VM_IO_GUEST, VM_IO_WINDOW,
					    VM_IO_WINDOW_SPACE };
static const unsigned int widths[] = { 1, 2, 4, 8 };

/* The low @width bytes of @value. */
static uint64_t cut(uint64_t value, unsigned int width)
{
	return width == 8 ? value : value & ((UINT64_C(1) << (8 * width)) - 1);
}

TEST(vm_io_ranges_refuse_what_wraps_or_lies_outside)
{
	struct vm_io_range range = { .cursor = 1 };
	struct vm_space *el2 = world_el2_space(world);
	struct irange window = world_el2_window(world);
	struct vm_guest guest;
	struct vm_space space;
	char byte = 0;

	world_space(world, &space);
	uint64_t end = vm_space_range(&space).end.value;

	guest = (struct vm_guest){ .space = &space };

	EXPECT_STATUS(vm_io_hypervisor(NULL, 1, &range), MM_INVALID_ARGS);
	EXPECT_STATUS(vm_io_hypervisor(&byte, UINT64_MAX, &range), MM_OVERFLOW);
	EXPECT_STATUS(vm_io_hypervisor(&byte, -(uint64_t)(uintptr_t)&byte + 1, &range),
		      MM_OVERFLOW);

	EXPECT_STATUS(vm_io_space(&space, iaddr(PAGE_SIZE), UINT64_MAX, &range), MM_OVERFLOW);
	EXPECT_STATUS(vm_io_space(el2, iaddr(0), 1, &range), MM_INVALID_ARGS);
	EXPECT_STATUS(vm_io_space(&space, iaddr(end - 1), 2, &range), MM_OUT_OF_BOUND);
	EXPECT_STATUS(vm_io_space(&space, iaddr(end), 1, &range), MM_OUT_OF_BOUND);
	EXPECT_STATUS(vm_io_space(&space, iaddr(UINT64_MAX), 1, &range), MM_OUT_OF_BOUND);
	EXPECT_STATUS(vm_io_space(&space, iaddr(0), UINT64_MAX, &range), MM_OUT_OF_BOUND);

	EXPECT_STATUS(vm_io_guest(&guest, 2, UINT64_MAX, &range), MM_OVERFLOW);
	guest.space = el2;
	EXPECT_STATUS(vm_io_guest(&guest, 0, 1, &range), MM_INVALID_ARGS);
	guest.space = &space;

	EXPECT_STATUS(vm_io_window(window, window.start, UINT64_MAX, &range), MM_OVERFLOW);
	EXPECT_STATUS(vm_io_window(window, iaddr(window.start.value - 1), 1, &range),
		      MM_OUT_OF_BOUND);
	EXPECT_STATUS(vm_io_window(window, iaddr(window.start.value - 1), 2, &range),
		      MM_OUT_OF_BOUND);
	EXPECT_STATUS(vm_io_window(window, iaddr(window.end.value - 1), 2, &range),
		      MM_OUT_OF_BOUND);
	EXPECT_STATUS(vm_io_window(window, window.end, 1, &range), MM_OUT_OF_BOUND);
	EXPECT_EQUAL(range.cursor, 1);

	/* Up to the very end, and nothing anywhere. */
	EXPECT_OK(vm_io_space(&space, iaddr(end - 1), 1, &range));
	EXPECT_OK(vm_io_space(&space, iaddr(0), end, &range));
	EXPECT_OK(vm_io_window(window, iaddr(window.end.value - 1), 1, &range));
	EXPECT_OK(vm_io_hypervisor(NULL, 0, &range));
	EXPECT_OK(vm_io_space(&space, iaddr(UINT64_MAX), 0, &range));
	EXPECT_OK(vm_io_window(window, iaddr(0), 0, &range));
	EXPECT_OK(vm_io_guest(&guest, UINT64_MAX, 1, &range));
	EXPECT_EQUAL(vm_object_size(&(struct vm_object){ range }), 1);
	EXPECT_OK(vm_io_guest(&guest, 0, UINT64_MAX, &range));
	EXPECT_EQUAL(vm_object_size(&(struct vm_object){ range }), UINT64_MAX);
	EXPECT_OK(vm_space_destroy(&space));
}

TEST(vm_reader_and_vm_writer_move_and_shrink)
{
	char bytes[64] = "";
	struct vm_reader reader = own_reader(bytes, 64), copy;
	struct vm_writer writer = own_writer(bytes, 64);

	EXPECT_FALSE(vm_reader_is_fallible(&reader));
	EXPECT_FALSE(vm_writer_is_fallible(&writer));
	EXPECT_EQUAL(vm_reader_cursor(&reader), (uintptr_t)bytes);
	EXPECT_EQUAL(vm_writer_cursor(&writer), (uintptr_t)bytes);

	/* A limit never grows what is left. */
	vm_reader_limit(&reader, UINT64_MAX);
	vm_writer_limit(&writer, UINT64_MAX);
	EXPECT_EQUAL(vm_reader_remain(&reader), 64);
	EXPECT_EQUAL(vm_writer_avail(&writer), 64);
	vm_reader_limit(&reader, 40);
	vm_writer_limit(&writer, 40);
	vm_reader_limit(&reader, 64);
	vm_writer_limit(&writer, 64);
	EXPECT_EQUAL(vm_reader_remain(&reader), 40);
	EXPECT_EQUAL(vm_writer_avail(&writer), 40);

	EXPECT_STATUS(vm_reader_skip(&reader, 41), MM_OUT_OF_BOUND);
	EXPECT_STATUS(vm_writer_skip(&writer, 41), MM_OUT_OF_BOUND);
	EXPECT_STATUS(vm_reader_skip(&reader, UINT64_MAX), MM_OUT_OF_BOUND);
	EXPECT_STATUS(vm_writer_skip(&writer, UINT64_MAX), MM_OUT_OF_BOUND);
	EXPECT_OK(vm_reader_skip(&reader, 0));
	EXPECT_OK(vm_writer_skip(&writer, 0));
	EXPECT_OK(vm_reader_skip(&reader, 10));
	EXPECT_OK(vm_writer_skip(&writer, 10));
	EXPECT_EQUAL(vm_reader_cursor(&reader), (uintptr_t)bytes + 10);
	EXPECT_EQUAL(vm_writer_cursor(&writer), (uintptr_t)bytes + 10);
	EXPECT_EQUAL(vm_reader_remain(&reader), 30);
	EXPECT_EQUAL(vm_writer_avail(&writer), 30);

	/* A copy is another reader. */
	copy = reader;
	EXPECT_OK(vm_reader_skip(&copy, 30));
	EXPECT_FALSE(vm_reader_has_remain(&copy));
	EXPECT_TRUE(vm_reader_has_remain(&reader));
	EXPECT_OK(vm_writer_skip(&writer, 29));
	EXPECT_TRUE(vm_writer_has_avail(&writer));
	vm_writer_limit(&writer, 0);
	EXPECT_FALSE(vm_writer_has_avail(&writer));
}

/* As much as the smaller side has; both move by it. */
TEST(vm_reader_read_copies_what_both_sides_have)
{
	static const struct {
		uint64_t remain, avail;
	} cases[] = {
		{ 0, 0 }, { 0, 9 }, { 9, 0 }, { 9, 9 }, { 5, 200 }, { 200, 5 }, { 200, 199 }
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t from[200], to[200];
		struct vm_reader reader = own_reader(from, cases[i].remain);
		struct vm_writer writer = own_writer(to, cases[i].avail);
		uint64_t expected =
			cases[i].remain < cases[i].avail ? cases[i].remain : cases[i].avail;
		uint64_t copied = UINT64_MAX;

		for (size_t j = 0; j < sizeof(from); j++)
			from[j] = pattern_at(j);
		memset(to, 0, sizeof(to));
		if (i % 2 == 0)
			EXPECT_OK(vm_reader_read(&reader, &writer, &copied));
		else
			EXPECT_OK(vm_writer_write(&writer, &reader, &copied));
		EXPECT_EQUAL(copied, expected);
		EXPECT_EQUAL(vm_reader_remain(&reader), cases[i].remain - expected);
		EXPECT_EQUAL(vm_writer_avail(&writer), cases[i].avail - expected);
		for (size_t j = 0; j < sizeof(to); j++)
			EXPECT_EQUAL(to[j], j < expected ? pattern_at(j) : 0);
		EXPECT_OK(vm_reader_read(&reader, &writer, NULL));
	}
}

/* Who promised not to fault is told apart from who did not. */
TEST(vm_reader_read_refuses_fallible_sides)
{
	char from[8] = "1234567", to[8] = "";
	struct vm_reader reader = own_reader(from, 8);
	struct vm_writer writer = own_writer(to, 8);
	struct vm_reader fallible_reader = vm_reader_to_fallible(&reader);
	struct vm_writer fallible_writer = vm_writer_to_fallible(&writer);
	uint64_t copied = 77, value = 77;

	EXPECT_TRUE(vm_reader_is_fallible(&fallible_reader));
	EXPECT_TRUE(vm_writer_is_fallible(&fallible_writer));
	EXPECT_EQUAL(vm_reader_cursor(&fallible_reader), vm_reader_cursor(&reader));
	EXPECT_EQUAL(vm_writer_avail(&fallible_writer), vm_writer_avail(&writer));
	EXPECT_STATUS(vm_reader_read(&fallible_reader, &writer, &copied), MM_INVALID_ARGS);
	EXPECT_STATUS(vm_reader_read(&reader, &fallible_writer, &copied), MM_INVALID_ARGS);
	EXPECT_STATUS(vm_writer_write(&fallible_writer, &reader, &copied), MM_INVALID_ARGS);
	EXPECT_STATUS(vm_reader_read_once(&fallible_reader, 1, &value), MM_INVALID_ARGS);
	EXPECT_STATUS(vm_writer_write_once(&fallible_writer, 1, 1), MM_INVALID_ARGS);
	EXPECT_EQUAL(copied, 77);
	EXPECT_EQUAL(value, 77);
	EXPECT_EQUAL(to[0], 0);
	EXPECT_EQUAL(vm_reader_remain(&reader), 8);

	EXPECT_OK(vm_reader_read_fallible(&fallible_reader, &fallible_writer, &copied));
	EXPECT_EQUAL(copied, 8);
	EXPECT_EQUAL(memcmp(from, to, 8), 0);
}

/* Nothing wanted is nothing touched, wherever it is. */
TEST(vm_io_of_nothing_touches_nothing)
{
	for (size_t kind = 0; kind < COUNT_OF(faulting); kind++) {
		struct place place;
		char bytes[1] = { 1 };
		uint64_t copied = 1;

		place_make(world, &place, faulting[kind], 1);

		struct vm_reader reader = place_reader(world, &place, PAGE_SIZE, 0);
		struct vm_writer writer = place_writer(world, &place, PAGE_SIZE, 0);
		struct vm_reader own = own_reader(bytes, 1);
		struct vm_writer into = own_writer(bytes, 1);

		EXPECT_OK(vm_reader_read_fallible(&reader, &into, &copied));
		EXPECT_EQUAL(copied, 0);
		EXPECT_OK(vm_writer_write_fallible(&writer, &own, &copied));
		EXPECT_EQUAL(copied, 0);
		EXPECT_OK(vm_reader_read_val(&reader, bytes, 0));
		EXPECT_OK(vm_writer_write_val(&writer, bytes, 0));
		EXPECT_OK(vm_writer_fill_zeros(&writer, 5, &copied));
		EXPECT_EQUAL(copied, 0);
		EXPECT_OK(vm_writer_fill(&writer, 1, 7, &copied));
		EXPECT_EQUAL(copied, 0);
		EXPECT_OK(vm_reader_collect(&reader, bytes, 0, &copied));
		place_end(world, &place);
	}
}

/* A value that is not there whole leaves the cursor where it was. */
TEST(vm_io_values_roll_back)
{
	struct triple {
		uint64_t a, b, c;
	} value;

	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		struct place place;

		place_make(world, &place, kinds[kind], 2);
		place_fill_pattern(&place);

		struct vm_reader reader = place_reader(world, &place, PAGE_SIZE - 5, 50);
		struct vm_writer writer = place_writer(world, &place, PAGE_SIZE - 5, 50);

		EXPECT_OK(vm_reader_read_val(&reader, &value, sizeof(value)));
		for (size_t i = 0; i < sizeof(value); i++)
			EXPECT_EQUAL(((uint8_t *)&value)[i], pattern_at(PAGE_SIZE - 5 + i));
		EXPECT_EQUAL(vm_reader_remain(&reader), 50 - sizeof(value));
		value = (struct triple){ 1, 2, 3 };
		EXPECT_OK(vm_writer_write_val(&writer, &value, sizeof(value)));
		EXPECT_EQUAL(vm_writer_avail(&writer), 50 - sizeof(value));
		EXPECT_EQUAL(memcmp(place_byte(&place, PAGE_SIZE), (uint8_t *)&value + 5, 19), 0);

		/* Too little is left: nothing moves, nothing is read. */
		value.a = 77;
		vm_reader_limit(&reader, sizeof(value) - 1);
		vm_writer_limit(&writer, sizeof(value) - 1);
		EXPECT_STATUS(vm_reader_read_val(&reader, &value, sizeof(value)), MM_INVALID_ARGS);
		EXPECT_STATUS(vm_writer_write_val(&writer, &value, sizeof(value)), MM_INVALID_ARGS);
		EXPECT_EQUAL(value.a, 77);
		EXPECT_EQUAL(vm_reader_remain(&reader), sizeof(value) - 1);
		EXPECT_EQUAL(vm_writer_avail(&writer), sizeof(value) - 1);

		for (uint64_t back = 0; place.kind != VM_IO_HYPERVISOR && back < sizeof(value);
		     back++) {
			uint64_t at = 2 * PAGE_SIZE - back;

			place_fill_pattern(&place);
			reader = place_reader(world, &place, at, 100);
			EXPECT_STATUS(vm_reader_read_val(&reader, &value, sizeof(value)),
				      MM_PAGE_FAULT);
			EXPECT_EQUAL(vm_reader_cursor(&reader), place.base + at);
			EXPECT_EQUAL(vm_reader_remain(&reader), 100);

			/* What came before the fault stays written. */
			memset(&value, 0xab, sizeof(value));
			writer = place_writer(world, &place, at, 100);
			EXPECT_STATUS(vm_writer_write_val(&writer, &value, sizeof(value)),
				      MM_PAGE_FAULT);
			EXPECT_EQUAL(vm_writer_cursor(&writer), place.base + at);
			for (uint64_t i = 0; i < back; i++)
				EXPECT_EQUAL(*place_byte(&place, at + i), 0xab);
			EXPECT_EQUAL(*place_byte(&place, at - 1), pattern_at(at - 1));
		}
		place_end(world, &place);
	}
}

TEST(vm_io_once_reads_and_writes_whole_values)
{
	_Alignas(8) uint8_t bytes[16];
	uint64_t value = 77;

	for (size_t i = 0; i < COUNT_OF(widths); i++) {
		unsigned int width = widths[i];
		struct vm_reader reader = own_reader(bytes, 16);
		struct vm_writer writer = own_writer(bytes, 16);

		memset(bytes, 0xff, sizeof(bytes));
		EXPECT_OK(vm_writer_write_once(&writer, width, UINT64_C(0x0123456789abcdef)));
		EXPECT_EQUAL(vm_writer_avail(&writer), 16 - width);
		EXPECT_EQUAL(bytes[width], 0xff);
		EXPECT_OK(vm_reader_read_once(&reader, width, &value));
		EXPECT_EQUAL(value, cut(UINT64_C(0x0123456789abcdef), width));
		EXPECT_EQUAL(vm_reader_remain(&reader), 16 - width);

		/* The last one that fits, and one that does not. */
		EXPECT_OK(vm_reader_skip(&reader, 16 - 2 * width));
		EXPECT_OK(vm_writer_skip(&writer, 16 - 2 * width));
		EXPECT_OK(vm_reader_read_once(&reader, width, &value));
		EXPECT_OK(vm_writer_write_once(&writer, width, 0));
		value = 77;
		EXPECT_STATUS(vm_reader_read_once(&reader, width, &value), MM_INVALID_ARGS);
		EXPECT_STATUS(vm_writer_write_once(&writer, width, 0), MM_INVALID_ARGS);
		EXPECT_EQUAL(value, 77);
	}
	for (unsigned int width = 0; width < 20; width++) {
		struct vm_reader reader = own_reader(bytes, 16);
		struct vm_writer writer = own_writer(bytes, 16);
		bool good = width == 1 || width == 2 || width == 4 || width == 8;

		EXPECT_STATUS(vm_reader_read_once(&reader, width, &value),
			      good ? MM_OK : MM_INVALID_ARGS);
		EXPECT_STATUS(vm_writer_write_once(&writer, width, value),
			      good ? MM_OK : MM_INVALID_ARGS);
		for (unsigned int off = 1; good && off < width; off++) {
			reader = own_reader(bytes + off, 12);
			writer = own_writer(bytes + off, 12);
			vm_reader_limit(&reader, 12 - off);
			EXPECT_STATUS(vm_reader_read_once(&reader, width, &value),
				      off + width > 12	 ? MM_INVALID_ARGS
				      : off % width != 0 ? MM_NOT_ALIGNED
							 : MM_OK);
			EXPECT_STATUS(vm_writer_write_once(&writer, width, value),
				      off % width != 0 ? MM_NOT_ALIGNED : MM_OK);
		}
	}
}

TEST(vm_reader_collect_takes_all_or_nothing)
{
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		static uint8_t buffer[2 * PAGE_SIZE];
		struct place place;
		uint64_t length = 77;

		place_make(world, &place, kinds[kind], 2);
		place_fill_pattern(&place);

		struct vm_reader reader = place_reader(world, &place, 100, PAGE_SIZE);

		EXPECT_STATUS(vm_reader_collect(&reader, buffer, PAGE_SIZE - 1, &length),
			      MM_OUT_OF_BOUND);
		EXPECT_EQUAL(length, 77);
		EXPECT_EQUAL(vm_reader_remain(&reader), PAGE_SIZE);
		EXPECT_OK(vm_reader_collect(&reader, buffer, sizeof(buffer), &length));
		EXPECT_EQUAL(length, PAGE_SIZE);
		EXPECT_FALSE(vm_reader_has_remain(&reader));
		for (uint64_t i = 0; i < length; i++)
			EXPECT_EQUAL(buffer[i], pattern_at(100 + i));

		if (place.kind != VM_IO_HYPERVISOR) {
			reader = place_reader(world, &place, 2 * PAGE_SIZE - 10, 11);
			EXPECT_STATUS(vm_reader_collect(&reader, buffer, 11, &length),
				      MM_PAGE_FAULT);
			EXPECT_EQUAL(vm_reader_remain(&reader), 11);
			EXPECT_EQUAL(length, PAGE_SIZE);
		}
		place_end(world, &place);
	}
}

TEST(vm_writer_fill_writes_whole_elements)
{
	const uint64_t value = UINT64_C(0x1122334455667788);

	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		struct place place;

		place_make(world, &place, kinds[kind], 2);
		for (size_t i = 0; i < COUNT_OF(widths); i++) {
			unsigned int width = widths[i];
			struct vm_writer writer =
				place_writer(world, &place, PAGE_SIZE - 520, 1040);
			uint64_t count = 77;

			place_fill_pattern(&place);
			EXPECT_OK(vm_writer_fill(&writer, width, value, &count));
			EXPECT_EQUAL(count, 1040 / width);
			EXPECT_FALSE(vm_writer_has_avail(&writer));
			for (uint64_t j = 0; j < 1040; j++)
				EXPECT_EQUAL(*place_byte(&place, PAGE_SIZE - 520 + j),
					     value >> (8 * (j % width)) & 0xff);
			EXPECT_EQUAL(*place_byte(&place, PAGE_SIZE - 521),
				     pattern_at(PAGE_SIZE - 521));
			EXPECT_EQUAL(*place_byte(&place, PAGE_SIZE + 520),
				     pattern_at(PAGE_SIZE + 520));

			writer = place_writer(world, &place, 8, 8 * width - 1);
			count = 77;
			if (width > 1)
				EXPECT_STATUS(vm_writer_fill(&writer, width, 0, &count),
					      MM_INVALID_ARGS);
			writer = place_writer(world, &place, 8 + width / 2, 4 * width);
			if (width > 1)
				EXPECT_STATUS(vm_writer_fill(&writer, width, 0, &count),
					      MM_NOT_ALIGNED);
			EXPECT_STATUS(vm_writer_fill(&writer, 3, 0, &count), MM_INVALID_ARGS);
			EXPECT_STATUS(vm_writer_fill(&writer, 0, 0, &count), MM_INVALID_ARGS);
			EXPECT_STATUS(vm_writer_fill(&writer, 16, 0, &count), MM_INVALID_ARGS);
			EXPECT_EQUAL(count, 77);
			EXPECT_EQUAL(vm_writer_avail(&writer), 4 * width);

			if (place.kind == VM_IO_HYPERVISOR)
				continue;
			writer = place_writer(world, &place, 2 * PAGE_SIZE - 3 * width, 8 * width);
			EXPECT_STATUS(vm_writer_fill(&writer, width, value, &count), MM_PAGE_FAULT);
			EXPECT_EQUAL(count, 3);
			EXPECT_EQUAL(vm_writer_avail(&writer), 5 * width);
		}
		place_end(world, &place);
	}
}

TEST(vm_writer_fill_zeros_stops_at_the_end)
{
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		struct place place;
		uint64_t zeroed = 77;

		place_make(world, &place, kinds[kind], 2);
		place_fill_pattern(&place);

		struct vm_writer writer = place_writer(world, &place, 3, PAGE_SIZE);

		EXPECT_OK(vm_writer_fill_zeros(&writer, PAGE_SIZE - 10, &zeroed));
		EXPECT_EQUAL(zeroed, PAGE_SIZE - 10);
		EXPECT_EQUAL(vm_writer_avail(&writer), 10);
		EXPECT_EQUAL(*place_byte(&place, PAGE_SIZE - 7), pattern_at(PAGE_SIZE - 7));
		EXPECT_OK(vm_writer_fill_zeros(&writer, UINT64_MAX, &zeroed));
		EXPECT_EQUAL(zeroed, 10);
		for (uint64_t i = 0; i < PAGE_SIZE + 10; i++)
			EXPECT_EQUAL(*place_byte(&place, i),
				     i >= 3 && i < PAGE_SIZE + 3 ? 0 : pattern_at(i));
		place_end(world, &place);
	}
}

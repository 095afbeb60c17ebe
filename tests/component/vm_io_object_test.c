/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects: all that was asked for, or nothing of it counts. */
#include "vm_io_place.h"
#include <string.h>

static const enum vm_io_kind kinds[] = { VM_IO_HYPERVISOR, VM_IO_SPACE, VM_IO_GUEST, VM_IO_WINDOW,
					 VM_IO_WINDOW_SPACE };

TEST(vm_object_moves_all_that_was_asked_for)
{
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		static uint8_t bytes[PAGE_SIZE];
		struct place place;

		place_make(world, &place, kinds[kind], 2);
		place_fill_pattern(&place);

		struct vm_object object =
			vm_object_of(place_range(world, &place, 8, 2 * PAGE_SIZE - 8));
		struct vm_writer writer = own_writer(bytes, PAGE_SIZE);
		struct vm_reader reader;

		EXPECT_EQUAL(vm_object_size(&object), 2 * PAGE_SIZE - 8);
		EXPECT_OK(vm_object_read(&object, 100, &writer));
		EXPECT_FALSE(vm_writer_has_avail(&writer));
		for (uint64_t i = 0; i < PAGE_SIZE; i++)
			EXPECT_EQUAL(bytes[i], pattern_at(108 + i));

		memset(bytes, 0xcc, sizeof(bytes));
		reader = own_reader(bytes, 300);
		EXPECT_OK(vm_object_write(&object, PAGE_SIZE - 108, &reader));
		EXPECT_FALSE(vm_reader_has_remain(&reader));
		for (uint64_t i = PAGE_SIZE - 101; i < PAGE_SIZE + 201; i++)
			EXPECT_EQUAL(*place_byte(&place, i),
				     i >= PAGE_SIZE - 100 && i < PAGE_SIZE + 200 ? 0xcc
										 : pattern_at(i));
		EXPECT_OK(vm_object_write_bytes(&object, 0, "strata", 6));
		EXPECT_EQUAL(memcmp(place_byte(&place, 8), "strata", 6), 0);
		EXPECT_OK(vm_object_read_bytes(&object, 3, bytes, 3));
		EXPECT_EQUAL(memcmp(bytes, "ata", 3), 0);
		EXPECT_OK(vm_object_fill_zeros(&object, 1, 4));
		EXPECT_EQUAL(memcmp(place_byte(&place, 8), "s\0\0\0\0a", 6), 0);

		EXPECT_OK(vm_object_reader(&object, 5, 10, &reader));
		EXPECT_EQUAL(vm_reader_cursor(&reader), place.base + 13);
		EXPECT_EQUAL(vm_reader_remain(&reader), 10);
		EXPECT_OK(vm_object_writer(&object, 5, 10, &writer));
		EXPECT_EQUAL(vm_writer_cursor(&writer), place.base + 13);
		EXPECT_EQUAL(vm_writer_avail(&writer), 10);
		place_end(world, &place);
	}
}

TEST(vm_object_refuses_ranges_that_do_not_fit)
{
	static const struct {
		uint64_t offset, length;
		enum mm_status status;
	} cases[] = {
		{ 64, 0, MM_OK },
		{ 0, 64, MM_OK },
		{ 63, 1, MM_OK },
		{ 65, 0, MM_INVALID_ARGS },
		{ 64, 1, MM_INVALID_ARGS },
		{ 0, 65, MM_INVALID_ARGS },
		{ 1, 64, MM_INVALID_ARGS },
		{ UINT64_MAX, 0, MM_INVALID_ARGS },
		{ UINT64_MAX, 1, MM_OVERFLOW },
		{ UINT64_MAX - 63, 64, MM_OVERFLOW },
		{ UINT64_MAX - 64, 64, MM_INVALID_ARGS },
	};
	uint8_t memory[64], bytes[128];
	struct vm_object object;
	struct vm_io_range range;

	EXPECT_OK(vm_io_hypervisor(memory, 64, &range));
	object = vm_object_of(range);
	memset(memory, 1, sizeof(memory));
	memset(bytes, 2, sizeof(bytes));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t offset = cases[i].offset, length = cases[i].length;
		struct vm_reader reader = own_reader(bytes, length), part;
		struct vm_writer writer = own_writer(bytes, length), room;

		if (cases[i].status == MM_OK)
			continue;
		EXPECT_STATUS(vm_object_reader(&object, offset, length, &part), cases[i].status);
		EXPECT_STATUS(vm_object_writer(&object, offset, length, &room), cases[i].status);
		EXPECT_STATUS(vm_object_read(&object, offset, &writer), cases[i].status);
		EXPECT_STATUS(vm_object_write(&object, offset, &reader), cases[i].status);
		EXPECT_STATUS(vm_object_read_bytes(&object, offset, bytes, length),
			      cases[i].status);
		EXPECT_STATUS(vm_object_write_bytes(&object, offset, bytes, length),
			      cases[i].status);
		EXPECT_STATUS(vm_object_fill_zeros(&object, offset, length), cases[i].status);
		EXPECT_EQUAL(vm_reader_remain(&reader), length);
		EXPECT_EQUAL(vm_writer_avail(&writer), length);
	}
	for (size_t i = 0; i < sizeof(memory); i++)
		EXPECT_EQUAL(memory[i], 1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		EXPECT_EQUAL(bytes[i], 2);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (cases[i].status == MM_OK)
			EXPECT_OK(vm_object_fill_zeros(&object, cases[i].offset, cases[i].length));
}

/* No short transfers: what faults half-way leaves the other side where it was. */
TEST(vm_object_has_no_short_transfers)
{
	for (size_t kind = 1; kind < COUNT_OF(kinds); kind++) {
		uint8_t bytes[200];
		struct place place;

		place_make(world, &place, kinds[kind], 2);
		place_fill_pattern(&place);
		place_unmap(world, &place, 0);

		struct vm_object object =
			vm_object_of(place_range(world, &place, 0, 3 * PAGE_SIZE));

		for (uint64_t back = 0; back < 200; back += 9) {
			uint64_t offset = 2 * PAGE_SIZE - back;
			struct vm_reader reader = own_reader(bytes, 200);
			struct vm_writer writer = own_writer(bytes, 200);

			EXPECT_STATUS(vm_object_read(&object, offset, &writer), MM_PAGE_FAULT);
			EXPECT_EQUAL(vm_writer_avail(&writer), 200);
			EXPECT_STATUS(vm_object_write(&object, offset, &reader), MM_PAGE_FAULT);
			EXPECT_EQUAL(vm_reader_remain(&reader), 200);
			EXPECT_STATUS(vm_object_read_bytes(&object, offset, bytes, 200),
				      MM_PAGE_FAULT);
			EXPECT_STATUS(vm_object_write_bytes(&object, offset, bytes, 200),
				      MM_PAGE_FAULT);
			EXPECT_STATUS(vm_object_fill_zeros(&object, offset, 200), MM_PAGE_FAULT);
		}
		EXPECT_STATUS(vm_object_fill_zeros(&object, PAGE_SIZE - 1, 2), MM_PAGE_FAULT);

		/* Put back what place_end unmaps. */
		frame_t again;
		struct cursor cursor;
		struct vm_space *space =
			place.kind == VM_IO_WINDOW ? world_el2_space(world) : &place.space;

		EXPECT_OK(frame_clone(&place.frames[0], &again));
		open_at(space, place.kind == VM_IO_WINDOW ? place.base : place.ipa, PAGE_SIZE,
			&cursor);
		EXPECT_OK(cursor_map(&cursor, &again, READ_WRITE));
		cursor_close(&cursor);
		place_end(world, &place);
	}
}

TEST(vm_object_of_a_segment)
{
	struct segment segment = world_segment(world, 3, PAGE_SIZE);
	struct vm_object object = vm_object_of_segment(&segment);
	uint64_t value = UINT64_C(0x1234567890abcdef);

	EXPECT_EQUAL(vm_object_size(&object), 3 * PAGE_SIZE);
	EXPECT_OK(vm_object_write_once(&object, 2 * PAGE_SIZE + 8, 8, value));
	EXPECT_EQUAL(world_read(paddr(segment.start.value + 2 * PAGE_SIZE + 8)), value);
	EXPECT_OK(vm_object_read_once(&object, 2 * PAGE_SIZE + 12, 4, &value));
	EXPECT_EQUAL(value, 0x12345678);
	EXPECT_STATUS(vm_object_read_once(&object, 3 * PAGE_SIZE, 1, &value), MM_INVALID_ARGS);
	EXPECT_STATUS(vm_object_write_once(&object, 3 * PAGE_SIZE - 1, 2, value), MM_INVALID_ARGS);
	EXPECT_STATUS(vm_object_read_once(&object, UINT64_MAX, 1, &value), MM_OVERFLOW);
	EXPECT_STATUS(vm_object_write_once(&object, 1, 2, value), MM_NOT_ALIGNED);
	EXPECT_STATUS(vm_object_read_once(&object, 0, 3, &value), MM_INVALID_ARGS);
	segment_drop(&segment);
}

TEST(vm_object_once_is_for_memory_that_does_not_fault)
{
	for (size_t kind = 1; kind < COUNT_OF(kinds); kind++) {
		struct place place;
		uint64_t value = 77;

		place_make(world, &place, kinds[kind], 1);

		struct vm_object object = vm_object_of(place_range(world, &place, 0, PAGE_SIZE));

		EXPECT_STATUS(vm_object_read_once(&object, 0, 8, &value), MM_INVALID_ARGS);
		EXPECT_STATUS(vm_object_write_once(&object, 0, 8, 1), MM_INVALID_ARGS);
		EXPECT_EQUAL(value, 77);
		EXPECT_EQUAL(*place_byte(&place, 0), 0);
		place_end(world, &place);
	}
}

TEST(vm_object_write_vals_spaces_elements)
{
	static const uint8_t values[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	static const struct {
		uint64_t offset, count, size, alignment;
		enum mm_status status;
		uint64_t written;
	} cases[] = {
		{ 0, 4, 3, 0, MM_OK, 4 },
		{ 5, 4, 3, 1, MM_OK, 4 },
		{ 5, 4, 3, 4, MM_OK, 4 },
		{ 1, 2, 5, 8, MM_OK, 2 },
		{ 0, 0, 3, 0, MM_OK, 0 },
		{ 0, 4, 0, 8, MM_OK, 0 },
		{ 58, 4, 3, 0, MM_OK, 2 }, /* two fit */
		{ 49, 4, 3, 4, MM_OK, 3 }, /* at 52, 56 and 60 */
		{ 62, 4, 3, 0, MM_INVALID_ARGS, 77 },
		{ 61, 4, 1, 8, MM_INVALID_ARGS, 77 },
		{ 0, 4, 3, 3, MM_INVALID_ARGS, 77 },
		{ 0, 4, 3, 12, MM_INVALID_ARGS, 77 },
		{ UINT64_MAX, 1, 1, 2, MM_OVERFLOW, 77 },
		{ 0, 1, UINT64_MAX, 2, MM_OVERFLOW, 77 },
		{ UINT64_MAX - 1, 1, 3, 1, MM_OVERFLOW, 77 },
		{ 0, 1, 65, 0, MM_INVALID_ARGS, 77 },
		{ 0, 2, 12, UINT64_C(1) << 63, MM_OK, 1 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t memory[64], expected[64] = { 0 };
		uint64_t step = cases[i].size, offset = cases[i].offset, written = 77;
		struct vm_io_range range;
		struct vm_object object;

		memset(memory, 0, sizeof(memory));
		EXPECT_OK(vm_io_hypervisor(memory, 64, &range));
		object = vm_object_of(range);
		EXPECT_STATUS(vm_object_write_vals(&object, offset, values, cases[i].count,
						   cases[i].size, cases[i].alignment, &written),
			      cases[i].status);
		EXPECT_EQUAL(written, cases[i].written);
		if (cases[i].alignment > 1) {
			uint64_t mask = cases[i].alignment - 1;

			step = (step + mask) & ~mask;
			offset = (offset + mask) & ~mask;
		}
		for (uint64_t j = 0; cases[i].status == MM_OK && j < written; j++)
			memcpy(&expected[offset + j * step], &values[j * cases[i].size],
			       cases[i].size);
		EXPECT_EQUAL(memcmp(memory, expected, sizeof(memory)), 0);
	}
}

/* The first element that faults ends it; those before it are counted. */
TEST(vm_object_write_vals_counts_up_to_a_fault)
{
	struct place place;
	uint64_t values[6] = { 1, 2, 3, 4, 5, 6 }, written = 77;

	place_make(world, &place, VM_IO_SPACE, 1);

	struct vm_object object = vm_object_of(place_range(world, &place, 0, 2 * PAGE_SIZE));

	EXPECT_OK(vm_object_write_vals(&object, PAGE_SIZE - 20, values, 6, 8, 0, &written));
	EXPECT_EQUAL(written, 2);
	written = 77;
	EXPECT_STATUS(vm_object_write_vals(&object, PAGE_SIZE - 7, values, 6, 8, 0, &written),
		      MM_PAGE_FAULT);
	EXPECT_EQUAL(written, 77);
	place_end(world, &place);
}

/* Tags make a guest's addresses span all 64 bits; elements still do not come round again. */
TEST(vm_object_write_vals_does_not_wrap)
{
	const uint64_t values[3] = { 1, 2, 3 };
	struct vm_object object;
	struct vm_io_range range;
	struct place place;
	uint64_t written = 77;

	place_make(world, &place, VM_IO_GUEST, 1);
	place.guest.tcr |= UINT64_C(1) << 37; /* TBI0 */
	guest_put(&place, 0, 0, GUEST_TABLE(1));
	guest_put(&place, 1, 0, GUEST_TABLE(2));
	guest_put(&place, 2, 0, place.ipa | GUEST_PAGE);
	EXPECT_OK(vm_io_guest(&place.guest, 0, UINT64_MAX, &range));
	object = vm_object_of(range);
	EXPECT_OK(vm_object_write_vals(&object, UINT64_C(1) << 63, values, 3, 8, UINT64_C(1) << 63,
				       &written));
	EXPECT_EQUAL(written, 1);
	EXPECT_EQUAL(*place_byte(&place, 0), 1);
	place_end(world, &place);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Atomic loads and exchanges: what was there comes back whole, a fault by the status alone. */
#include "vm_io_place.h"
#include <string.h>

static const enum vm_io_kind kinds[] = { VM_IO_HYPERVISOR, VM_IO_SPACE, VM_IO_GUEST, VM_IO_WINDOW,
					 VM_IO_WINDOW_SPACE };
static const unsigned int widths[] = { 1, 2, 4, 8 };

static uint64_t ones(unsigned int width)
{
	return UINT64_MAX >> (64 - 8 * width);
}

/* All ones are a value like any other: 0xffffffff is neither a fault nor sign-extended. */
TEST(vm_io_atomics_zero_extend)
{
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		struct place place;

		place_make(world, &place, kinds[kind], 1);
		for (size_t i = 0; i < COUNT_OF(widths); i++) {
			unsigned int width = widths[i];
			struct vm_reader reader = place_reader(world, &place, 16, width);
			struct vm_writer writer = place_writer(world, &place, 16, width);
			uint64_t value = 77;
			bool exchanged = false;

			memset(place_byte(&place, 0), 0x55, 64);
			memset(place_byte(&place, 16), 0xff, width);
			EXPECT_OK(vm_reader_atomic_load(&reader, width, &value));
			EXPECT_EQUAL(value, ones(width));
			EXPECT_EQUAL(vm_reader_remain(&reader), width);

			value = 77;
			EXPECT_OK(vm_writer_atomic_compare_exchange(
				&writer, &reader, width, ones(width), 1, &value, &exchanged));
			EXPECT_TRUE(exchanged);
			EXPECT_EQUAL(value, ones(width));
			EXPECT_EQUAL(*place_byte(&place, 16), 1);
			EXPECT_EQUAL(*place_byte(&place, 16 + width), 0x55);

			EXPECT_OK(vm_writer_atomic_compare_exchange(
				&writer, &reader, width, ones(width), 9, &value, &exchanged));
			EXPECT_FALSE(exchanged);
			EXPECT_EQUAL(value, 1);
			EXPECT_EQUAL(*place_byte(&place, 16), 1);
			EXPECT_EQUAL(vm_reader_remain(&reader), width);
			EXPECT_EQUAL(vm_writer_avail(&writer), width);
		}
		place_end(world, &place);
	}
}

TEST(vm_io_atomics_fault)
{
	for (size_t kind = 1; kind < COUNT_OF(kinds); kind++) {
		struct place place;

		place_make(world, &place, kinds[kind], 2);
		place_protect(world, &place, 1, READ_ONLY);
		for (size_t i = 0; i < COUNT_OF(widths); i++) {
			unsigned int width = widths[i];
			struct vm_reader hole = place_reader(world, &place, 2 * PAGE_SIZE, 8);
			struct vm_writer hole_writer =
				place_writer(world, &place, 2 * PAGE_SIZE, 8);
			struct vm_reader reader = place_reader(world, &place, PAGE_SIZE, 8);
			struct vm_writer writer = place_writer(world, &place, PAGE_SIZE, 8);
			uint64_t value = 77;
			bool exchanged = true;

			EXPECT_STATUS(vm_reader_atomic_load(&hole, width, &value), MM_PAGE_FAULT);
			EXPECT_STATUS(vm_writer_atomic_compare_exchange(&hole_writer, &hole, width,
									0, 1, &value, &exchanged),
				      MM_PAGE_FAULT);
			/* Read-only memory can be loaded from, and not be exchanged. */
			EXPECT_STATUS(vm_writer_atomic_compare_exchange(&writer, &reader, width, 0,
									1, &value, &exchanged),
				      MM_PAGE_FAULT);
			EXPECT_EQUAL(value, 77);
			EXPECT_TRUE(exchanged);
			EXPECT_OK(vm_reader_atomic_load(&reader, width, &value));
			EXPECT_EQUAL(value, 0);
			/* What is not due needs no right to store, where the MMU is who says so. */
			bool by_mmu =
				place.kind == VM_IO_WINDOW || place.kind == VM_IO_WINDOW_SPACE;

			EXPECT_STATUS(vm_writer_atomic_compare_exchange(&writer, &reader, width, 5,
									1, &value, &exchanged),
				      by_mmu ? MM_OK : MM_PAGE_FAULT);
			EXPECT_EQUAL(exchanged, !by_mmu);
		}
		place_end(world, &place);
	}
}

TEST(vm_io_atomics_refuse_bad_places)
{
	struct place place, other;
	uint64_t value = 77;
	bool exchanged = true;

	place_make(world, &place, VM_IO_SPACE, 1);
	place_make(world, &other, VM_IO_SPACE, 1);

	struct vm_reader reader = place_reader(world, &place, 8, 8), elsewhere;
	struct vm_writer writer = place_writer(world, &place, 8, 8);

	for (unsigned int width = 0; width < 20; width++) {
		if (width == 1 || width == 2 || width == 4 || width == 8)
			continue;
		EXPECT_STATUS(vm_reader_atomic_load(&reader, width, &value), MM_INVALID_ARGS);
		EXPECT_STATUS(vm_writer_atomic_compare_exchange(&writer, &reader, width, 0, 0,
								&value, &exchanged),
			      MM_INVALID_ARGS);
	}
	/* The same address of another space, another address, too little of either. */
	elsewhere = place_reader(world, &other, 8, 8);
	EXPECT_STATUS(
		vm_writer_atomic_compare_exchange(&writer, &elsewhere, 4, 0, 0, &value, &exchanged),
		MM_INVALID_ARGS);
	elsewhere = place_reader(world, &place, 16, 8);
	EXPECT_STATUS(
		vm_writer_atomic_compare_exchange(&writer, &elsewhere, 4, 0, 0, &value, &exchanged),
		MM_INVALID_ARGS);
	elsewhere = place_reader(world, &place, 8, 3);
	EXPECT_STATUS(
		vm_writer_atomic_compare_exchange(&writer, &elsewhere, 4, 0, 0, &value, &exchanged),
		MM_INVALID_ARGS);
	EXPECT_STATUS(vm_reader_atomic_load(&elsewhere, 4, &value), MM_INVALID_ARGS);
	elsewhere = own_reader((void *)(uintptr_t)(place.base + 8), 8);
	EXPECT_STATUS(
		vm_writer_atomic_compare_exchange(&writer, &elsewhere, 4, 0, 0, &value, &exchanged),
		MM_INVALID_ARGS);
	/* The same address of another kind, and of another guest. */
	struct vm_writer window_writer;
	struct vm_guest guests[2] = { { .space = &place.space }, { .space = &place.space } };
	struct vm_writer guest_writer;

	EXPECT_OK(vm_writer_from_window(world_el2_window(world), world_el2_window(world).start, 8,
					&window_writer));
	elsewhere = own_reader((void *)(uintptr_t)world_el2_window(world).start.value, 8);
	EXPECT_STATUS(vm_writer_atomic_compare_exchange(&window_writer, &elsewhere, 4, 0, 0, &value,
							&exchanged),
		      MM_INVALID_ARGS);
	EXPECT_OK(vm_writer_from_guest(&guests[0], place.base, 8, &guest_writer));
	EXPECT_OK(vm_reader_from_guest(&guests[1], place.base, 8, &elsewhere));
	EXPECT_STATUS(vm_writer_atomic_compare_exchange(&guest_writer, &elsewhere, 4, 0, 0, &value,
							&exchanged),
		      MM_INVALID_ARGS);
	vm_writer_limit(&writer, 3);
	EXPECT_STATUS(
		vm_writer_atomic_compare_exchange(&writer, &reader, 4, 0, 0, &value, &exchanged),
		MM_INVALID_ARGS);
	/* Values that do not fit. */
	writer = place_writer(world, &place, 8, 8);
	EXPECT_STATUS(vm_writer_atomic_compare_exchange(&writer, &reader, 4, UINT64_C(1) << 32, 0,
							&value, &exchanged),
		      MM_INVALID_ARGS);
	EXPECT_STATUS(
		vm_writer_atomic_compare_exchange(&writer, &reader, 1, 0, 256, &value, &exchanged),
		MM_INVALID_ARGS);
	/* Not aligned, at every offset. */
	for (size_t i = 0; i < COUNT_OF(widths); i++)
		for (uint64_t off = 1; off < widths[i]; off++) {
			reader = place_reader(world, &place, 8 + off, 16);
			writer = place_writer(world, &place, 8 + off, 16);
			EXPECT_STATUS(vm_reader_atomic_load(&reader, widths[i], &value),
				      MM_NOT_ALIGNED);
			EXPECT_STATUS(vm_writer_atomic_compare_exchange(&writer, &reader, widths[i],
									0, 0, &value, &exchanged),
				      MM_NOT_ALIGNED);
		}
	EXPECT_EQUAL(value, 77);
	EXPECT_TRUE(exchanged);
	place_end(world, &other);
	place_end(world, &place);
}

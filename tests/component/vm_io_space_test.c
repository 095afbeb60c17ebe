/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest memory: what Stage 2 does not let the guest do is not done for it, and nobody is waited for
 * that never comes. */
#include "vm_io_place.h"
#include <string.h>

#define UNCACHED page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_UNCACHED)
#define WRITETHROUGH page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITETHROUGH)
#define WRITE_ONLY page_property(PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK)
#define EXECUTE_ONLY page_property(PAGE_EXECUTE | PAGE_ACCESSED, CACHE_WRITEBACK)
#define NOT_ACCESSED page_property(PAGE_READ | PAGE_WRITE, CACHE_WRITEBACK)

/* Every way of reading or writing the first bytes of a place. */
static void expect_access(struct world *world, struct place *place, enum mm_status read,
			  enum mm_status write)
{
	struct vm_reader reader = place_reader(world, place, 0, 16);
	struct vm_writer writer = place_writer(world, place, 0, 16);
	struct vm_object object = vm_object_of(place_range(world, place, 0, 16));
	struct vm_reader own;
	struct vm_writer into;
	uint64_t value = 0, count;
	uint8_t bytes[16] = "";
	bool exchanged;

	EXPECT_STATUS(vm_reader_atomic_load(&reader, 8, &value), read);
	EXPECT_STATUS(vm_reader_read_val(&reader, &value, 8), read);
	reader = place_reader(world, place, 0, 16);
	into = own_writer(bytes, 16);
	EXPECT_STATUS(vm_reader_read_fallible(&reader, &into, &count), read);
	EXPECT_EQUAL(count, read == MM_OK ? 16 : 0);
	reader = place_reader(world, place, 0, 16);
	EXPECT_STATUS(vm_reader_collect(&reader, bytes, 16, &count), read);
	EXPECT_STATUS(vm_object_read_bytes(&object, 0, bytes, 16), read);

	EXPECT_STATUS(vm_writer_write_val(&writer, &value, 8), write);
	writer = place_writer(world, place, 0, 16);
	own = own_reader(bytes, 16);
	EXPECT_STATUS(vm_writer_write_fallible(&writer, &own, &count), write);
	EXPECT_EQUAL(count, write == MM_OK ? 16 : 0);
	writer = place_writer(world, place, 0, 16);
	EXPECT_STATUS(vm_writer_fill(&writer, 4, 7, &count), write);
	EXPECT_EQUAL(count, write == MM_OK ? 4 : 0);
	writer = place_writer(world, place, 0, 16);
	EXPECT_STATUS(vm_writer_fill_zeros(&writer, 16, &count), write);
	EXPECT_EQUAL(count, write == MM_OK ? 16 : 0);
	EXPECT_STATUS(vm_object_write_bytes(&object, 0, bytes, 16), write);
	EXPECT_STATUS(vm_object_fill_zeros(&object, 0, 16), write);

	/* An exchange reads and writes. */
	reader = place_reader(world, place, 0, 16);
	writer = place_writer(world, place, 0, 16);
	EXPECT_STATUS(
		vm_writer_atomic_compare_exchange(&writer, &reader, 4, 0, 0, &value, &exchanged),
		read != MM_OK ? read : write);
}

TEST(vm_io_asks_stage2_for_every_permission)
{
	static const enum vm_io_kind kinds[] = { VM_IO_SPACE, VM_IO_GUEST };
	const struct {
		struct page_property property;
		enum mm_status read, write;
	} cases[] = {
		{ READ_WRITE, MM_OK, MM_OK },
		{ READ_ONLY, MM_OK, MM_PAGE_FAULT },
		{ READ_EXECUTE, MM_OK, MM_PAGE_FAULT },
		{ WRITE_ONLY, MM_PAGE_FAULT, MM_OK },
		{ EXECUTE_ONLY, MM_PAGE_FAULT, MM_PAGE_FAULT },
		{ NOT_ACCESSED, MM_PAGE_FAULT, MM_PAGE_FAULT },
		{ WRITETHROUGH, MM_OK, MM_OK },
		{ UNCACHED, MM_ACCESS_DENIED, MM_ACCESS_DENIED },
		{ DEVICE, MM_ACCESS_DENIED, MM_ACCESS_DENIED },
	};

	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++)
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			struct place place;

			place_make(world, &place, kinds[kind], 1);
			place_protect(world, &place, 0, cases[i].property);
			expect_access(world, &place, cases[i].read, cases[i].write);
			place_unmap(world, &place, 0);
			expect_access(world, &place, MM_PAGE_FAULT, MM_PAGE_FAULT);
			place_end(world, &place);
		}
}

/* What is not counted may be a device, or not be there at all. */
TEST(vm_io_refuses_what_is_not_counted)
{
	struct place place;

	place_make(world, &place, VM_IO_SPACE, 1);
	place.base = place.ipa + PAGE_SIZE;
	map_iomem_at(&place.space, place.base, NO_MEMORY_BASE, PAGE_SIZE, DEVICE);
	expect_access(world, &place, MM_ACCESS_DENIED, MM_ACCESS_DENIED);
	unmap_at(&place.space, place.base, PAGE_SIZE);
	map_iomem_at(&place.space, place.base, NO_MEMORY_BASE, PAGE_SIZE, READ_WRITE);
	expect_access(world, &place, MM_ACCESS_DENIED, MM_ACCESS_DENIED);

	/* A transfer ends there, with what came before it done. */
	uint8_t bytes[40];
	struct vm_reader reader;
	struct vm_writer writer = own_writer(bytes, 40);
	uint64_t copied;

	EXPECT_OK(vm_reader_from_space(&place.space, iaddr(place.base - 10), 40, &reader));
	EXPECT_STATUS(vm_reader_read_fallible(&reader, &writer, &copied), MM_ACCESS_DENIED);
	EXPECT_EQUAL(copied, 10);
	EXPECT_EQUAL(vm_reader_cursor(&reader), place.base);
	place_end(world, &place);
}

/* A guest's table in a device, or in memory the guest cannot read, is not read for it. */
TEST(vm_io_guest_tables_are_read_as_the_guest_would)
{
	static const struct {
		uint8_t flags, cache;
		enum mm_status status;
	} cases[] = {
		{ PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK, MM_OK },
		{ PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK, MM_PAGE_FAULT },
		{ PAGE_READ | PAGE_WRITE, CACHE_WRITEBACK, MM_PAGE_FAULT },
		{ PAGE_READ | PAGE_ACCESSED, CACHE_DEVICE, MM_ACCESS_DENIED },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (unsigned int table = 0; table < 3; table++) {
			struct vm_guest_walk walk = { .stage = 7 };
			struct place place;

			place_make(world, &place, VM_IO_GUEST, 1);
			protect_at(&place.space, GUEST_TABLES_IPA + table * PAGE_SIZE, PAGE_SIZE,
				   page_property(cases[i].flags, cases[i].cache));
			expect_access(world, &place, cases[i].status, cases[i].status);
			EXPECT_STATUS(
				vm_guest_translate(&place.guest, place.base, PAGE_READ, &walk),
				cases[i].status);
			if (cases[i].status == MM_PAGE_FAULT) {
				uint64_t index = place.base >> (12 + 9 * (2 - table)) & 511;

				EXPECT_EQUAL(walk.stage, 2);
				EXPECT_EQUAL(walk.level, (int)table + 1);
				EXPECT_EQUAL(walk.ipa.value,
					     GUEST_TABLES_IPA + table * PAGE_SIZE + index * 8);
			}
			place_end(world, &place);
		}
}

/* Tables and leaves that lead where Stage 2 has nothing, or where the space ends. */
TEST(vm_io_guest_tables_lead_nowhere_else)
{
	struct place place;
	uint64_t end;

	place_make(world, &place, VM_IO_GUEST, 1);
	end = vm_space_range(&place.space).end.value;
	place.guest.tcr |= UINT64_C(5) << 32; /* as big an IPA as there is */

	/* The hypervisor's own page behind the place, by its physical address. */
	guest_put(&place, 2, place.base >> 12 & 511, place.frames[0].paddr.value | GUEST_PAGE);
	expect_access(world, &place, MM_PAGE_FAULT, MM_PAGE_FAULT);
	guest_put(&place, 2, place.base >> 12 & 511, (end & 0xfffffffff000) | GUEST_PAGE);
	expect_access(world, &place, MM_PAGE_FAULT, MM_PAGE_FAULT);
	guest_put(&place, 1, place.base >> 21 & 511, place.frames[0].paddr.value | 3);
	expect_access(world, &place, MM_PAGE_FAULT, MM_PAGE_FAULT);
	guest_put(&place, 0, place.base >> 30 & 511, UINT64_C(0xfffffffff003));
	expect_access(world, &place, MM_PAGE_FAULT, MM_PAGE_FAULT);
	place_end(world, &place);
}

/* Pages of a block are found in it, each where it lies. */
TEST(vm_io_reads_through_blocks)
{
	struct vm_space space;
	struct vm_reader reader;
	uint64_t value;

	world_space(world, &space);
	struct paddr start = map_segment_at(world, &space, GIB(1), 512, MIB(2), READ_WRITE);

	expect_mapped(&space, GIB(1), start.value, MIB(2), READ_WRITE);
	for (uint64_t page = 0; page < 512; page += 73) {
		uint64_t at = page * PAGE_SIZE + 4088;

		world_write(paddr(start.value + at), ~page);
		EXPECT_OK(vm_reader_from_space(&space, iaddr(GIB(1) + at), 8, &reader));
		EXPECT_OK(vm_reader_read_val(&reader, &value, 8));
		EXPECT_EQUAL(value, ~page);
	}
	/* All of it, and one byte more. */
	EXPECT_OK(vm_reader_from_space(&space, iaddr(GIB(1)), MIB(2) + 1, &reader));
	struct segment copy = world_segment(world, 513, PAGE_SIZE);
	struct vm_object object = vm_object_of_segment(&copy);
	struct vm_writer writer;

	EXPECT_OK(vm_object_writer(&object, 0, MIB(2) + 1, &writer));
	EXPECT_STATUS(vm_reader_read_fallible(&reader, &writer, &value), MM_PAGE_FAULT);
	EXPECT_EQUAL(value, MIB(2));
	EXPECT_EQUAL(memcmp(mm_linear(start), mm_linear(copy.start), MIB(2)), 0);
	segment_drop(&copy);
	EXPECT_OK(vm_space_destroy(&space));
}

/* A cursor of this CPU in the way is said, not waited for; and not in the way once it is closed. */
TEST(vm_io_is_busy_under_a_cursor_of_this_cpu)
{
	static const enum vm_io_kind kinds[] = { VM_IO_SPACE, VM_IO_GUEST };

	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		struct place place;
		struct cursor cursor;

		place_make(world, &place, kinds[kind], 2);
		open_at(&place.space, place.ipa, PAGE_SIZE, &cursor);
		expect_access(world, &place, MM_BUSY, MM_BUSY);
		cursor_close(&cursor);
		expect_access(world, &place, MM_OK, MM_OK);
		EXPECT_OK(cursor_open(&place.space, vm_space_range(&place.space), CURSOR_READ_ONLY,
				      &cursor));
		expect_access(world, &place, MM_BUSY, MM_BUSY);
		cursor_close(&cursor);

		/* Somewhere else it is not in the way. */
		map_frame_at(world, &place.space, GIB(20), READ_WRITE);
		open_at(&place.space, GIB(20), PAGE_SIZE, &cursor);
		expect_access(world, &place, MM_OK, MM_OK);
		cursor_close(&cursor);
		place_end(world, &place);
	}
}

/* Source and destination under one lock's node, in one space and even in one page. */
TEST(vm_io_copies_within_a_space)
{
	struct place place;
	uint64_t copied;

	place_make(world, &place, VM_IO_SPACE, 2);
	place_fill_pattern(&place);

	struct vm_reader reader = place_reader(world, &place, 10, PAGE_SIZE);
	struct vm_writer writer = place_writer(world, &place, PAGE_SIZE + 20, PAGE_SIZE - 20);

	EXPECT_OK(vm_reader_read_fallible(&reader, &writer, &copied));
	EXPECT_EQUAL(copied, PAGE_SIZE - 20);
	for (uint64_t i = 0; i < PAGE_SIZE - 20; i++)
		EXPECT_EQUAL(*place_byte(&place, PAGE_SIZE + 20 + i), pattern_at(10 + i));
	reader = place_reader(world, &place, 0, 100);
	writer = place_writer(world, &place, 200, 100);
	EXPECT_OK(vm_reader_read_fallible(&reader, &writer, &copied));
	for (uint64_t i = 0; i < 100; i++)
		EXPECT_EQUAL(*place_byte(&place, 200 + i), pattern_at(i));
	EXPECT_EQUAL(frame_reference_count(&place.frames[0]), 2);
	place_end(world, &place);
}

/* The descriptor of @ia in a table of level 3. */
static uint64_t *descriptor_of(struct vm_space *space, uint64_t ia)
{
	unsigned int level = space->geometry.root_level;
	uint64_t table = space->root.value;

	for (;; level++) {
		unsigned int shift = 12 + 9 * (3 - level);
		uint64_t index =
			level == space->geometry.root_level ? ia >> shift : ia >> shift & 511;
		uint64_t *descriptor = (uint64_t *)mm_linear(paddr(table)) + index;

		if (level == 3)
			return descriptor;
		table = *descriptor & 0xfffffffff000;
	}
}

/*
 * A page that is unmapped between two chunks of one transfer: the first chunk is what unmaps it,
 * since the transfer's destination is the descriptor of the page that comes next.
 */
TEST(vm_io_page_unmapped_between_two_chunks)
{
	struct place place;
	uint64_t copied;

	world_not_alone(world);
	place_make(world, &place, VM_IO_SPACE, 2);

	uint64_t *descriptor = descriptor_of(&place.space, place.ipa + PAGE_SIZE);
	uint64_t was = *descriptor;
	struct vm_reader reader = place_reader(world, &place, PAGE_SIZE - 8, 16);
	struct vm_writer writer = own_writer(descriptor, 16);

	EXPECT_STATUS(vm_reader_read_fallible(&reader, &writer, &copied), MM_PAGE_FAULT);
	EXPECT_EQUAL(*descriptor, 0);
	*descriptor = was;
	EXPECT_EQUAL(copied, 8);
	EXPECT_EQUAL(vm_reader_cursor(&reader), place.base + PAGE_SIZE);
	place_end(world, &place);

	/* The same by a guest's own table, which it maps for itself. */
	place_make(world, &place, VM_IO_GUEST, 2);
	uint64_t at = ((place.base >> 12 & 511) + 1) * 8;

	reader = place_reader(world, &place, PAGE_SIZE - 8, 16);
	EXPECT_OK(vm_writer_from_space(&place.space, iaddr(GUEST_TABLES_IPA + 2 * PAGE_SIZE + at),
				       16, &writer));
	EXPECT_STATUS(vm_reader_read_fallible(&reader, &writer, &copied), MM_PAGE_FAULT);
	EXPECT_EQUAL(copied, 8);
	EXPECT_EQUAL(vm_writer_avail(&writer), 8);
	place_end(world, &place);
}

/* An address beyond the space is not looked up in what lies beyond the descriptors in use. */
TEST(vm_io_guest_addresses_end_with_the_space)
{
	const uint64_t end = UINT64_C(1) << 25;
	struct vm_space space;
	struct vm_reader reader;
	uint64_t value;

	EXPECT_OK(vm_space_new_stage2(25, &space));
	EXPECT_EQUAL(space.geometry.root_level, 2);
	map_segment_at(world, &space, 0, 512, MIB(2), READ_WRITE);

	/* The walk by the MMU would never come here. */
	uint64_t *root = mm_linear(space.root);
	struct vm_guest guest = { .space = &space, .level = VM_GUEST_EL1 };

	root[end >> 21] = root[0];
	EXPECT_OK(vm_reader_from_guest(&guest, 8, 8, &reader));
	EXPECT_OK(vm_reader_read_val(&reader, &value, 8));
	EXPECT_OK(vm_reader_from_guest(&guest, end + 8, 8, &reader));
	EXPECT_STATUS(vm_reader_read_val(&reader, &value, 8), MM_PAGE_FAULT);
	root[end >> 21] = 0;
	EXPECT_OK(vm_space_destroy(&space));
}

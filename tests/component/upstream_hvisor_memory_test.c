/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults of hvisor in who may reach which memory, and in what it allocates: each test names the one it
 * comes from. docs/upstream.md lists them all, with those that other tests hold.
 */
#include "mapping.h"
#include <strata/vm_object.h>

static struct vm_object object_at(struct vm_space *space, uint64_t ia, uint64_t length)
{
	struct vm_io_range range = { 0 };

	EXPECT_OK(vm_io_space(space, iaddr(ia), length, &range));
	return vm_object_of(range);
}

/* hvisor: a hypercall with an IPA that is not mapped ends in a panic of the hypervisor. */
TEST(guest_addresses_that_are_not_mapped_are_a_status)
{
	struct vm_space space;
	uint64_t word = 7;

	world_space(world, &space);

	uint64_t end = vm_space_range(&space).end.value;
	const uint64_t addresses[] = { 0, PAGE_SIZE, GIB(1), 0x3fff0000, end - 8 };

	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct vm_object object = object_at(&space, addresses[i], 8);

		EXPECT_STATUS(vm_object_read_bytes(&object, 0, &word, 8), MM_PAGE_FAULT);
		EXPECT_STATUS(vm_object_write_bytes(&object, 0, &word, 8), MM_PAGE_FAULT);
	}
	EXPECT_OK(vm_space_destroy(&space));
}

/* hvisor: a hypercall stores through the guest's pointer as if it were a physical address. */
TEST(guest_addresses_are_not_physical_ones)
{
	struct vm_space space;
	frame_t own = world_frame(world); /* the hypervisor's */
	uint64_t word = 7;

	world_space(world, &space);
	world_write(own.paddr, 0x5555);

	struct vm_object object = object_at(&space, own.paddr.value, 8);

	EXPECT_STATUS(vm_object_write_bytes(&object, 0, &word, 8), MM_PAGE_FAULT);
	EXPECT_EQUAL(world_read(own.paddr), 0x5555);

	struct paddr page = map_frame_at(world, &space, own.paddr.value, READ_WRITE);

	EXPECT_OK(vm_object_write_bytes(&object, 0, &word, 8));
	EXPECT_EQUAL(world_read(own.paddr), 0x5555);
	EXPECT_EQUAL(world_read(page), 7);
	/* Nor is what it may not write written, because it may be read. */
	protect_at(&space, own.paddr.value, PAGE_SIZE, READ_ONLY);
	word = 8;
	EXPECT_STATUS(vm_object_write_bytes(&object, 0, &word, 8), MM_PAGE_FAULT);
	EXPECT_EQUAL(world_read(page), 7);
	EXPECT_OK(vm_space_destroy(&space));
	frame_drop(&own);
}

/* hvisor: a structure that crosses a page is written through the physical address of its first. */
TEST(guest_structures_cross_pages_as_they_are_mapped)
{
	struct segment segment = world_segment(world, 2, PAGE_SIZE);
	struct paddr first = segment.start;
	uint64_t words[2] = { 1, 2 };
	struct vm_space space;
	struct cursor cursor;
	frame_t frame;

	world_space(world, &space);
	EXPECT_TRUE(segment_next(&segment, &frame));
	open_at(&space, 0, PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_map(&cursor, &frame, READ_WRITE));
	cursor_close(&cursor);

	struct paddr second = map_frame_at(world, &space, PAGE_SIZE, READ_WRITE);
	struct vm_object object = object_at(&space, PAGE_SIZE - 8, 16);

	EXPECT_OK(vm_object_write_bytes(&object, 0, words, sizeof(words)));
	EXPECT_EQUAL(world_read(paddr(first.value + PAGE_SIZE - 8)), 1);
	EXPECT_EQUAL(world_read(second), 2);
	EXPECT_EQUAL(world_read(segment.start), 0);
	segment_drop(&segment);
	EXPECT_OK(vm_space_destroy(&space));
}

/* The first page of @usage. */
static struct paddr page_of(enum page_usage usage)
{
	for (uint64_t page = GIB(1); page < GIB(5); page += PAGE_SIZE) {
		struct page_state state;

		if (page_state(paddr(page), &state) == MM_OK && state.usage == usage)
			return paddr(page);
	}
	FAIL("no page is %s", page_usage_name(usage));
}

/* hvisor #305, #310, and the host address that a guest chose by its PCI BAR: memory of the hypervisor,
 * of its tables and of other zones is mapped into a zone. */
TEST(memory_with_an_owner_is_no_device)
{
	struct vm_space spaces[2];

	for (size_t i = 0; i < 2; i++)
		world_space(world, &spaces[i]);

	const struct paddr pages[] = {
		page_of(PAGE_HYPERVISOR), page_of(PAGE_META),
		spaces[0].root,		  map_frame_at(world, &spaces[1], 0, READ_WRITE),
		page_of(PAGE_UNUSED),
	};

	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		const struct prange ranges[] = {
			page_range(pages[i]),
			/* More than it, from below where memory begins. */
			prange(paddr(GIB(1) - PAGE_SIZE), paddr(pages[i].value + PAGE_SIZE)),
		};

		for (size_t j = 0; j < COUNT_OF(ranges); j++) {
			struct cursor cursor;

			open_at(&spaces[0], 0, GIB(8), &cursor);
			EXPECT_STATUS(cursor_map_iomem(&cursor, ranges[j], DEVICE),
				      MM_ACCESS_DENIED);
			cursor_close(&cursor);
			expect_hole(&spaces[0], 0);
		}
	}
	for (size_t i = 0; i < 2; i++)
		EXPECT_OK(vm_space_destroy(&spaces[i]));
}

/* hvisor: alignment is counted from the base of the pool: new_contiguous(1, 9) gave 0x40849000. */
TEST(alignment_is_of_the_physical_address)
{
	for (unsigned int shift = PAGE_SHIFT; shift <= 21; shift++) {
		struct segment odd[2];

		for (size_t i = 0; i < 2; i++) {
			odd[i] = world_segment(world, 1, UINT64_C(1) << shift);
			EXPECT_EQUAL(odd[i].start.value & ((UINT64_C(1) << shift) - 1), 0);
			EXPECT_EQUAL(segment_size(&odd[i]), PAGE_SIZE);
		}
		for (size_t i = 0; i < 2; i++)
			segment_drop(&odd[i]);
	}
}

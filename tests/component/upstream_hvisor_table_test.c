/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults of the Stage-2 tables of hvisor and of their TLB maintenance: each test names the one it
 * comes from. docs/upstream.md lists them all, with those that other tests hold.
 */
#include "mapping.h"
#include <arch/counters.h>
#include <arch/features.h>
#include <strata/vm_io.h>

static bool reaches(struct world *world, struct vm_space *space, uint64_t ia, struct paddr page)
{
	struct paddr output = paddr(1);

	return world_translate(world, space, iaddr(ia), WORLD_READ, &output) &&
	       output.value == page.value;
}

/* hvisor: no DSB between the stores of descriptors and their first use. */
TEST(new_mappings_are_seen_at_once)
{
	static const uint64_t addresses[] = { 0, MIB(2), GIB(1), GIB(1) + PAGE_SIZE, GIB(7) };
	struct vm_space space;
	struct paddr output;

	world_space(world, &space);
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct iaddr ia = iaddr(addresses[i]);

		EXPECT_FALSE(world_translate(world, &space, ia, WORLD_READ, &output));

		struct paddr page = map_frame_at(world, &space, addresses[i], READ_WRITE);

		EXPECT_TRUE(reaches(world, &space, addresses[i], page));
	}
	world_rest(world);
	EXPECT_OK(vm_space_destroy(&space));
}

/* hvisor: all zones share VMID 0, and every activation invalidates the TLBs of all of them. */
TEST(switching_spaces_invalidates_nothing)
{
	struct vm_space spaces[2];
	struct paddr pages[2];
	struct arch_counters before, after;

	for (size_t i = 0; i < 2; i++) {
		world_space(world, &spaces[i]);
		pages[i] = map_frame_at(world, &spaces[i], 0, READ_ONLY);
	}
	/* Twice: VMIDs may come round on the way. */
	for (size_t i = 0; i < 4; i++)
		EXPECT_OK(vm_space_activate(&spaces[i % 2]));
	before = arch_counters_read();
	for (size_t i = 0; i < 8; i++)
		EXPECT_TRUE(reaches(world, &spaces[i % 2], 0, pages[i % 2]));
	after = arch_counters_read();
	EXPECT_EQUAL(after.stage2_loads - before.stage2_loads, 8);
	EXPECT_EQUAL(after.tlbi_vmid - before.tlbi_vmid, 0);
	EXPECT_EQUAL(after.tlbi_all - before.tlbi_all, 0);
	EXPECT_EQUAL(after.tlbi_address - before.tlbi_address, 0);
	EXPECT_TRUE(vm_space_vmid(&spaces[0]) != vm_space_vmid(&spaces[1]));
	for (size_t i = 0; i < 2; i++)
		EXPECT_TRUE(vm_space_vmid(&spaces[i]) != 0);
	world_rest(world);
	for (size_t i = 0; i < 2; i++)
		EXPECT_OK(vm_space_destroy(&spaces[i]));
}

/* hvisor: delete and unmap do not invalidate, and unmap with map is no break-before-make. */
TEST(unmapped_pages_are_reached_by_nobody)
{
	struct vm_space space;
	struct paddr output;

	world_space(world, &space);
	for (int round = 0; round < 4; round++) {
		struct paddr page = map_frame_at(world, &space, MIB(2), READ_WRITE);
		struct arch_counters before, after;

		EXPECT_TRUE(reaches(world, &space, MIB(2), page));
		before = arch_counters_read();
		EXPECT_EQUAL(unmap_at(&space, MIB(2), PAGE_SIZE), 1);
		after = arch_counters_read();
		EXPECT_FALSE(world_translate(world, &space, iaddr(MIB(2)), WORLD_READ, &output));
		EXPECT_TRUE(after.tlbi_address + after.tlbi_range + after.tlbi_vmid >
			    before.tlbi_address + before.tlbi_range + before.tlbi_vmid);
		EXPECT_TRUE(after.dsb >= before.dsb + 2);
	}
	world_rest(world);
	EXPECT_OK(vm_space_destroy(&space));
}

/* hvisor: update() of what is not mapped installs a block of 1 GiB. */
TEST(changes_of_a_hole_map_nothing)
{
	static const uint64_t addresses[] = { 0x12345000, 0, GIB(1) - PAGE_SIZE };
	struct page_property property = READ_WRITE;
	struct vm_space space;
	frame_t frame = world_frame(world);

	world_space(world, &space);

	uint64_t tables = world_pages(PAGE_TABLE);

	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct cursor cursor;

		open_at(&space, addresses[i], PAGE_SIZE, &cursor);
		EXPECT_STATUS(cursor_replace(&cursor, &frame, READ_WRITE), MM_NOT_MAPPED);
		EXPECT_STATUS(cursor_protect_next(&cursor, PAGE_SIZE, become, &property, NULL),
			      MM_NOT_MAPPED);
		cursor_close(&cursor);
		expect_hole(&space, addresses[i]);
		expect_hole(&space, 0x3fff0000);
	}
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	frame_drop(&frame);
	EXPECT_OK(vm_space_destroy(&space));
}

/* hvisor: indices are masked, and an IPA above the table's reach comes down at its start. */
TEST(addresses_above_a_space_are_not_in_it)
{
	static const unsigned int sizes[] = { 32, 36, 39, 40 };

	for (size_t i = 0; i < COUNT_OF(sizes) && sizes[i] <= arch_features()->pa_bits; i++) {
		uint64_t end = UINT64_C(1) << sizes[i];
		const uint64_t above[] = { end, 2 * end, UINT64_C(1) << 48, UINT64_C(1) << 63 };
		struct vm_space space;
		struct cursor cursor;
		struct paddr output;

		EXPECT_OK(vm_space_new_stage2(sizes[i], &space));
		map_frame_at(world, &space, 0, READ_WRITE);
		for (size_t j = 0; j < COUNT_OF(above); j++) {
			struct vm_io_range range;

			EXPECT_STATUS(cursor_open(&space, span(above[j], PAGE_SIZE), CURSOR_MUTABLE,
						  &cursor),
				      MM_OUT_OF_BOUND);
			EXPECT_STATUS(vm_io_space(&space, iaddr(above[j]), 8, &range),
				      MM_OUT_OF_BOUND);
		}
		EXPECT_STATUS(cursor_open(&space, span(end - PAGE_SIZE, 2 * PAGE_SIZE),
					  CURSOR_MUTABLE, &cursor),
			      MM_OUT_OF_BOUND);
		EXPECT_FALSE(world_translate(world, &space, iaddr(end), WORLD_READ, &output));
		EXPECT_TRUE(world_translate(world, &space, iaddr(0), WORLD_READ, &output));
		world_rest(world);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

/* hvisor: an insert that failed on its second block left the first one, which nobody could delete and
 * which was in the way for ever. */
TEST(map_that_fails_in_its_second_block_can_be_repeated)
{
	const uint64_t start = 0x3fe00000;
	struct prange output = prange(paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + MIB(4)));
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	map_frame_at(world, &space, start + MIB(2) + PAGE_SIZE, READ_ONLY);

	uint64_t tables = world_pages(PAGE_TABLE);

	open_at(&space, start, MIB(4), &cursor);
	EXPECT_STATUS(cursor_map_iomem(&cursor, output, DEVICE), MM_EXISTS);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, start);
	cursor_close(&cursor);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	expect_hole(&space, start);
	expect_hole(&space, start + MIB(2));
	EXPECT_EQUAL(unmap_at(&space, start + MIB(2) + PAGE_SIZE, PAGE_SIZE), 1);
	map_iomem_at(&space, start, NO_MEMORY_BASE, MIB(4), DEVICE);
	expect_mapped(&space, start, NO_MEMORY_BASE, MIB(2), DEVICE);
	expect_mapped(&space, start + MIB(2), NO_MEMORY_BASE + MIB(2), MIB(2), DEVICE);
	EXPECT_OK(vm_space_destroy(&space));
}

/* hvisor: tables that became empty stay, and no block goes where a page was. */
TEST(blocks_go_where_pages_were)
{
	struct vm_space space;

	world_space(world, &space);

	uint64_t tables = world_pages(PAGE_TABLE);

	map_frame_at(world, &space, GIB(2) + KIB(4), READ_WRITE);
	EXPECT_EQUAL(unmap_at(&space, GIB(2) + KIB(4), PAGE_SIZE), 1);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	map_iomem_at(&space, GIB(2), NO_MEMORY_BASE, MIB(2), DEVICE);
	expect_mapped(&space, GIB(2), NO_MEMORY_BASE, MIB(2), DEVICE);
	EXPECT_EQUAL(unmap_at(&space, GIB(2), MIB(2)), 1);
	map_iomem_at(&space, GIB(2), NO_MEMORY_BASE, GIB(1), DEVICE);
	expect_mapped(&space, GIB(2), NO_MEMORY_BASE, GIB(1), DEVICE);
	EXPECT_OK(vm_space_destroy(&space));
}

/* hvisor: only exactly what was inserted can be deleted; a part of a block stops the CPU. */
TEST(unmap_takes_any_part_of_what_was_mapped)
{
	struct vm_space space;

	world_space(world, &space);
	/* A block, a hole, pages, a block. */
	map_iomem_at(&space, 0, NO_MEMORY_BASE, MIB(2), DEVICE);
	map_segment_at(world, &space, MIB(3), 16, PAGE_SIZE, READ_WRITE);
	map_iomem_at(&space, MIB(4), NO_MEMORY_BASE + MIB(4), MIB(2), DEVICE);
	EXPECT_EQUAL(unmap_at(&space, MIB(1), MIB(4)), 256 + 16 + 256);
	expect_mapped(&space, MIB(1) - PAGE_SIZE, NO_MEMORY_BASE + MIB(1) - PAGE_SIZE, PAGE_SIZE,
		      DEVICE);
	expect_hole(&space, MIB(1));
	expect_hole(&space, MIB(3));
	expect_hole(&space, MIB(5) - PAGE_SIZE);
	expect_mapped(&space, MIB(5), NO_MEMORY_BASE + MIB(5), PAGE_SIZE, DEVICE);
	expect_mmu_agrees(world, &space, 0, MIB(6), PAGE_SIZE);
	EXPECT_EQUAL(unmap_at(&space, 0, MIB(6)), 512);
	EXPECT_OK(vm_space_destroy(&space));
}

/* hvisor: start + size is not checked, and what is not aligned stops the hypervisor. */
TEST(device_ranges_that_wrap_are_refused)
{
	const uint64_t top = UINT64_MAX - PAGE_SIZE + 1;
	const struct {
		uint64_t start, end;
		enum mm_status status;
	} cases[] = {
		{ top, 0, MM_INVALID_ARGS },
		{ top, PAGE_SIZE, MM_INVALID_ARGS },
		{ NO_MEMORY_BASE + PAGE_SIZE, NO_MEMORY_BASE, MM_INVALID_ARGS },
		{ top - PAGE_SIZE, top, MM_OUT_OF_BOUND },
		{ NO_MEMORY_BASE, top, MM_OUT_OF_BOUND },
		{ UINT64_C(1) << 63, (UINT64_C(1) << 63) + PAGE_SIZE, MM_OUT_OF_BOUND },
		{ top, UINT64_MAX, MM_NOT_ALIGNED },
		{ NO_MEMORY_BASE + 1, NO_MEMORY_BASE + 1 + PAGE_SIZE, MM_NOT_ALIGNED },
	};
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	open_at(&space, 0, GIB(2), &cursor);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		EXPECT_STATUS(cursor_map_iomem(&cursor,
					       prange(paddr(cases[i].start), paddr(cases[i].end)),
					       DEVICE),
			      cases[i].status);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, 0);
	EXPECT_STATUS(cursor_find_next(&cursor, GIB(2)), MM_NOT_MAPPED);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

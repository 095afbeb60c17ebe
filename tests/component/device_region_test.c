/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest's space remembers of the devices mapped into it. */
#include "areas.h"
#include <strata/fault.h>
#include <strata/io_mem.h>

#define REGISTERS(page) (NO_MEMORY_BASE + (uint64_t)(page)*PAGE_SIZE)

static void map_registers(struct vm_space *space, uint64_t ia, uint64_t page, uint64_t pages)
{
	map_iomem_at(space, ia, REGISTERS(page), pages * PAGE_SIZE, DEVICE);
}

static void expect_region(const struct vm_space *space, uint64_t page, uint64_t start, uint64_t end)
{
	struct prange region = prange(paddr(0), paddr(0));

	EXPECT_OK(vm_space_find_iomem(space, paddr(REGISTERS(page)), &region));
	EXPECT_EQUAL(region.start.value, REGISTERS(start));
	EXPECT_EQUAL(region.end.value, REGISTERS(end));
	EXPECT_OK(vm_space_find_iomem(space, paddr(REGISTERS(page) + PAGE_SIZE - 1), &region));
	EXPECT_EQUAL(region.start.value, REGISTERS(start));
}

static void expect_unknown(const struct vm_space *space, uint64_t page)
{
	struct prange region = prange(paddr(7), paddr(8));

	EXPECT_STATUS(vm_space_find_iomem(space, paddr(REGISTERS(page)), &region), MM_NOT_MAPPED);
	EXPECT_EQUAL(region.start.value, 7);
}

/* Wherever in the space and however often they are mapped: neighbours and overlaps are one region. */
TEST(device_regions_are_remembered_as_one_where_they_touch)
{
	struct vm_space space, other;

	world_space(world, &space);
	world_space(world, &other);
	expect_unknown(&space, 10);
	map_registers(&space, 0, 10, 2);
	map_registers(&space, MIB(2), 20, 2);
	map_registers(&space, MIB(4), 5, 1);
	expect_region(&space, 10, 10, 12);
	expect_region(&space, 11, 10, 12);
	expect_region(&space, 21, 20, 22);
	expect_region(&space, 5, 5, 6);
	expect_unknown(&space, 4);
	expect_unknown(&space, 6);
	expect_unknown(&space, 9);
	expect_unknown(&space, 12);

	/* The same again, a part, and both sides. */
	map_registers(&space, MIB(6), 10, 2);
	map_registers(&space, MIB(8), 11, 1);
	expect_region(&space, 11, 10, 12);
	map_registers(&space, MIB(10), 9, 2);
	expect_region(&space, 11, 9, 12);
	map_registers(&space, MIB(12), 11, 4);
	expect_region(&space, 9, 9, 15);
	expect_region(&space, 21, 20, 22);

	/* One that closes every gap. */
	map_registers(&space, MIB(14), 6, 14);
	for (uint64_t page = 5; page < 22; page++)
		expect_region(&space, page, 5, 22);
	expect_unknown(&space, 22);
	expect_unknown(&other, 10);
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_OK(vm_space_destroy(&other));
}

/* What was given to a space stays known until the space goes; another space begins with nothing. */
TEST(device_regions_outlive_an_unmap_but_not_the_space)
{
	struct vm_space space;

	world_space(world, &space);

	const uint64_t pages = world_pages(PAGE_HYPERVISOR);

	map_registers(&space, 0, 10, 2);
	/* On a fresh machine no slab of the heap had room for it. */
	EXPECT_TRUE(world_pages(PAGE_HYPERVISOR) > pages || !WORLD_SIMULATED);
	EXPECT_EQUAL(unmap_at(&space, 0, 2 * PAGE_SIZE), 2);
	expect_hole(&space, 0);
	expect_region(&space, 10, 10, 12);
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_EQUAL(world_pages(PAGE_HYPERVISOR), world->before.pages[PAGE_HYPERVISOR]);
	world_space(world, &space);
	expect_unknown(&space, 10);
	EXPECT_OK(vm_space_destroy(&space));
}

TEST(what_was_not_mapped_is_not_remembered)
{
	struct vm_space space;
	struct cursor cursor;
	frame_t frame = world_frame(world);
	struct prange page = page_range(frame.paddr);
	struct prange registers = prange(paddr(REGISTERS(0)), paddr(REGISTERS(2)));
	struct prange region;

	world_space(world, &space);
	open_at(&space, 0, 2 * PAGE_SIZE, &cursor);
	EXPECT_STATUS(cursor_map_iomem(&cursor, page, DEVICE), MM_ACCESS_DENIED);
	EXPECT_OK(cursor_map(&cursor, &frame, READ_WRITE));
	EXPECT_STATUS(cursor_map_iomem(&cursor, registers, DEVICE), MM_OUT_OF_BOUND);
	EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
	EXPECT_STATUS(cursor_map_iomem(&cursor, registers, DEVICE), MM_EXISTS);
	cursor_close(&cursor);
	EXPECT_STATUS(vm_space_find_iomem(&space, page.start, &region), MM_NOT_MAPPED);
	expect_unknown(&space, 0);
	expect_unknown(&space, 1);
	EXPECT_OK(vm_space_destroy(&space));
}

/* EL2 reaches the registers that a guest was given by an io_mem; its own space remembers none. */
TEST(device_regions_make_an_io_mem)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct io_mem io_mem;
	struct vm_space space;
	struct prange region;

	world_space(world, &space);
	map_registers(&space, MIB(2), 10, 2);
	EXPECT_OK(vm_space_find_iomem(&space, paddr(REGISTERS(11) + 8), &region));
	EXPECT_OK(io_mem_new(kvirt, region, &io_mem));
	expect_reaches(world, io_mem_address(&io_mem).value + PAGE_SIZE + 8,
		       paddr(REGISTERS(11) + 8));
	expect_unknown(world_el2_space(world), 11);
	EXPECT_OK(io_mem_drop(&io_mem));
	EXPECT_OK(kvirt_space_destroy(kvirt));
	EXPECT_OK(vm_space_destroy(&space));
}

#if STRATA_CHECKED

/* Whatever there is no memory for, a table or the remembering: all of it or nothing. */
TEST(device_regions_are_remembered_if_and_only_if_mapped)
{
	struct prange registers = prange(paddr(REGISTERS(1)), paddr(REGISTERS(3)));
	enum mm_status status = MM_NO_MEMORY;
	struct vm_space space;
	struct cursor cursor;
	uint64_t nth = 0;

	world_space(world, &space);

	const struct mm_usage before = mm_usage();

	while (status != MM_OK) {
		open_at(&space, 0, MIB(1), &cursor);
		mm_fail_allocation(++nth);
		status = cursor_map_iomem(&cursor, registers, DEVICE);
		mm_fail_allocation(0);
		if (status == MM_OK)
			break;
		EXPECT_STATUS(status, MM_NO_MEMORY);
		EXPECT_EQUAL(cursor_virt_addr(&cursor).value, 0);
		cursor_close(&cursor);
		expect_unknown(&space, 1);
		expect_hole(&space, 0);
		expect_pages(&before);
	}
	/* Two tables at least, and a page of the heap where no slab had room. */
	EXPECT_TRUE(nth > (WORLD_SIMULATED ? 3 : 2));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, 2 * PAGE_SIZE);
	cursor_close(&cursor);
	expect_region(&space, 2, 1, 3);

	/* What is known already needs no memory to be remembered. */
	open_at(&space, 2 * PAGE_SIZE, PAGE_SIZE, &cursor);
	mm_fail_allocation(1);
	status = cursor_map_iomem(&cursor, prange(registers.start, paddr(REGISTERS(2))), DEVICE);
	mm_fail_allocation(0);
	EXPECT_OK(status);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

#endif

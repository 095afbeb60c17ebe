/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices' registers at addresses of EL2. */
#include "areas.h"
#include <strata/fault.h>
#include <strata/io_mem.h>

#define REGISTERS prange(paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + 3 * PAGE_SIZE))

static void expect_device(struct world *world, const struct io_mem *io_mem)
{
	uint64_t start = io_mem_address(io_mem).value;
	uint64_t size = prange_size(io_mem->registers);

	for (uint64_t offset = 0; offset < size; offset += PAGE_SIZE) {
		struct paddr output = paddr(io_mem->registers.start.value + offset);

		expect_mapped(world_el2_space(world), start + offset, output.value, PAGE_SIZE,
			      DEVICE);
		EXPECT_FALSE(item_at(world_el2_space(world), start + offset).counted);
		expect_reaches(world, start + offset, output);
	}
	expect_faults(world, start - 8);
	expect_faults(world, start + size);
#if WORLD_SIMULATED
	struct machine_translation used;
	struct machine_fault fault;

	EXPECT_TRUE(machine_el2_translate(iaddr(start), MACHINE_READ, &used, &fault));
	EXPECT_EQUAL(used.memory, MEMORY_DEVICE_nGnRE);
	EXPECT_FALSE(used.executable);
#endif
}

TEST(io_mem_maps_registers_as_a_device)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct io_mem first, second;
	uint64_t start;

	EXPECT_OK(io_mem_new(kvirt, REGISTERS, &first));
	EXPECT_EQUAL(first.registers.start.value, NO_MEMORY_BASE);
	EXPECT_EQUAL(prange_size(first.registers), 3 * PAGE_SIZE);
	expect_device(world, &first);

	/* The same registers once more: neither knows of the other. */
	EXPECT_OK(io_mem_new(kvirt, REGISTERS, &second));
	start = io_mem_address(&first).value;
	EXPECT_OK(io_mem_drop(&first));
	for (uint64_t page = 0; page < 3; page++)
		expect_faults(world, start + page * PAGE_SIZE);
	expect_device(world, &second);
	EXPECT_OK(io_mem_drop(&second));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

TEST(io_mem_refuses_memory)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct segment segment = world_segment(world, 1, PAGE_SIZE);
	struct io_mem none = { .registers = prange(paddr(1), paddr(2)) };
	struct mm_usage before = mm_usage();
	const uint64_t limit = UINT64_C(1) << 48;
	const struct {
		struct prange registers;
		enum mm_status status;
	} cases[] = {
		{ prange(segment.start, segment.end), MM_ACCESS_DENIED },
		{ prange(paddr(0), paddr(segment.end.value)), MM_ACCESS_DENIED },
		{ prange(segment.start, paddr(NO_MEMORY_BASE)), MM_ACCESS_DENIED },
		{ prange(paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE)), MM_INVALID_ARGS },
		{ prange(paddr(NO_MEMORY_BASE), paddr(0)), MM_INVALID_ARGS },
		{ prange(paddr(NO_MEMORY_BASE + 8), paddr(NO_MEMORY_BASE + PAGE_SIZE)),
		  MM_NOT_ALIGNED },
		{ prange(paddr(limit), paddr(limit + PAGE_SIZE)), MM_OUT_OF_BOUND },
		{ prange(paddr(NO_MEMORY_BASE), paddr(limit * 2)), MM_OUT_OF_BOUND },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		EXPECT_STATUS(io_mem_new(kvirt, cases[i].registers, &none), cases[i].status);
		expect_pages(&before);
	}
	EXPECT_EQUAL(none.registers.start.value, 1);
	segment_drop(&segment);
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

#if WORLD_SIMULATED

/* A device may lie inside a memory range; the memory beside it is none. */
TEST(io_mem_takes_mmio_inside_memory)
{
	static const struct {
		uint64_t start, pages;
		enum mm_status status;
	} cases[] = {
		{ WORLD_DEVICE_BASE - PAGE_SIZE, 2, MM_ACCESS_DENIED },
		{ WORLD_DEVICE_BASE + (WORLD_DEVICE_PAGES - 1) * PAGE_SIZE, 2, MM_ACCESS_DENIED },
		{ WORLD_IMAGE_BASE, 1, MM_ACCESS_DENIED },
		{ WORLD_FILE_BASE, 1, MM_ACCESS_DENIED },
		{ WORLD_DEVICE_BASE, WORLD_DEVICE_PAGES, MM_OK },
	};
	struct kvirt_space *kvirt = make_kvirt(world);
	struct io_mem io_mem;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		EXPECT_STATUS(io_mem_new(kvirt,
					 prange(paddr(cases[i].start),
						paddr(cases[i].start + cases[i].pages * PAGE_SIZE)),
					 &io_mem),
			      cases[i].status);
	expect_device(world, &io_mem);
	EXPECT_OK(io_mem_drop(&io_mem));
	EXPECT_EQUAL(world_pages(PAGE_MMIO), WORLD_DEVICE_PAGES);
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

#endif

/* Also when the CPU cannot even look at the area's addresses, they are free again. */
TEST(io_mem_is_busy_while_this_cpu_holds_a_cursor)
{
	struct kvirt_space *kvirt = make_small_kvirt(world, 5);
	struct io_mem io_mem, none;
	struct cursor cursor;

	open_at(world_el2_space(world), KVIRT_RANGE.start.value, 5 * PAGE_SIZE, &cursor);
	EXPECT_STATUS(io_mem_new(kvirt, REGISTERS, &io_mem), MM_BUSY);
	cursor_close(&cursor);
	EXPECT_OK(io_mem_new(kvirt, REGISTERS, &io_mem));
	EXPECT_STATUS(io_mem_new(kvirt, REGISTERS, &none), MM_NO_MEMORY);
	open_at(world_el2_space(world), KVIRT_RANGE.start.value, 5 * PAGE_SIZE, &cursor);
	EXPECT_STATUS(io_mem_drop(&io_mem), MM_BUSY);
	cursor_close(&cursor);
	expect_device(world, &io_mem);
	EXPECT_OK(io_mem_drop(&io_mem));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

#if STRATA_CHECKED

TEST(io_mem_fails_without_memory_and_changes_nothing)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct mm_usage before = mm_usage();
	enum mm_status status = MM_NO_MEMORY;
	struct io_mem io_mem;
	uint64_t nth;

	for (nth = 1; status != MM_OK; nth++) {
		mm_fail_allocation(nth);
		status = io_mem_new(kvirt, REGISTERS, &io_mem);
		mm_fail_allocation(0);
		if (status == MM_OK)
			break;
		EXPECT_STATUS(status, MM_NO_MEMORY);
		expect_pages(&before);
	}
	EXPECT_TRUE(nth > 3);
	EXPECT_OK(io_mem_drop(&io_mem));
	expect_pages(&before);
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

#endif

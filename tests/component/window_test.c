/* SPDX-License-Identifier: BSD-3-Clause */
/* One page of physical memory, for a moment. */
#include "areas.h"
#include <strata/fault.h>
#include <strata/window.h>

static struct windows *make_windows(struct kvirt_space *kvirt)
{
	struct windows *windows = NULL;

	EXPECT_OK(windows_new(kvirt, &windows));
	return windows;
}

static void expect_alone(struct world *world, uint64_t address)
{
	expect_faults(world, address - 8);
	expect_faults(world, address + PAGE_SIZE);
}

TEST(window_shows_one_page_after_another)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct windows *windows = make_windows(kvirt);
	struct mm_usage before = mm_usage();
	struct iaddr first = iaddr(0), address;

	for (uint64_t i = 0; i < 4; i++) {
		frame_t frame = world_frame(world);

		EXPECT_OK(window_map(windows, frame.paddr, READ_WRITE, &address));
		if (i == 0)
			first = address;
		EXPECT_EQUAL(address.value, first.value);
		expect_reaches(world, address.value, frame.paddr);
		expect_alone(world, address.value);
		EXPECT_EQUAL(frame_reference_count(&frame), 1);
		EXPECT_OK(window_unmap(windows));
		expect_faults(world, address.value);
		frame_drop(&frame);
	}
	EXPECT_OK(window_map(windows, paddr(NO_MEMORY_BASE), DEVICE, &address));
	expect_reaches(world, address.value, paddr(NO_MEMORY_BASE));
	EXPECT_OK(window_unmap(windows));
	expect_pages(&before);
	EXPECT_OK(windows_destroy(windows));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

TEST(window_refuses_and_changes_nothing)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct windows *windows = make_windows(kvirt);
	const uint64_t limit = UINT64_C(1) << 48;
	frame_t frame = world_frame(world);
	struct iaddr address, untouched = iaddr(1);
	struct cursor cursor;

	EXPECT_STATUS(window_unmap(windows), MM_NOT_MAPPED);
	EXPECT_STATUS(window_map(windows, paddr(8), READ_WRITE, &untouched), MM_NOT_ALIGNED);
	EXPECT_STATUS(window_map(windows, paddr(limit), READ_WRITE, &untouched), MM_OUT_OF_BOUND);
	EXPECT_STATUS(window_map(windows, paddr(-PAGE_SIZE), READ_WRITE, &untouched),
		      MM_OUT_OF_BOUND);
	EXPECT_STATUS(window_map(windows, frame.paddr, page_property(PAGE_WRITE, CACHE_WRITEBACK),
				 &untouched),
		      MM_NOT_SUPPORTED);

	EXPECT_OK(window_map(windows, frame.paddr, READ_WRITE, &address));
	EXPECT_STATUS(window_map(windows, frame.paddr, READ_WRITE, &untouched), MM_EXISTS);
	open_at(world_el2_space(world), address.value, PAGE_SIZE, &cursor);
	EXPECT_STATUS(window_unmap(windows), MM_BUSY);
	EXPECT_STATUS(window_map(windows, frame.paddr, READ_WRITE, &untouched), MM_BUSY);
	EXPECT_STATUS(windows_destroy(windows), MM_BUSY);
	cursor_close(&cursor);
	expect_reaches(world, address.value, frame.paddr);
	EXPECT_EQUAL(untouched.value, 1);

	/* A window that is still mapped goes with the others. */
	EXPECT_OK(windows_destroy(windows));
	expect_faults(world, address.value);
	frame_drop(&frame);
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

TEST(windows_need_addresses_and_no_cursor_in_the_way)
{
	const uint64_t pages = (STRATA_MAX_CPUS + 1) * (MIB(2) >> PAGE_SHIFT) + 2;
	struct kvirt_space *kvirt = make_small_kvirt(world, pages - 1);
	struct windows *windows = NULL;
	struct kvirt_area *area;
	struct cursor cursor;

	EXPECT_STATUS(windows_new(kvirt, &windows), MM_OUT_OF_BOUND);
	EXPECT_OK(kvirt_space_destroy(kvirt));
	kvirt = make_small_kvirt(world, pages);
	area = make_area(kvirt, 1);
	EXPECT_STATUS(windows_new(kvirt, &windows), MM_NO_MEMORY);
	EXPECT_OK(kvirt_area_drop(area));
	open_at(world_el2_space(world), KVIRT_RANGE.start.value + MIB(4), PAGE_SIZE, &cursor);
	EXPECT_STATUS(windows_new(kvirt, &windows), MM_BUSY);
	cursor_close(&cursor);
	EXPECT_TRUE(windows == NULL);
	windows = make_windows(kvirt);
	EXPECT_OK(windows_destroy(windows));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

#if WORLD_SIMULATED

/* Each CPU has a window; all CPUs see it, and see it go. */
TEST(window_of_one_cpu_is_not_that_of_another)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct windows *windows = make_windows(kvirt);
	struct iaddr addresses[STRATA_MAX_CPUS];
	frame_t frames[STRATA_MAX_CPUS];

	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		machine_set_cpu(cpu);
		el2_stage1_load(world->el2.root, world->el2.geometry);
		frames[cpu] = world_frame(world);
		EXPECT_OK(window_map(windows, frames[cpu].paddr, READ_WRITE, &addresses[cpu]));
	}
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++)
		for (unsigned int from = 0; from < STRATA_MAX_CPUS; from++) {
			machine_set_cpu(from);
			expect_reaches(world, addresses[cpu].value, frames[cpu].paddr);
			expect_alone(world, addresses[cpu].value);
		}
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		machine_set_cpu(cpu);
		EXPECT_OK(window_unmap(windows));
		frame_drop(&frames[cpu]);
		for (unsigned int from = 0; from < STRATA_MAX_CPUS; from++) {
			machine_set_cpu(from);
			expect_faults(world, addresses[cpu].value);
		}
	}
	machine_set_cpu(0);
	EXPECT_OK(windows_destroy(windows));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

#endif

#if STRATA_CHECKED

TEST(windows_fail_without_memory_and_change_nothing)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct mm_usage before = mm_usage();
	enum mm_status status = MM_NO_MEMORY;
	frame_t frame = world_frame(world);
	struct windows *windows;
	struct iaddr address;
	uint64_t nth;

	before.pages[PAGE_FRAME]++;
	for (nth = 1; status != MM_OK; nth++) {
		mm_fail_allocation(nth);
		status = windows_new(kvirt, &windows);
		mm_fail_allocation(0);
		if (status == MM_OK)
			break;
		EXPECT_STATUS(status, MM_NO_MEMORY);
		expect_pages(&before);
	}
	EXPECT_TRUE(nth > STRATA_MAX_CPUS);

	/* From now on no memory is needed. */
	mm_fail_allocation(1);
	EXPECT_OK(window_map(windows, frame.paddr, READ_WRITE, &address));
	EXPECT_OK(window_unmap(windows));
	mm_fail_allocation(0);
	EXPECT_OK(windows_destroy(windows));
	expect_pages(&before);
	frame_drop(&frame);
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

#endif

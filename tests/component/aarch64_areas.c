/* SPDX-License-Identifier: BSD-3-Clause */
/* Areas, devices and windows of the table that EL2 runs on: real loads, stores and faults. */
#include "areas.h"
#include <aarch64/exception.h>
#include <strata/io_mem.h>
#include <strata/window.h>

#define PATTERN UINT64_C(0x123456789abcdef0)

/* The first PL011 of QEMU's virt boards, and what the first of its four peripheral identification
 * registers holds (Arm DDI 0183, "UARTPeriphID0"). */
#define PL011_BASE UINT64_C(0x09000000)
#define PL011_PERIPHERAL_ID0 0xfe0
#define PL011_PART_NUMBER 0x11

static bool loads(uint64_t ia)
{
	uint64_t value;

	return probe_read((const void *)(uintptr_t)ia, &value);
}

static volatile uint64_t *at(uint64_t ia)
{
	return (volatile uint64_t *)(uintptr_t)ia;
}

TEST(el2_uses_an_area_and_faults_beside_it)
{
	enum { PAGES = 3 };
	struct kvirt_space *kvirt = make_kvirt(world);
	struct kvirt_area *area = make_area(kvirt, PAGES);
	uint64_t start = kvirt_area_range(area).start.value;
	uint64_t end = kvirt_area_range(area).end.value;
	frame_t frames[PAGES];
	struct paddr pages[PAGES];

	for (size_t i = PAGES; i > 0; i--) {
		frames[i - 1] = world_frame(world);
		pages[i - 1] = frames[i - 1].paddr;
	}
	EXPECT_FALSE(loads(start));
	EXPECT_OK(kvirt_area_map_frames(area, 0, frames, PAGES, READ_WRITE));
	for (uint64_t i = 0; i < PAGES; i++) {
		*at(start + i * PAGE_SIZE) = PATTERN + i;
		EXPECT_EQUAL(world_read(pages[i]), PATTERN + i);
		world_write(paddr(pages[i].value + PAGE_SIZE - 8), PATTERN - i);
		EXPECT_EQUAL(*at(start + (i + 1) * PAGE_SIZE - 8), PATTERN - i);
	}
	EXPECT_FALSE(loads(start - 8));
	EXPECT_FALSE(loads(start - PAGE_SIZE));
	EXPECT_FALSE(loads(end));
	EXPECT_FALSE(loads(end + PAGE_SIZE - 8));

	EXPECT_OK(kvirt_area_unmap(area, PAGE_SIZE, PAGE_SIZE, NULL));
	EXPECT_TRUE(loads(start));
	EXPECT_FALSE(loads(start + PAGE_SIZE));
	EXPECT_TRUE(loads(start + 2 * PAGE_SIZE));
	EXPECT_OK(kvirt_area_drop(area));
	for (uint64_t ia = start; ia < end; ia += PAGE_SIZE)
		EXPECT_FALSE(loads(ia));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

TEST(el2_reads_a_device_through_io_mem)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct io_mem uart;
	uint64_t address;

	EXPECT_OK(
		io_mem_new(kvirt, prange(paddr(PL011_BASE), paddr(PL011_BASE + PAGE_SIZE)), &uart));
	address = io_mem_address(&uart).value;
	EXPECT_EQUAL(*(volatile uint32_t *)(uintptr_t)(address + PL011_PERIPHERAL_ID0),
		     PL011_PART_NUMBER);
	EXPECT_OK(io_mem_drop(&uart));
	EXPECT_FALSE(loads(address));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

TEST(el2_sees_a_window_change)
{
	struct kvirt_space *kvirt = make_kvirt(world);
	struct windows *windows = NULL;
	struct iaddr address;

	EXPECT_OK(windows_new(kvirt, &windows));
	for (uint64_t i = 0; i < 8; i++) {
		frame_t frame = world_frame(world);

		world_write(frame.paddr, PATTERN + i);
		EXPECT_OK(window_map(windows, frame.paddr, READ_WRITE, &address));
		EXPECT_EQUAL(*at(address.value), PATTERN + i);
		*at(address.value + 8) = i;
		EXPECT_EQUAL(world_read(paddr(frame.paddr.value + 8)), i);
		EXPECT_FALSE(loads(address.value - 8));
		EXPECT_FALSE(loads(address.value + PAGE_SIZE));
		EXPECT_OK(window_unmap(windows));
		EXPECT_FALSE(loads(address.value));
		frame_drop(&frame);
	}
	EXPECT_OK(windows_destroy(windows));
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Mapping of devices: addresses that nobody counts. */
#include "mapping.h"
#include <arch/features.h>

TEST(map_iomem_checks_what_it_is_given)
{
	const struct {
		struct prange output;
		enum mm_status status;
	} cases[] = {
		{ { paddr(NO_MEMORY_BASE + 8), paddr(NO_MEMORY_BASE + PAGE_SIZE) },
		  MM_NOT_ALIGNED },
		{ { paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + 8) }, MM_NOT_ALIGNED },
		{ { paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE) }, MM_INVALID_ARGS },
		{ { paddr(NO_MEMORY_BASE + PAGE_SIZE), paddr(NO_MEMORY_BASE) }, MM_INVALID_ARGS },
		{ { paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + 3 * PAGE_SIZE) },
		  MM_OUT_OF_BOUND },
		{ { paddr(NO_MEMORY_BASE), paddr(NO_MEMORY_BASE + 2 * PAGE_SIZE) }, MM_OK },
	};
	struct vm_space space;

	world_space(world, &space);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cursor cursor;

		open_at(&space, 0, 2 * PAGE_SIZE, &cursor);
		EXPECT_STATUS(cursor_map_iomem(&cursor, cases[i].output, DEVICE), cases[i].status);
		cursor_close(&cursor);
		EXPECT_EQUAL(item_at(&space, 0).mapped, cases[i].status == MM_OK);
	}
	EXPECT_OK(vm_space_destroy(&space));
}

/* Where the CPU has no physical addresses nothing can be mapped; nor where something is. */
TEST(map_iomem_refuses_addresses_that_do_not_exist)
{
	uint64_t end = UINT64_C(1) << arch_features()->pa_bits;
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	open_at(&space, 0, GIB(1), &cursor);
	EXPECT_STATUS(cursor_map_iomem(&cursor, prange(paddr(end), paddr(end + PAGE_SIZE)), DEVICE),
		      MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_map_iomem(&cursor,
				       prange(paddr(end - PAGE_SIZE), paddr(end + PAGE_SIZE)),
				       DEVICE),
		      MM_OUT_OF_BOUND);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, 0);
	EXPECT_OK(cursor_map_iomem(&cursor, prange(paddr(end - PAGE_SIZE), paddr(end)), DEVICE));
	EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
	EXPECT_STATUS(cursor_map_iomem(&cursor, prange(paddr(end - PAGE_SIZE), paddr(end)), DEVICE),
		      MM_EXISTS);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Memory reaches a guest by counted references alone: free, given out or a table, it is refused. */
TEST(map_iomem_keeps_memory_from_guests)
{
	struct vm_space space;
	frame_t frame = world_frame(world);
	frame_t freed = world_frame(world);
	struct paddr unused = freed.paddr;

	frame_drop(&freed);
	world_space(world, &space);

	const struct paddr pages[] = { frame.paddr, unused, space.root };

	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		struct cursor cursor;

		open_at(&space, 0, 3 * PAGE_SIZE, &cursor);
		EXPECT_STATUS(cursor_map_iomem(&cursor, page_range(pages[i]), DEVICE),
			      MM_ACCESS_DENIED);
		cursor_close(&cursor);
		expect_hole(&space, 0);
	}
	frame_drop(&frame);
	EXPECT_OK(vm_space_destroy(&space));
}

/* EL2 may map any memory without counting it: its own linear map. */
TEST(map_iomem_maps_memory_for_el2)
{
	struct vm_space *space = world_el2_space(world);
	uint64_t window = world_el2_window(world).start.value;
	frame_t frame = world_frame(world);

	map_iomem_at(space, window, frame.paddr.value, PAGE_SIZE, READ_WRITE);
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	EXPECT_FALSE(item_at(space, window).counted);
	expect_mapped(space, window, frame.paddr.value, PAGE_SIZE, READ_WRITE);
	expect_mmu_agrees(world, space, window, 2 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_EQUAL(unmap_at(space, window, PAGE_SIZE), 1);
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	frame_drop(&frame);
}

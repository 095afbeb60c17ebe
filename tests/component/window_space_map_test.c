/* SPDX-License-Identifier: BSD-3-Clause */
/* Spaces in EL2's window: what can be mapped there, by whom, and what a change of it invalidates. */
#include "window_spaces.h"
#include <arch/counters.h>
#include <strata/ownership.h>
#include <strata/statistics.h>

/* As in a guest's space: 512 pages in a row are a block again, and EL2 loads from it. */
TEST(window_space_merges_what_became_one_block)
{
	struct segment segment = world_segment(world, 512, MIB(2));
	struct irange block = irange(iaddr(PLACE), iaddr(PLACE + MIB(2)));
	struct mm_statistics before = mm_statistics();
	struct vm_space space;
	struct cursor cursor;
	struct cursor_item item;
	uint64_t tables;

	(void)world_el2_space(world);
	tables = world_pages(PAGE_TABLE);
	world_write(paddr(segment.end.value - PAGE_SIZE), 77);
	make_window(world, &space);
	EXPECT_OK(vm_space_activate(&space));
	EXPECT_OK(cursor_open(&space, block, CURSOR_MUTABLE, &cursor));
	for (int page = 0; page < 511; page++) {
		struct segment rest;

		EXPECT_OK(segment_split(&segment, PAGE_SIZE, &rest));
		EXPECT_OK(cursor_map_segment(&cursor, &segment, READ_WRITE));
		segment = rest;
	}
	EXPECT_OK(cursor_map_segment(&cursor, &segment, READ_WRITE));
	cursor_close(&cursor);
	EXPECT_EQUAL(mm_statistics().tables_merged, before.tables_merged + 1);
	EXPECT_EQUAL(load(block.end.value - PAGE_SIZE), 77);

	EXPECT_OK(cursor_open(&space, block, CURSOR_READ_ONLY, &cursor));
	EXPECT_OK(cursor_peek(&cursor, &item));
	EXPECT_EQUAL(irange_size(item.range), MIB(2));
	cursor_close(&cursor);
	vm_space_deactivate_window();
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
}

TEST(window_space_refuses_what_is_not_its_own)
{
	struct vm_space space, other, *el2 = world_el2_space(world);
	const struct irange bad[] = {
		span(0, PAGE_SIZE),
		span(WINDOW_START - PAGE_SIZE, 2 * PAGE_SIZE),
		span(WINDOW_END - PAGE_SIZE, 2 * PAGE_SIZE),
		span(0, WINDOW_END),
	};
	struct kvirt_space *kvirt;
	struct cursor cursor;
	frame_t frame = world_frame(world);

	make_window(world, &space);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		EXPECT_STATUS(cursor_open(&space, bad[i], CURSOR_MUTABLE, &cursor),
			      MM_OUT_OF_BOUND);
	EXPECT_STATUS(cursor_open(el2, span(WINDOW_START, PAGE_SIZE), CURSOR_MUTABLE, &cursor),
		      MM_OUT_OF_BOUND);
	EXPECT_STATUS(kvirt_space_new(&space, span(PLACE, MIB(2)), &kvirt), MM_INVALID_ARGS);
	EXPECT_STATUS(vm_space_activate(el2), MM_INVALID_ARGS);

	/* A page that the window would have, and nobody count. */
	open_at(&space, PLACE, PAGE_SIZE, &cursor);
	EXPECT_STATUS(cursor_map_iomem(&cursor, page_range(frame.paddr), READ_WRITE),
		      MM_ACCESS_DENIED);
	cursor_close(&cursor);
	frame_drop(&frame);

	/* Not above a window space, a guest's, a table without window, one that EL2 does not run on. */
	EXPECT_STATUS(vm_space_new_window(&space, &other), MM_NOT_SUPPORTED);
	EXPECT_OK(vm_space_destroy(&space));
	world_space(world, &space);
	EXPECT_STATUS(vm_space_new_window(&space, &other), MM_NOT_SUPPORTED);
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_OK(vm_space_new_stage1(48, &space));
	EXPECT_STATUS(vm_space_new_window(&space, &other), MM_NOT_SUPPORTED);
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_OK(vm_space_new_el2(&space));
	EXPECT_STATUS(vm_space_new_window(&space, &other), MM_NOT_SUPPORTED);
	EXPECT_OK(vm_space_destroy(&space));
}

static void expect_map(struct vm_space *space, uint64_t ia, struct segment *segment,
		       enum mm_status status)
{
	struct cursor cursor;

	open_at(space, ia, PAGE_SIZE, &cursor);
	EXPECT_STATUS(cursor_map_segment(&cursor, segment, READ_WRITE), status);
	cursor_close(&cursor);
}

/* What it mapped first is its own until it is destroyed; what is a guest's it has by a sharing. */
TEST(window_space_maps_what_the_owner_permits)
{
	struct segment own = world_segment(world, 1, PAGE_SIZE), held;
	struct segment lent = world_segment(world, 1, PAGE_SIZE);
	struct vm_space space, guest;
	const struct vm_space *member = &space;
	struct sharing *sharing;

	make_window(world, &space);
	world_space(world, &guest);
	EXPECT_OK(segment_clone(&own, &held));
	expect_map(&space, PLACE, &own, MM_OK);
	EXPECT_TRUE(page_owner(held.start).space == &space);
	unmap_at(&space, PLACE, PAGE_SIZE);
	expect_map(&guest, 0, &held, MM_ACCESS_DENIED);

	EXPECT_OK(ownership_donate(&lent, NULL, &guest, FRAME_UNDEFINED));
	expect_map(&space, PLACE, &lent, MM_ACCESS_DENIED);
	EXPECT_OK(sharing_new(&guest, &member, 1, &sharing));
	EXPECT_OK(ownership_lend(&lent, sharing));
	expect_map(&space, PLACE, &lent, MM_OK);
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_EQUAL(page_owner(held.start).kind, OWNER_HYPERVISOR);
	expect_map(&guest, 0, &held, MM_OK);
	EXPECT_OK(sharing_destroy(sharing));
	EXPECT_OK(vm_space_destroy(&guest));
}

/* A flush invalidates where something may be cached: where the space is active. */
TEST(window_space_flush_invalidates_what_may_be_cached)
{
	struct vm_space space;
	struct arch_counters before, after;

	make_window(world, &space);
	for (unsigned int active = 0; active < 2; active++) {
		map_value(world, &space, PLACE, 1);
		if (active == 1)
			EXPECT_OK(vm_space_activate(&space));
		before = arch_counters_read();
		unmap_at(&space, PLACE, PAGE_SIZE);
		after = arch_counters_read();
		EXPECT_EQUAL(after.tlbi_address > before.tlbi_address, active == 1);
		EXPECT_EQUAL(after.tlbi_all, before.tlbi_all);
	}

	/* Leaving costs one invalidation, on this CPU; staying, and coming from none, nothing. */
	before = arch_counters_read();
	EXPECT_OK(vm_space_activate(&space));
	EXPECT_EQUAL(arch_counters_read().tlbi_all, before.tlbi_all);
	vm_space_deactivate_window();
	EXPECT_EQUAL(arch_counters_read().tlbi_all, before.tlbi_all + 1);
	EXPECT_OK(vm_space_activate(&space));
	EXPECT_EQUAL(arch_counters_read().tlbi_all, before.tlbi_all + 1);
	vm_space_deactivate_window();
	EXPECT_OK(vm_space_destroy(&space));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* No stale translation: every change, seen through a TLB that keeps whatever it may. */
#include "two_cpus.h"

static const uint64_t around_a_block[] = {
	MIB(2) - PAGE_SIZE, MIB(2), MIB(2) + PAGE_SIZE, MIB(3),
	MIB(4) - PAGE_SIZE, MIB(4), MIB(4) + PAGE_SIZE, MIB(6),
};

static void do_unmap_page(struct world *world, struct vm_space *space)
{
	(void)world;
	unmap_at(space, MIB(3), PAGE_SIZE);
}

static void do_unmap_edges(struct world *world, struct vm_space *space)
{
	(void)world;
	unmap_at(space, MIB(2) - PAGE_SIZE, 2 * PAGE_SIZE);
	unmap_at(space, MIB(4) - PAGE_SIZE, 2 * PAGE_SIZE);
}

static void do_unmap_all(struct world *world, struct vm_space *space)
{
	(void)world;
	unmap_at(space, 0, GIB(1));
}

static void do_unmap_and_map_again(struct world *world, struct vm_space *space)
{
	struct cursor cursor;
	struct segment segment = world_segment(world, 512, PAGE_SIZE);

	/* Without a flush between, on one cursor. */
	open_at(space, 0, MIB(8), &cursor);
	EXPECT_OK(cursor_unmap(&cursor, MIB(8), NULL));
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(2) + PAGE_SIZE)));
	EXPECT_OK(cursor_map_segment(&cursor, &segment, READ_EXECUTE));
	cursor_close(&cursor);
}

static void do_pages_then_block(struct world *world, struct vm_space *space)
{
	struct cursor cursor;
	struct segment segment = world_segment(world, 512, MIB(2));

	open_at(space, MIB(4), MIB(2), &cursor);
	EXPECT_OK(cursor_unmap(&cursor, MIB(2), NULL));
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(4))));
	EXPECT_OK(cursor_map_segment(&cursor, &segment, READ_WRITE));
	cursor_close(&cursor);
	expect_mapped(space, MIB(4), item_at(space, MIB(4)).output.value, MIB(2), READ_WRITE);
}

static void do_replace(struct world *world, struct vm_space *space)
{
	struct cursor cursor;

	open_at(space, MIB(2), MIB(2), &cursor);
	for (uint64_t ia = MIB(2); ia < MIB(4); ia += MIB(1)) {
		frame_t frame = world_frame(world);

		EXPECT_OK(cursor_jump(&cursor, iaddr(ia)));
		EXPECT_OK(cursor_replace(&cursor, &frame, READ_WRITE));
	}
	cursor_close(&cursor);
}

static void do_protect(struct world *world, struct vm_space *space)
{
	(void)world;
	protect_at(space, MIB(2) - PAGE_SIZE, MIB(1), READ_ONLY);
	protect_at(space, MIB(4), MIB(1), page_property(PAGE_READ, CACHE_WRITEBACK));
}

static void do_split_and_merge(struct world *world, struct vm_space *space)
{
	(void)world;
	protect_at(space, MIB(3), PAGE_SIZE, READ_ONLY);
	EXPECT_EQUAL(irange_size(item_at(space, MIB(2)).range), PAGE_SIZE);
	protect_at(space, MIB(3), PAGE_SIZE, READ_WRITE);
	EXPECT_EQUAL(irange_size(item_at(space, MIB(2)).range), MIB(2));
}

static void do_change_memory_type(struct world *world, struct vm_space *space)
{
	(void)world;
	protect_at(space, MIB(3), PAGE_SIZE,
		   page_property(PAGE_READ | PAGE_ACCESSED, CACHE_UNCACHED));
	protect_at(space, MIB(4), MIB(2),
		   page_property(PAGE_READ | PAGE_ACCESSED, CACHE_WRITETHROUGH));
}

static void do_unmap_and_fill_pages(struct world *world, struct vm_space *space)
{
	unmap_at(space, MIB(2), MIB(2));
	for (uint64_t ia = MIB(2); ia < MIB(2) + 8 * PAGE_SIZE; ia += PAGE_SIZE)
		map_frame_at(world, space, ia, READ_WRITE);
}

static const struct {
	const char *name;
	void (*run)(struct world *world, struct vm_space *space);
} changes[] = {
	{ "unmap a page of a block", do_unmap_page },
	{ "unmap across edges", do_unmap_edges },
	{ "unmap all", do_unmap_all },
	{ "unmap and map again", do_unmap_and_map_again },
	{ "pages, then a block", do_pages_then_block },
	{ "replace", do_replace },
	{ "protect", do_protect },
	{ "split and merge", do_split_and_merge },
	{ "change the memory type", do_change_memory_type },
	{ "a block, then pages", do_unmap_and_fill_pages },
};

/* A block at 2 MiB, pages before and behind it. */
static void fill(struct world *world, struct vm_space *space)
{
	map_frame_at(world, space, MIB(2) - PAGE_SIZE, READ_WRITE);
	map_segment_at(world, space, MIB(2), 512, MIB(2), READ_WRITE);
	map_segment_at(world, space, MIB(4), 300, PAGE_SIZE, READ_WRITE);
}

static void run_changes(struct world *world)
{
	for (unsigned int variant = 0; variant < 4; variant++)
		for (size_t i = 0; i < COUNT_OF(changes); i++) {
			struct world_config config = world_default_config();
			struct vm_space space;

			config.machine.features = features_of(variant);
			world_restart(world, &config);
			world_space(world, &space);
			fill(world, &space);
			watch_on_two_cpus(&space, around_a_block, COUNT_OF(around_a_block));
			expect_no_stale(&space, around_a_block, COUNT_OF(around_a_block));
			changes[i].run(world, &space);
			expect_no_stale(&space, around_a_block, COUNT_OF(around_a_block));
			if (machine_violations_total() != 0)
				FAIL("a rule was broken by: %s", changes[i].name);
			end_watch();
			EXPECT_OK(vm_space_destroy(&space));
			EXPECT_EQUAL(world_pages(PAGE_FRAME), 0);
			EXPECT_EQUAL(world_pages(PAGE_TABLE), 0);
		}
}

TEST(no_change_leaves_a_stale_translation)
{
	run_changes(world);
}

/* A space that is not active while it changes is invalidated all the same, and what was active is
 * active afterwards. */
TEST(changes_to_an_inactive_space_leave_nothing_stale)
{
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		struct vm_space space, other;

		world_space(world, &space);
		world_space(world, &other);
		fill(world, &space);
		EXPECT_OK(vm_space_activate(&space));
		expect_no_stale(&space, around_a_block, 0);
		for (size_t j = 0; j < COUNT_OF(around_a_block); j++)
			(void)guest_page(around_a_block[j], MACHINE_READ);
		if (i % 2 == 0)
			EXPECT_OK(vm_space_activate(&other));
		else
			vm_space_deactivate();
		changes[i].run(world, &space);
		if (i % 2 == 0)
			EXPECT_EQUAL(stage2_active()->root.value, other.root.value);
		else
			EXPECT_TRUE(stage2_active() == NULL);
		EXPECT_OK(vm_space_activate(&space));
		for (size_t j = 0; j < COUNT_OF(around_a_block); j++) {
			struct cursor_item item = item_at(&space, around_a_block[j]);
			bool may = item.mapped && (item.property.flags & PAGE_READ) != 0 &&
				   (item.property.flags & PAGE_ACCESSED) != 0;

			EXPECT_EQUAL(guest_page(around_a_block[j], MACHINE_READ),
				     may ? item.output.value +
						     (around_a_block[j] - item.range.start.value)
					 : 0);
		}
		vm_space_deactivate();
		EXPECT_OK(vm_space_destroy(&space));
		EXPECT_OK(vm_space_destroy(&other));
	}
}

/* EL2's own table, watched while it changes. */
TEST(no_change_to_el2_leaves_a_stale_translation)
{
	struct vm_space *space = world_el2_space(world);
	uint64_t window = world_el2_window(world).start.value;

	for (uint64_t ia = window; ia < window + MIB(6); ia += MIB(1) - 8 * PAGE_SIZE)
		machine_watch_el2(iaddr(ia & ~(PAGE_SIZE - 1)));
	for (unsigned int round = 0; round < 3; round++) {
		map_segment_at(world, space, window, 512, MIB(2), READ_WRITE);
		map_segment_at(world, space, window + MIB(2), 700, PAGE_SIZE, READ_ONLY);
		expect_mmu_agrees(world, space, window, MIB(6), KIB(16));
		protect_at(space, window + KIB(512), MIB(2), READ_EXECUTE);
		expect_mmu_agrees(world, space, window, MIB(6), KIB(16));
		protect_at(space, window + MIB(1), PAGE_SIZE, DEVICE);
		expect_mmu_agrees(world, space, window, MIB(2), PAGE_SIZE);
		unmap_at(space, window + MIB(1), MIB(2));
		expect_mmu_agrees(world, space, window, MIB(6), KIB(16));
		unmap_at(space, window, MIB(6));
		expect_mmu_agrees(world, space, window, MIB(6), KIB(16));
	}
	machine_watch_nothing();
}

/* A guest's own Stage 1: what both stages made together is stale too, and goes. */
TEST(combined_entries_do_not_go_stale)
{
	struct machine_guest_stage1 stage1 = { iaddr(0), 39, 0xff };
	struct vm_space space;

	world_space(world, &space);

	/* The guest's tables are in its own pages 0 to 2; its address 1 GiB leads to IPA 16 MiB. */
	struct paddr tables = map_segment_at(world, &space, 0, 3, PAGE_SIZE, READ_WRITE);
	struct paddr page = map_frame_at(world, &space, MIB(16), READ_WRITE);

	world_write(paddr(tables.value + 8), PAGE_SIZE | 3);
	world_write(paddr(tables.value + PAGE_SIZE), 2 * PAGE_SIZE | 3);
	world_write(paddr(tables.value + 2 * PAGE_SIZE), MIB(16) | 0x703);
	EXPECT_OK(vm_space_activate(&space));
	machine_guest_stage1_load(&stage1);
	machine_watch_guest(iaddr(GIB(1)));
	EXPECT_EQUAL(guest_page(GIB(1), MACHINE_WRITE), page.value);

	protect_at(&space, MIB(16), PAGE_SIZE, READ_ONLY);
	EXPECT_EQUAL(guest_page(GIB(1), MACHINE_WRITE), 0);
	EXPECT_EQUAL(guest_page(GIB(1), MACHINE_READ), page.value);
	unmap_at(&space, MIB(16), PAGE_SIZE);
	EXPECT_EQUAL(guest_page(GIB(1), MACHINE_READ), 0);
	page = map_frame_at(world, &space, MIB(16), READ_WRITE);
	EXPECT_EQUAL(guest_page(GIB(1), MACHINE_WRITE), page.value);

	/* The tables themselves are taken away. */
	unmap_at(&space, 0, MIB(2));
	EXPECT_EQUAL(guest_page(GIB(1), MACHINE_READ), 0);
	machine_watch_nothing();
	machine_guest_stage1_load(NULL);
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

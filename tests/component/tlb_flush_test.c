/* SPDX-License-Identifier: BSD-3-Clause */
/* How much is invalidated, and in which order. */
#include "two_cpus.h"
#include <arch/counters.h>
#include <arch/observe.h>

static struct arch_counters issued_since(struct arch_counters before)
{
	struct arch_counters now = arch_counters_read();

	now.tlbi_address -= before.tlbi_address;
	now.tlbi_range -= before.tlbi_range;
	now.tlbi_vmid -= before.tlbi_vmid;
	now.tlbi_all -= before.tlbi_all;
	now.dsb -= before.dsb;
	return now;
}

/* Mapping where nothing was invalidates nothing. */
TEST(map_issues_no_tlbi)
{
	struct arch_counters before = arch_counters_read();
	struct vm_space space;

	world_space(world, &space);
	EXPECT_OK(vm_space_activate(&space));
	map_segment_at(world, &space, MIB(2), 700, MIB(2), READ_WRITE);
	map_frame_at(world, &space, 0, READ_WRITE);

	struct arch_counters issued = issued_since(before);

	EXPECT_EQUAL(issued.tlbi_address + issued.tlbi_range + issued.tlbi_vmid + issued.tlbi_all,
		     0);
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

/* A page costs one invalidation by IPA and one of what Stage 1 made of it. */
TEST(unmap_of_a_page_issues_one_tlbi_for_each_stage)
{
	struct vm_space space;

	world_space(world, &space);
	EXPECT_OK(vm_space_activate(&space));
	map_frame_at(world, &space, 0, READ_WRITE);
	map_frame_at(world, &space, PAGE_SIZE, READ_WRITE);

	struct arch_counters before = arch_counters_read();

	EXPECT_EQUAL(unmap_at(&space, 0, PAGE_SIZE), 1);

	struct arch_counters issued = issued_since(before);

	EXPECT_EQUAL(issued.tlbi_address, 1);
	EXPECT_EQUAL(issued.tlbi_range, 0);
	EXPECT_EQUAL(issued.tlbi_vmid, 1);
	EXPECT_EQUAL(issued.tlbi_all, 0);
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

/* Neighbours are one range; a CPU without range instructions takes them one by one. */
TEST(unmap_of_neighbours_issues_one_range)
{
	for (unsigned int variant = 0; variant < 4; variant++) {
		struct world_config config = world_default_config();
		struct arch_counters before, issued;
		struct vm_space space;

		config.machine.features = features_of(variant);
		world_restart(world, &config);
		world_space(world, &space);
		EXPECT_OK(vm_space_activate(&space));
		map_segment_at(world, &space, 0, 33, PAGE_SIZE, READ_WRITE);
		before = arch_counters_read();
		EXPECT_EQUAL(unmap_at(&space, PAGE_SIZE, 16 * PAGE_SIZE), 16);
		issued = issued_since(before);
		EXPECT_EQUAL(issued.tlbi_range, config.machine.features.tlb_range ? 1 : 0);
		EXPECT_EQUAL(issued.tlbi_address, config.machine.features.tlb_range ? 0 : 16);
		EXPECT_EQUAL(issued.tlbi_vmid, 1);
		vm_space_deactivate();
		EXPECT_OK(vm_space_destroy(&space));
	}
}

/* Pages that are no neighbours are invalidated each by itself, in whatever order they went; when
 * there are too many for that, all of the VMID at once. What lies
 * between them stays mapped. */
TEST(unmap_of_scattered_pages_issues_one_tlbi_each)
{
	static const struct {
		unsigned int pages;
		bool descending;
		unsigned int by_address, by_vmid;
	} cases[] = {
		{ 2, false, 2, 1 }, { 2, true, 2, 1 },	 { 8, false, 8, 1 },
		{ 8, true, 8, 1 },  { 20, false, 0, 1 }, { 20, true, 0, 1 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arch_counters before, issued;
		struct vm_space space;
		struct cursor cursor;
		uint64_t end = 2 * cases[i].pages * PAGE_SIZE;

		world_space(world, &space);
		EXPECT_OK(vm_space_activate(&space));
		map_segment_at(world, &space, 0, 100, PAGE_SIZE, READ_WRITE);
		for (uint64_t ia = 0; ia < end; ia += PAGE_SIZE)
			EXPECT_TRUE(guest_page(ia, MACHINE_WRITE) != 0);
		before = arch_counters_read();
		open_at(&space, 0, MIB(2), &cursor);
		for (uint64_t n = 0; n < cases[i].pages; n++) {
			uint64_t ia =
				2 * PAGE_SIZE * (cases[i].descending ? cases[i].pages - 1 - n : n);

			EXPECT_OK(cursor_jump(&cursor, iaddr(ia)));
			EXPECT_OK(cursor_unmap(&cursor, PAGE_SIZE, NULL));
		}
		cursor_close(&cursor);
		issued = issued_since(before);
		EXPECT_EQUAL(issued.tlbi_address, cases[i].by_address);
		EXPECT_EQUAL(issued.tlbi_range, 0);
		EXPECT_EQUAL(issued.tlbi_vmid, cases[i].by_vmid);
		for (uint64_t ia = 0; ia < end; ia += PAGE_SIZE)
			EXPECT_EQUAL(guest_page(ia, MACHINE_WRITE) != 0, ia / PAGE_SIZE % 2);
		vm_space_deactivate();
		EXPECT_OK(vm_space_destroy(&space));
	}
}

/* A space that no CPU has run has nothing to invalidate. */
TEST(unmap_in_a_space_that_never_ran_issues_no_tlbi)
{
	struct vm_space space;
	struct arch_counters before = arch_counters_read();

	world_space(world, &space);
	map_segment_at(world, &space, 0, 1024, PAGE_SIZE, READ_WRITE);
	unmap_at(&space, 0, MIB(4));
	EXPECT_OK(vm_space_destroy(&space));

	struct arch_counters issued = issued_since(before);

	EXPECT_EQUAL(issued.tlbi_address + issued.tlbi_range + issued.tlbi_vmid + issued.tlbi_all,
		     0);
}

/* 1 GiB of pages, 262,144 of them, costs a handful; on every kind of CPU. */
TEST(unmap_of_1_gib_issues_a_handful)
{
	for (unsigned int variant = 0; variant < 4; variant++) {
		struct world_config config = world_default_config();
		struct vm_space space;

		config.machine.memory[0] = prange(paddr(GIB(1)), paddr(GIB(4)));
		config.machine.memory_count = 1;
		config.reservation_count = 0;
		config.machine.features = features_of(variant);
		world_restart(world, &config);
		world_space(world, &space);
		EXPECT_OK(vm_space_activate(&space));
		/* One page off: no blocks. */
		map_iomem_at(&space, GIB(4), NO_MEMORY_BASE + PAGE_SIZE, GIB(1), DEVICE);
		EXPECT_EQUAL(irange_size(item_at(&space, GIB(4) + MIB(100)).range), PAGE_SIZE);

		struct arch_counters before = arch_counters_read();

		EXPECT_EQUAL(unmap_at(&space, GIB(4), GIB(1)), 262144);

		struct arch_counters issued = issued_since(before);

		EXPECT_TRUE(issued.tlbi_address + issued.tlbi_range + issued.tlbi_vmid +
				    issued.tlbi_all <=
			    4);
		EXPECT_TRUE(issued.tlbi_vmid >= 1);
		vm_space_deactivate();
		EXPECT_OK(vm_space_destroy(&space));
	}
}

#if STRATA_CHECKED

static enum observe_kind seen[64];
static size_t seen_count;
static struct paddr watched_page;
static bool page_went_early;

static void note(const struct observe_event *event)
{
	struct page_state state;

	if (event->kind == OBSERVE_LOCK || event->kind == OBSERVE_UNLOCK)
		return;
	if (seen_count < COUNT_OF(seen))
		seen[seen_count++] = event->kind;
	if (page_state(watched_page, &state) != MM_OK || state.references == 0)
		page_went_early = true;
}

static struct observer watcher = { .see = note };

/* Store, DSB, TLBI by IPA, DSB, TLBI of Stage 1, DSB, ISB: and the page is held until all is done. */
TEST(flush_follows_the_order_and_holds_the_page)
{
	static const enum observe_kind expected[] = {
		OBSERVE_DESCRIPTOR_WRITE,
		OBSERVE_DSB_ISHST,
		OBSERVE_TLBI_IPA_ADDRESS,
		OBSERVE_DSB_ISH,
		OBSERVE_TLBI_VMID_STAGE1,
		OBSERVE_DSB_ISH,
		OBSERVE_ISB,
		OBSERVE_PAGES_RELEASE,
	};
	struct vm_space space;

	world_space(world, &space);
	EXPECT_OK(vm_space_activate(&space));
	watched_page = map_frame_at(world, &space, 0, READ_WRITE);
	map_frame_at(world, &space, PAGE_SIZE, READ_WRITE);
	seen_count = 0;
	page_went_early = false;
	observe_attach(&watcher);
	unmap_at(&space, 0, PAGE_SIZE);
	observe_detach(&watcher);
	EXPECT_EQUAL(seen_count, COUNT_OF(expected));
	for (size_t i = 0; i < COUNT_OF(expected); i++)
		EXPECT_EQUAL(seen[i], expected[i]);
	EXPECT_FALSE(page_went_early);
	EXPECT_EQUAL(references_of(watched_page), 0);
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

/* Break, flush, make: between the invalid and the new descriptor lies the whole invalidation. */
TEST(replace_breaks_before_it_makes)
{
	struct vm_space space;
	struct cursor cursor;
	frame_t frame = world_frame(world);
	size_t writes[2] = { 0, 0 };
	size_t count = 0;
	size_t barriers = 0;

	world_space(world, &space);
	EXPECT_OK(vm_space_activate(&space));
	watched_page = map_frame_at(world, &space, 0, READ_WRITE);
	open_at(&space, 0, PAGE_SIZE, &cursor);
	seen_count = 0;
	observe_attach(&watcher);
	EXPECT_OK(cursor_replace(&cursor, &frame, READ_WRITE));
	observe_detach(&watcher);
	cursor_close(&cursor);
	for (size_t i = 0; i < seen_count; i++) {
		if (seen[i] == OBSERVE_DESCRIPTOR_WRITE) {
			EXPECT_TRUE(count < 2);
			writes[count++] = i;
		}
		if (seen[i] == OBSERVE_DSB_ISH && count == 1)
			barriers++;
	}
	EXPECT_EQUAL(count, 2);
	EXPECT_EQUAL(writes[0], 0);
	EXPECT_EQUAL(barriers, 2);
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

static int8_t levels_made[8], levels_freed[8];
static size_t made_count, freed_count;

static void note_tables(const struct observe_event *event)
{
	if (event->kind == OBSERVE_TABLE_ALLOC && made_count < COUNT_OF(levels_made))
		levels_made[made_count++] = event->level;
	if (event->kind == OBSERVE_TABLE_FREE && freed_count < COUNT_OF(levels_freed))
		levels_freed[freed_count++] = event->level;
}

static struct observer table_watcher = { .see = note_tables };

/* Tables are freed at the level they had, each that was made. */
TEST(tables_are_seen_when_they_come_and_go)
{
	struct vm_space space;
	size_t of_level[4] = { 0, 0, 0, 0 };

	world_space(world, &space);
	made_count = freed_count = 0;
	observe_attach(&table_watcher);
	map_frame_at(world, &space, MIB(2), READ_WRITE);
	unmap_at(&space, MIB(2), PAGE_SIZE);
	observe_detach(&table_watcher);
	EXPECT_EQUAL(made_count, 2);
	EXPECT_EQUAL(freed_count, 2);
	for (size_t i = 0; i < freed_count; i++)
		of_level[levels_freed[i] & 3]++;
	EXPECT_EQUAL(of_level[3], 1);
	EXPECT_EQUAL(of_level[2], 1);
	EXPECT_OK(vm_space_destroy(&space));
}

static struct observe_event by_address[8];
static size_t by_address_count;

static void note_by_address(const struct observe_event *event)
{
	bool is_one =
		event->kind == OBSERVE_TLBI_IPA_ADDRESS || event->kind == OBSERVE_TLBI_IPA_RANGE;

	if (is_one && by_address_count < COUNT_OF(by_address))
		by_address[by_address_count++] = *event;
}

static struct observer address_watcher = { .see = note_by_address };

/* By address, with the level of what went, and leaves only unless a table went as well. */
TEST(flush_says_the_level_and_that_only_leaves_went)
{
	static const struct {
		uint64_t ia, size;
		int level;
		enum tlb_depth depth;
	} cases[] = {
		{ PAGE_SIZE, PAGE_SIZE, 3, TLB_LEAF_ONLY },
		{ PAGE_SIZE, 3 * PAGE_SIZE, 3, TLB_LEAF_ONLY },
		{ MIB(4), MIB(2), 2, TLB_LEAF_ONLY },
		{ 0, MIB(2), TLB_LEVEL_ANY, TLB_ALL_LEVELS },
		{ MIB(8), PAGE_SIZE, TLB_LEVEL_ANY, TLB_ALL_LEVELS },
	};

	for (unsigned int variant = 0; variant < 4; variant++)
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			struct world_config config = world_default_config();
			struct vm_space space;

			config.machine.features = features_of(variant);
			world_restart(world, &config);
			world_space(world, &space);
			EXPECT_OK(vm_space_activate(&space));
			map_segment_at(world, &space, 0, 5, PAGE_SIZE, READ_WRITE);
			map_segment_at(world, &space, MIB(2), 1024, MIB(2), READ_WRITE);
			map_frame_at(world, &space, MIB(8), READ_WRITE);
			by_address_count = 0;
			observe_attach(&address_watcher);
			unmap_at(&space, cases[i].ia, cases[i].size);
			observe_detach(&address_watcher);
			EXPECT_TRUE(by_address_count > 0);
			/* Leaves go first, and then the table that they leave empty. */
			for (size_t n = 0; n < by_address_count; n++) {
				if (cases[i].depth == TLB_ALL_LEVELS && n + 1 < by_address_count)
					continue;
				EXPECT_EQUAL((uint64_t)by_address[n].level,
					     (uint64_t)cases[i].level);
				EXPECT_EQUAL(by_address[n].depth, cases[i].depth);
			}
			vm_space_deactivate();
			EXPECT_OK(vm_space_destroy(&space));
		}
}

#endif

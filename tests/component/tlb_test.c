/* SPDX-License-Identifier: BSD-3-Clause */
/* No stale translation: every change, seen through a TLB that keeps whatever it may. */
#include "mapping.h"
#include <arch/counters.h>
#include <arch/features.h>
#include <arch/observe.h>

/* What a guest on this CPU reads at @ia now, straight from the MMU; 0 if it faults. */
static uint64_t guest_page(uint64_t ia, enum machine_access access)
{
	struct machine_translation used;
	struct machine_fault fault;

	return machine_guest_translate(iaddr(ia), access, &used, &fault) ? used.output.value : 0;
}

/* The space is active on two CPUs while it changes, and both look ahead at @count addresses. */
static void watch_on_two_cpus(struct vm_space *space, const uint64_t *addresses, size_t count)
{
	machine_set_cpu(1);
	EXPECT_OK(vm_space_activate(space));
	machine_set_cpu(0);
	EXPECT_OK(vm_space_activate(space));
	for (size_t i = 0; i < count; i++)
		machine_watch_guest(iaddr(addresses[i]));
}

static void end_watch(void)
{
	machine_watch_nothing();
	machine_set_cpu(1);
	vm_space_deactivate();
	machine_set_cpu(0);
	vm_space_deactivate();
}

/* On both CPUs each access to each address does what the cursor says. */
static void expect_no_stale(struct vm_space *space, const uint64_t *addresses, size_t count)
{
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		for (size_t i = 0; i < count; i++) {
			struct cursor_item item = item_at(space, addresses[i]);
			uint64_t output =
				item.output.value + (addresses[i] - item.range.start.value);
			static const uint8_t flags[] = { PAGE_READ, PAGE_WRITE, PAGE_EXECUTE };

			machine_set_cpu(cpu);
			for (int access = MACHINE_READ; access <= MACHINE_EXECUTE; access++) {
				bool may = item.mapped &&
					   (item.property.flags & PAGE_ACCESSED) != 0 &&
					   (item.property.flags & flags[access]) != 0;

				EXPECT_EQUAL(guest_page(addresses[i], access), may ? output : 0);
			}
			machine_set_cpu(0);
		}
}

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

/* CPUs as they come: by range or by address, with level hints or without. */
static struct arch_features features_of(unsigned int variant)
{
	struct arch_features features = machine_features_v8_4();

	features.tlb_range = (variant & 1) != 0;
	features.ttl = (variant & 2) != 0;
	return features;
}

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

/* ---- How much is invalidated --------------------------------------------------------------- */

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

/* ---- In which order ------------------------------------------------------------------------ */

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

/* Store, DSB, TLBI by IPA, DSB, TLBI of Stage 1, DSB, ISB: and the page is held all the while. */
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
	};
	struct vm_space space;

	world_space(world, &space);
	EXPECT_OK(vm_space_activate(&space));
	watched_page = map_frame_at(world, &space, 0, READ_WRITE);
	map_frame_at(world, &space, PAGE_SIZE, READ_WRITE);
	seen_count = 0;
	page_went_early = false;
	observe_attach(note);
	unmap_at(&space, 0, PAGE_SIZE);
	observe_attach(NULL);
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
	observe_attach(note);
	EXPECT_OK(cursor_replace(&cursor, &frame, READ_WRITE));
	observe_attach(NULL);
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

#endif

/* ---- At random ----------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* One operation that may succeed or not; what matters is what the MMU does afterwards. */
static void random_step(struct world *world, struct vm_space *space, uint32_t *random)
{
	static const struct page_property properties[] = {
		{ PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK },
		{ PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK },
		{ PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_UNCACHED },
		{ PAGE_READ | PAGE_WRITE | PAGE_EXECUTE | PAGE_ACCESSED, CACHE_WRITEBACK },
	};
	struct page_property property = properties[next_random(random) % COUNT_OF(properties)];
	uint64_t start = (next_random(random) % 1536) * PAGE_SIZE;
	uint64_t pages = next_random(random) % 3 == 0 ? 512 : 1 + next_random(random) % 64;
	struct cursor cursor;

	if (pages == 512)
		start &= ~(MIB(2) - 1);
	open_at(space, start, MIB(8) - start, &cursor);
	for (unsigned int i = 0; i < 1 + next_random(random) % 3; i++) {
		struct segment segment;
		frame_t frame;

		EXPECT_OK(cursor_jump(&cursor, iaddr(start)));
		switch (next_random(random) % 5) {
		case 0:
		case 1:
			segment = world_segment(world, pages,
						pages * PAGE_SIZE == MIB(2) ? MIB(2) : PAGE_SIZE);
			if (cursor_map_segment(&cursor, &segment, property) != MM_OK)
				segment_drop(&segment);
			break;
		case 2:
			EXPECT_OK(cursor_unmap(&cursor, pages * PAGE_SIZE, NULL));
			break;
		case 3:
			(void)!cursor_protect_next(&cursor, pages * PAGE_SIZE, become, &property,
						   NULL);
			break;
		default:
			frame = world_frame(world);
			if (cursor_replace(&cursor, &frame, property) != MM_OK)
				frame_drop(&frame);
		}
	}
	cursor_close(&cursor);
}

TEST(random_changes_leave_nothing_stale)
{
	uint64_t addresses[24];

	for (size_t i = 0; i < COUNT_OF(addresses); i++)
		addresses[i] = i * (MIB(8) / COUNT_OF(addresses)) & ~(PAGE_SIZE - 1);
	addresses[1] = MIB(2) - PAGE_SIZE;
	for (uint32_t seed = 1; seed <= 4; seed++) {
		struct world_config config = world_default_config();
		uint32_t random = seed;
		struct vm_space space;

		config.machine.features = features_of(seed - 1);
		world_restart(world, &config);
		world_space(world, &space);
		watch_on_two_cpus(&space, addresses, COUNT_OF(addresses));
		for (unsigned int step = 0; step < 150; step++) {
			random_step(world, &space, &random);
			expect_no_stale(&space, addresses, COUNT_OF(addresses));
			if (machine_violations_total() != 0)
				FAIL("a rule was broken: seed %u, step %u", seed, step);
		}
		end_watch();
		EXPECT_OK(vm_space_destroy(&space));
		EXPECT_EQUAL(world_pages(PAGE_FRAME), 0);
		EXPECT_EQUAL(world_pages(PAGE_TABLE), 0);
	}
}

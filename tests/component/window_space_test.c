/* SPDX-License-Identifier: BSD-3-Clause */
/* Spaces in EL2's window: what EL2's own loads and stores find there, and who may have it when. */
#include "areas.h"
#include <arch/counters.h>
#include <arch/user_copy.h>
#include <strata/fault.h>
#include <strata/ownership.h>
#include <strata/statistics.h>
#include <strata/table_runs.h>
#include <strata/vm_reader.h>
#include <strata/vm_writer.h>

#define WINDOW_START UINT64_C(0xc00000000000)
#define WINDOW_END UINT64_C(0x1000000000000)
#define PLACE (WINDOW_START + GIB(5))

static void make_window(struct world *world, struct vm_space *space)
{
	EXPECT_OK(vm_space_new_window(world_el2_space(world), space));
}

/* What a load by EL2 finds at @ia; UINT64_MAX if it faults. */
static uint64_t load(uint64_t ia)
{
	uint64_t value = UINT64_MAX;

	return user_load(iaddr(ia), 8, &value) ? value : UINT64_MAX;
}

static struct paddr map_value(struct world *world, struct vm_space *space, uint64_t ia,
			      uint64_t value)
{
	struct paddr page = map_frame_at(world, space, ia, READ_WRITE);

	world_write(page, value);
	return page;
}

TEST(window_space_has_the_window)
{
	struct vm_space space;
	struct irange range;

	make_window(world, &space);
	range = vm_space_range(&space);
	EXPECT_EQUAL(range.start.value, WINDOW_START);
	EXPECT_EQUAL(range.end.value, WINDOW_END);
	EXPECT_EQUAL(vm_space_range(world_el2_space(world)).start.value, 0);
	EXPECT_EQUAL(vm_space_range(world_el2_space(world)).end.value, WINDOW_START);
	EXPECT_EQUAL(range.start.value, KVIRT_RANGE.end.value);
	EXPECT_OK(vm_space_destroy(&space));
}

/* From the first byte to the last. */
TEST(window_space_is_what_el2_loads_and_stores)
{
	const uint64_t places[] = { WINDOW_START, PLACE, WINDOW_END - PAGE_SIZE };
	struct vm_space space;
	struct paddr pages[3];

	make_window(world, &space);
	for (size_t i = 0; i < COUNT_OF(places); i++)
		pages[i] = map_value(world, &space, places[i], 100 + i);
	for (size_t i = 0; i < COUNT_OF(places); i++)
		EXPECT_EQUAL(load(places[i]), UINT64_MAX);
	EXPECT_OK(vm_space_activate(&space));
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		EXPECT_EQUAL(load(places[i]), 100 + i);
		EXPECT_TRUE(user_store(iaddr(places[i] + PAGE_SIZE - 8), 8, 200 + i));
		EXPECT_EQUAL(world_read(paddr(pages[i].value + PAGE_SIZE - 8)), 200 + i);
		expect_reaches(world, places[i] + 16, paddr(pages[i].value + 16));
		EXPECT_EQUAL(load(places[i] ^ MIB(2)), UINT64_MAX);
	}
	protect_at(&space, PLACE, PAGE_SIZE, READ_ONLY);
	EXPECT_EQUAL(load(PLACE), 101);
	EXPECT_FALSE(user_store(iaddr(PLACE), 8, 7));
	unmap_at(&space, WINDOW_START, PAGE_SIZE);
	EXPECT_EQUAL(load(WINDOW_START), UINT64_MAX);
	vm_space_deactivate_window();
	EXPECT_OK(vm_space_destroy(&space));
}

/* Two spaces have one address: after each switch it is what the active one says, a block and a page. */
TEST(window_switch_shows_the_other_space)
{
	struct vm_space spaces[2];

	for (size_t i = 0; i < 2; i++) {
		make_window(world, &spaces[i]);
		map_value(world, &spaces[i], PLACE, 10 + i);
	}
	struct paddr block =
		map_segment_at(world, &spaces[0], PLACE + MIB(2), 512, MIB(2), READ_WRITE);

	world_write(paddr(block.value + MIB(1)), 30);
	map_value(world, &spaces[1], PLACE + MIB(3), 31);
	for (unsigned int round = 0; round < 6; round++) {
		EXPECT_OK(vm_space_activate(&spaces[round % 2]));
		EXPECT_EQUAL(load(PLACE), 10 + round % 2);
		EXPECT_EQUAL(load(PLACE + MIB(3)), 30 + round % 2);
		EXPECT_EQUAL(load(PLACE + MIB(2)), round % 2 == 0 ? 0 : UINT64_MAX);
		if (round == 3) {
			vm_space_deactivate_window();
			EXPECT_EQUAL(load(PLACE), UINT64_MAX);
			EXPECT_EQUAL(load(PLACE + MIB(3)), UINT64_MAX);
		}
	}
	vm_space_deactivate_window();
	for (size_t i = 0; i < 2; i++)
		EXPECT_OK(vm_space_destroy(&spaces[i]));
}

/* Readers and writers reach a window space while it is active on this CPU, and no other. */
TEST(window_space_is_read_and_written_while_active)
{
	struct vm_space spaces[2], *space = &spaces[0];
	struct vm_reader reader;
	struct vm_writer writer;
	uint64_t value = 0, done = 99;

	for (size_t i = 0; i < 2; i++) {
		make_window(world, &spaces[i]);
		map_value(world, &spaces[i], PLACE, 10 + i);
	}
	EXPECT_STATUS(vm_reader_from_space(space, iaddr(PLACE), 8, &reader), MM_ACCESS_DENIED);
	EXPECT_OK(vm_space_activate(&spaces[1]));
	EXPECT_STATUS(vm_reader_from_space(space, iaddr(PLACE), 8, &reader), MM_ACCESS_DENIED);
	EXPECT_OK(vm_space_activate(space));
	EXPECT_STATUS(vm_writer_from_space(space, iaddr(WINDOW_START - 1), 8, &writer),
		      MM_ACCESS_DENIED);
	EXPECT_STATUS(vm_writer_from_space(space, iaddr(WINDOW_END - 7), 8, &writer),
		      MM_ACCESS_DENIED);
	EXPECT_STATUS(vm_writer_from_space(space, iaddr(UINT64_MAX), 8, &writer), MM_OVERFLOW);
	EXPECT_OK(vm_writer_from_space(space, iaddr(WINDOW_END - 8), 8, &writer));

	/* The bytes up to the hole are moved. */
	EXPECT_OK(vm_writer_from_space(space, iaddr(PLACE + PAGE_SIZE - 12), 100, &writer));
	EXPECT_STATUS(vm_writer_fill_zeros(&writer, 100, &done), MM_PAGE_FAULT);
	EXPECT_EQUAL(done, 12);

	EXPECT_OK(vm_reader_from_space(space, iaddr(PLACE), 16, &reader));
	EXPECT_OK(vm_reader_read_val(&reader, &value, 8));
	EXPECT_EQUAL(value, 10);
	for (unsigned int i = 0; i < 2; i++) {
		if (i == 0)
			EXPECT_OK(vm_space_activate(&spaces[1]));
		else
			vm_space_deactivate_window();
		EXPECT_STATUS(vm_reader_read_val(&reader, &value, 8), MM_PAGE_FAULT);
		EXPECT_STATUS(vm_reader_atomic_load(&reader, 8, &value), MM_PAGE_FAULT);
		EXPECT_EQUAL(value, 10);
		EXPECT_EQUAL(vm_reader_remain(&reader), 8);
	}
	EXPECT_OK(vm_space_activate(space));
	EXPECT_OK(vm_reader_read_val(&reader, &value, 8));
	EXPECT_EQUAL(value, 0);
	vm_space_deactivate_window();
	for (size_t i = 0; i < 2; i++)
		EXPECT_OK(vm_space_destroy(&spaces[i]));
}

/* What EL2 gets, and loses, below the window is there, and gone, whichever space is active: a new table
 * below the root included. */
TEST(window_space_follows_el2s_own_table)
{
	const uint64_t far = UINT64_C(5) << 45; /* nobody else has anything within 512 GiB */
	struct vm_space before, after, *el2 = world_el2_space(world);
	uint64_t tables = world_pages(PAGE_TABLE);

	make_window(world, &before);
	EXPECT_OK(vm_space_activate(&before));
	map_value(world, el2, far, 42);
	make_window(world, &after);
	EXPECT_EQUAL(load(far), 42);
	EXPECT_OK(vm_space_activate(&after));
	EXPECT_EQUAL(load(far), 42);
	unmap_at(el2, far, PAGE_SIZE);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables + 2);
	EXPECT_EQUAL(load(far), UINT64_MAX);
	EXPECT_OK(vm_space_destroy(&before));
	map_value(world, el2, far, 43);
	EXPECT_EQUAL(load(far), 43);
	vm_space_deactivate_window();
	EXPECT_EQUAL(load(far), 43);
	EXPECT_OK(vm_space_destroy(&after));
	unmap_at(el2, far, PAGE_SIZE);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
}

TEST(window_space_in_use_is_not_destroyed)
{
	struct vm_space spaces[2], *space = &spaces[0], *el2 = world_el2_space(world);
	struct cursor cursor;

	make_window(world, space);
	make_window(world, &spaces[1]);
	open_at(space, PLACE, PAGE_SIZE, &cursor);
	EXPECT_STATUS(vm_space_destroy(space), MM_BUSY);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_activate(space));
	EXPECT_STATUS(vm_space_destroy(space), MM_BUSY);
	EXPECT_STATUS(vm_space_destroy(el2), MM_BUSY);
	/* Another one takes its place. */
	EXPECT_OK(vm_space_activate(&spaces[1]));
	map_value(world, space, PLACE, 1);

	/* This CPU holds the root that it would be taken from, or put to. */
	open_at(el2, 0, WINDOW_START, &cursor);
	EXPECT_STATUS(vm_space_destroy(space), MM_BUSY);
	struct vm_space refused;

	EXPECT_STATUS(vm_space_new_window(el2, &refused), MM_BUSY);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(space));
	EXPECT_STATUS(vm_space_destroy(&spaces[1]), MM_BUSY);
	vm_space_deactivate_window();
	vm_space_deactivate_window();
	EXPECT_STATUS(vm_space_destroy(el2), MM_BUSY);
	EXPECT_OK(vm_space_destroy(&spaces[1]));
}

/* Blocks, pages, a page that somebody else holds: all goes with the space. */
TEST(window_space_destroyed_leaves_nothing)
{
	struct vm_space *el2 = world_el2_space(world), space;
	struct mm_usage before = mm_usage();
	frame_t held;

	(void)el2;
	for (unsigned int round = 0; round < 3; round++) {
		make_window(world, &space);
		EXPECT_OK(vm_space_activate(&space));
		map_segment_at(world, &space, PLACE, 1024 + 5, MIB(2), READ_WRITE);
		map_iomem_at(&space, PLACE + GIB(600), NO_MEMORY_BASE, GIB(2), DEVICE);
		struct paddr page = map_value(world, &space, WINDOW_START, 77);

		EXPECT_OK(frame_from_in_use(page, &held));
		EXPECT_EQUAL(load(WINDOW_START), 77);
		vm_space_deactivate_window();
		EXPECT_OK(vm_space_destroy(&space));
		EXPECT_EQUAL(frame_reference_count(&held), 1);
		frame_drop(&held);
		expect_pages(&before);
	}
}

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

static void count_run(const struct table_run *run, void *context)
{
	*(uint64_t *)context += run->range.start.value == PLACE ? 1 : 100;
}

/* The runs of a window space are its own, not those of EL2. */
TEST(window_space_runs_are_in_the_window)
{
	struct vm_space space;
	uint64_t runs = 0;

	make_window(world, &space);
	map_frame_at(world, world_el2_space(world), KVIRT_RANGE.start.value, READ_WRITE);
	map_value(world, &space, PLACE, 1);
	EXPECT_OK(table_runs(&space, count_run, &runs));
	EXPECT_EQUAL(runs, 1);
	unmap_at(world_el2_space(world), KVIRT_RANGE.start.value, PAGE_SIZE);
	EXPECT_OK(vm_space_destroy(&space));
}

/* A window space and a guest's are active beside each other. */
TEST(window_space_and_stage2_space_are_active_together)
{
	struct vm_space space, guest;

	make_window(world, &space);
	world_space(world, &guest);
	map_value(world, &space, PLACE, 5);
	EXPECT_OK(vm_space_activate(&space));
	EXPECT_OK(vm_space_activate(&guest));
	EXPECT_EQUAL(load(PLACE), 5);
	EXPECT_TRUE(stage2_active() != NULL);
	vm_space_deactivate();
	EXPECT_EQUAL(load(PLACE), 5);
	EXPECT_OK(vm_space_destroy(&guest));
	vm_space_deactivate_window();
	EXPECT_TRUE(stage2_active() == NULL);
	EXPECT_OK(vm_space_destroy(&space));
}

#if STRATA_CHECKED

/* Whichever allocation fails, nothing was made; activating takes none. */
TEST(window_space_survives_every_failed_allocation)
{
	struct vm_space *el2 = world_el2_space(world), space;
	frame_t frame = world_frame(world);
	struct mm_usage before = mm_usage();
	struct cursor cursor;
	enum mm_status status;
	uint64_t nth = 0;

	do {
		mm_fail_allocation(++nth);
		status = vm_space_new_window(el2, &space);
		mm_fail_allocation(0);
		if (status != MM_OK)
			expect_pages(&before);
	} while (status == MM_NO_MEMORY);
	EXPECT_OK(status);
	EXPECT_EQUAL(nth, 3); /* the root, and what owns its pages */

	mm_fail_allocation(1);
	EXPECT_OK(vm_space_activate(&space));
	mm_fail_allocation(0);
	before = mm_usage();
	nth = 0;
	do {
		open_at(&space, PLACE, PAGE_SIZE, &cursor);
		mm_fail_allocation(++nth);
		status = cursor_map(&cursor, &frame, READ_WRITE);
		mm_fail_allocation(0);
		cursor_close(&cursor);
		if (status != MM_OK) {
			expect_pages(&before);
			EXPECT_EQUAL(load(PLACE), UINT64_MAX);
		}
	} while (status == MM_NO_MEMORY);
	EXPECT_OK(status);
	EXPECT_EQUAL(nth, 4);
	EXPECT_EQUAL(load(PLACE), 0);

	mm_fail_allocation(1);
	vm_space_deactivate_window();
	EXPECT_OK(vm_space_destroy(&space));
	mm_fail_allocation(0);
}

#endif

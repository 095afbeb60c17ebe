/* SPDX-License-Identifier: BSD-3-Clause */
/* Spaces in EL2's window: what EL2's own loads and stores find there. */
#include "window_spaces.h"
#include <strata/table_runs.h>
#include <strata/vm_reader.h>
#include <strata/vm_writer.h>

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

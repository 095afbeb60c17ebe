/* SPDX-License-Identifier: BSD-3-Clause */
/* Spaces: their shape, their life, what is active. */
#include "mapping.h"
#include <arch/counters.h>
#include <arch/features.h>
#include <arch/observe.h>

/* The highest start level with at most 16 concatenated tables, for each size of input address. */
TEST(stage2_geometry_follows_from_the_size)
{
	static const struct {
		uint8_t ia_bits, root_level, root_tables;
	} cases[] = {
		{ 25, 2, 1 }, { 29, 2, 1 },  { 30, 2, 1 },  { 31, 2, 2 },
		{ 32, 2, 4 }, { 33, 2, 8 },  { 34, 2, 16 }, { 35, 1, 1 },
		{ 36, 1, 1 }, { 39, 1, 1 },  { 40, 1, 2 },  { 41, 1, 4 },
		{ 42, 1, 8 }, { 43, 1, 16 }, { 44, 0, 1 },  { 48, 0, 1 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t tables = world_pages(PAGE_TABLE);
		struct vm_space space;

		if (cases[i].ia_bits > arch_features()->pa_bits)
			continue;
		EXPECT_OK(vm_space_new_stage2(cases[i].ia_bits, &space));
		EXPECT_EQUAL(space.geometry.root_level, cases[i].root_level);
		EXPECT_EQUAL(space.geometry.root_tables, cases[i].root_tables);
		EXPECT_EQUAL(space.geometry.ia_bits, cases[i].ia_bits);
		EXPECT_EQUAL(space.root.value % (cases[i].root_tables * PAGE_SIZE), 0);
		EXPECT_EQUAL(world_pages(PAGE_TABLE), tables + cases[i].root_tables);
		EXPECT_EQUAL(vm_space_range(&space).start.value, 0);
		EXPECT_EQUAL(vm_space_range(&space).end.value, UINT64_C(1) << cases[i].ia_bits);
		EXPECT_EQUAL(vm_space_vmid(&space), 0);
		EXPECT_OK(vm_space_destroy(&space));
		EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	}
}

#if STRATA_CHECKED

static struct paddr next_freed;

static void see_freed(const struct observe_event *event)
{
	if (event->kind != OBSERVE_TABLE_FREE)
		return;
	next_freed.value -= PAGE_SIZE;
	EXPECT_EQUAL(event->address.value, next_freed.value);
}

/* Another space may have the first page as its root at once, and then the others would be taken for its. */
TEST(a_root_is_freed_from_its_end)
{
	static struct observer observer = { .see = see_freed };
	struct vm_space space;

	EXPECT_OK(vm_space_new_stage2(34, &space));
	next_freed = paddr(space.root.value + space.geometry.root_tables * PAGE_SIZE);
	observe_attach(&observer);
	EXPECT_OK(vm_space_destroy(&space));
	observe_detach(&observer);
	EXPECT_EQUAL(next_freed.value, space.root.value);
}

#endif

/* And the MMU walks each of them, at both ends and in the middle. */
TEST(stage2_spaces_of_every_size_translate)
{
	for (unsigned int bits = 25; bits <= arch_features()->pa_bits; bits++) {
		uint64_t size = UINT64_C(1) << bits;
		uint64_t places[] = { 0, size / 2, size - PAGE_SIZE };
		struct paddr pages[3];
		struct vm_space space;

		EXPECT_OK(vm_space_new_stage2(bits, &space));
		for (size_t i = 0; i < COUNT_OF(places); i++)
			pages[i] = map_frame_at(world, &space, places[i], READ_WRITE);
		for (size_t i = 0; i < COUNT_OF(places); i++) {
			struct paddr output;

			EXPECT_TRUE(world_translate(world, &space, iaddr(places[i] + 8), WORLD_READ,
						    &output));
			EXPECT_EQUAL(output.value, pages[i].value + 8);
		}
		expect_mmu_agrees(world, &space, PAGE_SIZE, PAGE_SIZE, PAGE_SIZE);
		expect_mmu_agrees(world, &space, size - 2 * PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE);
		EXPECT_OK(vm_space_destroy(&space));
		EXPECT_EQUAL(world_pages(PAGE_FRAME), world->before.pages[PAGE_FRAME]);
	}
}

TEST(stage1_geometry_follows_from_the_size)
{
	static const struct {
		uint8_t ia_bits, root_level;
	} cases[] = { { 25, 2 }, { 30, 2 }, { 31, 1 }, { 39, 1 }, { 40, 0 }, { 48, 0 } };

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct vm_space space;

		EXPECT_OK(vm_space_new_stage1(cases[i].ia_bits, &space));
		EXPECT_EQUAL(space.geometry.root_level, cases[i].root_level);
		EXPECT_EQUAL(space.geometry.root_tables, 1);
		EXPECT_EQUAL(vm_space_range(&space).end.value, UINT64_C(1) << cases[i].ia_bits);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

TEST(space_sizes_beyond_the_cpu_are_refused)
{
	const unsigned int bad[] = { 0, 24, arch_features()->pa_bits + 1u, 49, 64, 1000 };
	struct vm_space space;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		EXPECT_STATUS(vm_space_new_stage2(bad[i], &space), MM_NOT_SUPPORTED);
	EXPECT_STATUS(vm_space_new_stage1(24, &space), MM_NOT_SUPPORTED);
	EXPECT_STATUS(vm_space_new_stage1(49, &space), MM_NOT_SUPPORTED);
}

/* Whatever is mapped when a space goes, goes with it. */
TEST(destroy_gives_everything_back)
{
	struct vm_space space;

	for (int round = 0; round < 3; round++) {
		world_space(world, &space);
		map_segment_at(world, &space, MIB(2), 700, MIB(2), READ_WRITE);
		map_frame_at(world, &space, GIB(3), READ_ONLY);
		map_frame_at(world, &space, GIB(600), READ_ONLY);
		map_iomem_at(&space, GIB(8), NO_MEMORY_BASE, GIB(2), DEVICE);
		EXPECT_OK(vm_space_destroy(&space));
		EXPECT_EQUAL(world_pages(PAGE_FRAME), world->before.pages[PAGE_FRAME]);
		EXPECT_EQUAL(world_pages(PAGE_TABLE), world->before.pages[PAGE_TABLE]);
	}
}

/* A handle to a mapped page outlives the space. */
TEST(destroy_leaves_pages_that_are_held)
{
	struct vm_space space;
	frame_t frame;

	world_space(world, &space);
	struct paddr page = map_frame_at(world, &space, 0, READ_WRITE);

	EXPECT_OK(frame_from_in_use(page, &frame));
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	frame_drop(&frame);
}

TEST(destroy_refuses_a_space_in_use)
{
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	open_at(&space, 0, PAGE_SIZE, &cursor);
	EXPECT_STATUS(vm_space_destroy(&space), MM_BUSY);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_activate(&space));
	EXPECT_STATUS(vm_space_destroy(&space), MM_BUSY);
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

/* The context that runs says root, VMID and geometry of the space. */
TEST(activate_loads_the_space)
{
	struct vm_space spaces[2];

	for (size_t i = 0; i < 2; i++)
		EXPECT_OK(vm_space_new_stage2(i == 0 ? 36 : 40, &spaces[i]));
	for (size_t i = 0; i < 4; i++) {
		struct vm_space *space = &spaces[i % 2];

		EXPECT_OK(vm_space_activate(space));
		EXPECT_TRUE(stage2_active() != NULL);
		EXPECT_EQUAL(stage2_active()->root.value, space->root.value);
		EXPECT_EQUAL(stage2_active()->geometry.ia_bits, space->geometry.ia_bits);
		EXPECT_EQUAL(stage2_active()->vmid, vm_space_vmid(space));
		EXPECT_TRUE(vm_space_vmid(space) != 0);
	}
	EXPECT_TRUE(vm_space_vmid(&spaces[0]) != vm_space_vmid(&spaces[1]));
	/* The first is active no more: it may go while the second runs. */
	EXPECT_OK(vm_space_destroy(&spaces[0]));
	EXPECT_EQUAL(stage2_active()->root.value, spaces[1].root.value);
	vm_space_deactivate();
	EXPECT_TRUE(stage2_active() == NULL);
	EXPECT_OK(vm_space_destroy(&spaces[1]));
}

/* Activating what is active loads nothing and keeps the VMID. */
TEST(activate_again_does_nothing)
{
	struct vm_space space;

	world_space(world, &space);
	EXPECT_OK(vm_space_activate(&space));

	struct arch_counters before = arch_counters_read();
	uint16_t vmid = vm_space_vmid(&space);

	EXPECT_OK(vm_space_activate(&space));
	EXPECT_EQUAL(arch_counters_read().stage2_loads, before.stage2_loads);
	EXPECT_EQUAL(vm_space_vmid(&space), vmid);
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

TEST(activate_refuses_stage1)
{
	struct vm_space space;

	EXPECT_OK(vm_space_new_stage1(39, &space));
	EXPECT_STATUS(vm_space_activate(&space), MM_INVALID_ARGS);
	EXPECT_TRUE(stage2_active() == NULL);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Two spaces map one address to two pages; each sees its own. */
TEST(spaces_do_not_see_each_other)
{
	struct vm_space spaces[2];
	struct paddr pages[2];

	for (size_t i = 0; i < 2; i++) {
		world_space(world, &spaces[i]);
		pages[i] = map_frame_at(world, &spaces[i], MIB(4), READ_WRITE);
	}
	for (size_t round = 0; round < 6; round++) {
		struct paddr output;

		EXPECT_TRUE(world_translate(world, &spaces[round % 2], iaddr(MIB(4)), WORLD_READ,
					    &output));
		EXPECT_EQUAL(output.value, pages[round % 2].value);
	}
	world_rest(world);
	for (size_t i = 0; i < 2; i++)
		EXPECT_OK(vm_space_destroy(&spaces[i]));
}

/* What a cursor has removed and not flushed yet is owed until it is closed, whatever is
 * activated meanwhile. */
TEST(activate_beside_an_open_cursor_of_the_same_space)
{
	struct irange all;
	struct vm_space space;
	struct cursor cursor;
	frame_t frame = world_frame(world);

	world_space(world, &space);
	all = vm_space_range(&space);
	EXPECT_OK(cursor_open(&space, all, CURSOR_MUTABLE, &cursor));
	EXPECT_OK(cursor_map(&cursor, &frame, READ_WRITE));
	EXPECT_OK(cursor_jump(&cursor, all.start));
	EXPECT_OK(cursor_unmap(&cursor, irange_size(all), NULL));
	EXPECT_OK(vm_space_activate(&space));
	cursor_close(&cursor);
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

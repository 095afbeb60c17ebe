/* SPDX-License-Identifier: BSD-3-Clause */
/* Machines at the edge of what there can be: memory at the top, ranges that touch, none left. */
#include "mapping.h"

static void restart_with(struct world *world, const struct prange *memory, size_t count,
			 unsigned int pa_bits)
{
	struct world_config config = world_default_config();

	for (size_t i = 0; i < count; i++)
		config.machine.memory[i] = memory[i];
	config.machine.memory_count = count;
	config.machine.features.pa_bits = (uint8_t)pa_bits;
	config.reservation_count = 0;
	world_restart(world, &config);
}

/* The last page of 48 bits is a page like any other, as output and as input address. */
TEST(memory_at_the_top_of_48_bits)
{
	const uint64_t top = UINT64_C(1) << 48;
	const struct prange memory = prange(paddr(top - MIB(64)), paddr(top));
	struct vm_space space;
	struct cursor cursor;
	struct paddr output;
	frame_t frame;

	restart_with(world, &memory, 1, 48);
	EXPECT_OK(frame_from_unused(paddr(top - PAGE_SIZE), &frame));
	EXPECT_OK(vm_space_new_stage2(48, &space));
	EXPECT_EQUAL(vm_space_range(&space).end.value, top);
	open_at(&space, top - PAGE_SIZE, PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_map(&cursor, &frame, READ_WRITE));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, top);
	cursor_close(&cursor);
	EXPECT_TRUE(world_translate(world, &space, iaddr(top - 8), WORLD_WRITE, &output));
	EXPECT_EQUAL(output.value, top - 8);
	world_rest(world);

	open_at(&space, 0, top, &cursor);
	EXPECT_OK(cursor_find_next(&cursor, top));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, top - PAGE_SIZE);
	cursor_close(&cursor);
	EXPECT_EQUAL(unmap_at(&space, 0, top), 1);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Two ranges that touch: a segment may lie across, and be mapped, sliced and dropped. */
TEST(memory_ranges_that_touch)
{
	const struct prange memory[] = {
		prange(paddr(GIB(1)), paddr(GIB(1) + MIB(32))),
		prange(paddr(GIB(1) + MIB(32)), paddr(GIB(1) + MIB(64))),
	};
	const struct paddr border = memory[1].start;
	struct prange across = prange(paddr(border.value - MIB(1)), paddr(border.value + MIB(1)));
	struct segment segment, slice, rest;
	struct vm_space space;
	struct cursor cursor;

	restart_with(world, memory, 2, 44);
	for (int round = 0; round < 2; round++) {
		EXPECT_OK(segment_from_unused(across, &segment));
		EXPECT_OK(segment_slice(
			&segment,
			prange(paddr(border.value - PAGE_SIZE), paddr(border.value + PAGE_SIZE)),
			&slice));
		EXPECT_EQUAL(references_of(border), 2);
		world_space(world, &space);
		open_at(&space, GIB(1) + MIB(31), MIB(2), &cursor);
		EXPECT_OK(cursor_map_segment(&cursor, &segment, READ_WRITE));
		cursor_close(&cursor);
		expect_mmu_agrees(world, &space, GIB(1) + MIB(31), MIB(2), KIB(64));
		EXPECT_EQUAL(unmap_at(&space, 0, GIB(2)), 512);
		EXPECT_OK(vm_space_destroy(&space));
		EXPECT_EQUAL(world_pages(PAGE_FRAME), 2);
		EXPECT_OK(segment_split(&slice, PAGE_SIZE, &rest));
		segment_drop(&slice);
		segment_drop(&rest);
	}
}

static struct paddr take_everything(void)
{
	struct paddr top = paddr(0);
	frame_t frame;

	/* Kept in a chain through their own first words. */
	while (frame_alloc(FRAME_UNDEFINED, &frame) == MM_OK) {
		world_write(frame.paddr, top.value);
		top = frame_into_raw(&frame);
	}
	return top;
}

static void give_back(struct paddr top)
{
	while (top.value != 0) {
		frame_t frame = frame_from_raw(top);

		top = paddr(world_read(top));
		frame_drop(&frame);
	}
}

/* With no page left what needs a table is refused, what needs none still works; and when pages come
 * back all works. */
TEST(operations_without_any_memory_left)
{
	struct page_property read_only = page_property(PAGE_READ | PAGE_ACCESSED, CACHE_DEVICE);
	frame_t frame = world_frame(world);
	struct vm_space space, refused;
	struct cursor cursor;

	world_space(world, &space);
	map_frame_at(world, &space, 0, READ_WRITE);
	map_iomem_at(&space, GIB(1), NO_MEMORY_BASE, GIB(1), DEVICE);

	struct paddr all = take_everything();

	EXPECT_EQUAL(world_pages(PAGE_UNUSED), 0);
	EXPECT_STATUS(vm_space_new_stage2(40, &refused), MM_NO_MEMORY);
	EXPECT_STATUS(vm_space_new_stage1(48, &refused), MM_NO_MEMORY);
	open_at(&space, 0, GIB(4), &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(GIB(3))));
	EXPECT_STATUS(cursor_map(&cursor, &frame, READ_WRITE), MM_NO_MEMORY);
	EXPECT_OK(cursor_jump(&cursor, iaddr(GIB(1) + PAGE_SIZE)));
	EXPECT_STATUS(cursor_unmap(&cursor, PAGE_SIZE, NULL), MM_NO_MEMORY);
	EXPECT_STATUS(cursor_protect_next(&cursor, PAGE_SIZE, become, &read_only, NULL),
		      MM_NO_MEMORY);
	/* In a table that is there. */
	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGE_SIZE)));
	EXPECT_OK(cursor_map(&cursor, &frame, READ_WRITE));
	EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
	EXPECT_OK(cursor_unmap(&cursor, 2 * PAGE_SIZE, NULL));
	cursor_close(&cursor);
	expect_mapped(&space, GIB(1) + PAGE_SIZE, NO_MEMORY_BASE + PAGE_SIZE, GIB(1), DEVICE);

	give_back(all);
	EXPECT_EQUAL(unmap_at(&space, GIB(1) + PAGE_SIZE, PAGE_SIZE), 1);
	EXPECT_OK(vm_space_destroy(&space));
}

/* The smallest machine that can hold its own metadata, one page more each time. */
TEST(very_small_machines)
{
	/* A zone and its slots; what is known of each page, and the table of shares. */
	const uint64_t metadata = 1 + 1 + (STRATA_CHECKED ? 1 + 1 : 0);

	for (uint64_t pages = metadata; pages < metadata + 10; pages++) {
		const struct prange memory =
			prange(paddr(GIB(1)), paddr(GIB(1) + pages * PAGE_SIZE));

		restart_with(world, &memory, 1, 40);
		EXPECT_EQUAL(world_pages(PAGE_UNUSED) + world_pages(PAGE_META), pages);

		uint64_t unused = world_pages(PAGE_UNUSED);
		struct paddr all = take_everything();

		EXPECT_EQUAL(world_pages(PAGE_FRAME), unused);
		give_back(all);
	}
}

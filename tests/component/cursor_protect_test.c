/* SPDX-License-Identifier: BSD-3-Clause */
/* Changing properties: mapping by mapping, splitting at the edges, joining what is alike again. */
#include "block_parts.h"

TEST(protect_changes_one_mapping_at_a_time)
{
	struct page_property property = READ_ONLY;
	struct vm_space space;
	struct cursor cursor;
	struct irange changed;

	world_space(world, &space);
	map_frame_at(world, &space, MIB(2), READ_WRITE);
	map_frame_at(world, &space, MIB(2) + PAGE_SIZE, READ_WRITE);
	map_frame_at(world, &space, MIB(5), READ_WRITE);
	open_at(&space, 0, MIB(8), &cursor);
	EXPECT_OK(cursor_protect_next(&cursor, MIB(8), become, &property, &changed));
	EXPECT_EQUAL(changed.start.value, MIB(2));
	EXPECT_EQUAL(changed.end.value, MIB(2) + PAGE_SIZE);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(2) + PAGE_SIZE);
	EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(3))));
	EXPECT_STATUS(cursor_protect_next(&cursor, MIB(1), become, &property, &changed),
		      MM_NOT_MAPPED);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(4));
	EXPECT_EQUAL(changed.start.value, MIB(2));
	EXPECT_OK(cursor_protect_next(&cursor, MIB(4), become, &property, NULL));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(5) + PAGE_SIZE);
	cursor_close(&cursor);
	EXPECT_EQUAL(item_at(&space, MIB(2)).property.flags, READ_ONLY.flags);
	EXPECT_EQUAL(item_at(&space, MIB(2) + PAGE_SIZE).property.flags, READ_WRITE.flags);
	EXPECT_EQUAL(item_at(&space, MIB(5)).property.flags, READ_ONLY.flags);
	expect_mmu_agrees(world, &space, MIB(2), 3 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_OK(vm_space_destroy(&space));
}

/* From each property to each other one. */
TEST(protect_changes_every_property_to_every_other)
{
	static const struct page_property properties[] = {
		{ PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK },
		{ PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK },
		{ PAGE_READ | PAGE_WRITE | PAGE_EXECUTE | PAGE_ACCESSED, CACHE_WRITEBACK },
		{ PAGE_READ | PAGE_WRITE, CACHE_WRITEBACK },
		{ 0, CACHE_WRITEBACK },
		{ PAGE_READ | PAGE_ACCESSED, CACHE_UNCACHED },
		{ PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITETHROUGH },
		{ PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_DEVICE },
	};
	struct vm_space space;

	world_space(world, &space);

	struct paddr page = map_frame_at(world, &space, MIB(2), properties[0]);

	for (size_t from = 0; from < COUNT_OF(properties); from++)
		for (size_t to = 0; to < COUNT_OF(properties); to++) {
			protect_at(&space, MIB(2), PAGE_SIZE, properties[from]);
			expect_mmu_agrees(world, &space, MIB(2), PAGE_SIZE, PAGE_SIZE);
			protect_at(&space, MIB(2), PAGE_SIZE, properties[to]);
			expect_mapped(&space, MIB(2), page.value, PAGE_SIZE, properties[to]);
			expect_mmu_agrees(world, &space, MIB(2), PAGE_SIZE, PAGE_SIZE);
		}
	EXPECT_EQUAL(references_of(page), 1);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Part of a block: exactly that part changes; back again, and the block is whole again. */
TEST(protect_splits_and_merges_blocks)
{
	struct page_property read_only = page_property(PAGE_READ | PAGE_ACCESSED, CACHE_DEVICE);

	for (size_t i = 0; i < COUNT_OF(block_parts); i++) {
		const struct block_part *part = &block_parts[i];
		struct vm_space space;

		world_space(world, &space);
		map_iomem_at(&space, BLOCK_PARTS_BASE, NO_MEMORY_BASE, part->block, DEVICE);

		uint64_t tables = world_pages(PAGE_TABLE);

		protect_at(&space, BLOCK_PARTS_BASE + part->start, part->size, read_only);
		expect_block_part(world, &space, part, read_only);
		protect_at(&space, BLOCK_PARTS_BASE, part->block, DEVICE);
		expect_whole_block(world, &space, part, tables);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

/* The last page that makes a table uniform makes it a block, whichever page it is. */
TEST(map_merges_a_table_that_becomes_uniform)
{
	static const uint64_t last[] = { 0, 17, 511 };

	for (size_t i = 0; i < COUNT_OF(last); i++) {
		struct segment segment = world_segment(world, 512, MIB(2));
		struct paddr start = segment.start;
		struct vm_space space;
		struct cursor cursor;
		frame_t frames[512];

		world_space(world, &space);
		for (size_t page = 0; page < 512; page++)
			EXPECT_TRUE(segment_next(&segment, &frames[page]));
		open_at(&space, MIB(2), MIB(2), &cursor);
		for (size_t page = 0; page < 512; page++) {
			if (page == last[i])
				continue;
			EXPECT_OK(cursor_jump(&cursor, iaddr(MIB(2) + page * PAGE_SIZE)));
			EXPECT_OK(cursor_map(&cursor, &frames[page], READ_WRITE));
		}
		cursor_close(&cursor);
		EXPECT_EQUAL(irange_size(item_at(&space, MIB(3)).range), PAGE_SIZE);

		open_at(&space, MIB(2) + last[i] * PAGE_SIZE, PAGE_SIZE, &cursor);
		EXPECT_OK(cursor_map(&cursor, &frames[last[i]], READ_WRITE));
		cursor_close(&cursor);
		expect_mapped(&space, MIB(3), start.value + MIB(1), MIB(2), READ_WRITE);
		for (size_t page = 0; page < 512; page++)
			EXPECT_EQUAL(references_of(paddr(start.value + page * PAGE_SIZE)), 1);
		expect_mmu_agrees(world, &space, MIB(2), MIB(2), PAGE_SIZE);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

/* What differs in one page does not become a block. */
TEST(map_does_not_merge_what_differs)
{
	static const struct {
		uint64_t odd_page;
		bool other_property, other_output;
	} cases[] = { { 0, true, false }, { 100, true, false }, { 511, true, false },
		      { 0, false, true }, { 100, false, true }, { 511, false, true } };

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct segment segment = world_segment(world, 512, MIB(2));
		struct vm_space space;
		struct cursor cursor;

		world_space(world, &space);
		open_at(&space, MIB(2), MIB(2), &cursor);
		for (size_t page = 0; page < 512; page++) {
			bool odd = page == cases[i].odd_page;
			frame_t frame;

			EXPECT_TRUE(segment_next(&segment, &frame));
			if (odd && cases[i].other_output) {
				frame_t other = world_frame(world);

				frame_drop(&frame);
				frame = other;
			}
			EXPECT_OK(cursor_map(&cursor, &frame,
					     odd && cases[i].other_property ? READ_ONLY
									    : READ_WRITE));
		}
		cursor_close(&cursor);
		EXPECT_EQUAL(irange_size(item_at(&space, MIB(3)).range), PAGE_SIZE);
		expect_mmu_agrees(world, &space, MIB(2), MIB(2), PAGE_SIZE);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

static struct page_property count_calls(struct page_property property, void *context)
{
	unsigned int *calls = context;

	(*calls)++;
	return property;
}

/* The same property again writes nothing, and splits nothing; the position moves all the same. */
TEST(protect_to_the_same_writes_nothing)
{
	struct vm_space space;
	struct cursor cursor;
	struct irange changed;
	unsigned int calls = 0;

	world_space(world, &space);

	struct paddr start = map_segment_at(world, &space, MIB(2), 512, MIB(2), READ_WRITE);
	struct mm_statistics before = mm_statistics();

	open_at(&space, 0, MIB(4), &cursor);
	EXPECT_OK(cursor_protect_next(&cursor, MIB(3), count_calls, &calls, &changed));
	EXPECT_EQUAL(calls, 1);
	EXPECT_EQUAL(changed.start.value, MIB(2));
	EXPECT_EQUAL(changed.end.value, MIB(3));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(3));
	cursor_close(&cursor);
	EXPECT_EQUAL(mm_statistics().leaves_changed, before.leaves_changed);
	EXPECT_EQUAL(mm_statistics().blocks_split, before.blocks_split);
	EXPECT_EQUAL(mm_statistics().gather_flushes, before.gather_flushes);
	expect_mapped(&space, MIB(2), start.value, MIB(2), READ_WRITE);
	EXPECT_OK(vm_space_destroy(&space));
}

TEST(protect_refuses_what_the_stage_cannot_say)
{
	struct page_property impossible =
		page_property(PAGE_READ | PAGE_WRITE | PAGE_EXECUTE | PAGE_ACCESSED, CACHE_DEVICE);
	struct irange changed = { iaddr(7), iaddr(7) };
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);

	struct paddr start = map_segment_at(world, &space, MIB(2), 512, MIB(2), READ_WRITE);

	open_at(&space, MIB(2), MIB(2), &cursor);
	EXPECT_STATUS(cursor_protect_next(&cursor, PAGE_SIZE, become, &impossible, &changed),
		      MM_NOT_SUPPORTED);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(2));
	EXPECT_EQUAL(changed.start.value, 7);
	cursor_close(&cursor);
	expect_mapped(&space, MIB(2), start.value, MIB(2), READ_WRITE);
	EXPECT_OK(vm_space_destroy(&space));
}

/* EL2's tables too, under the feet of whoever runs on them. */
TEST(el2_memory_is_protected_and_unmapped_live)
{
	struct vm_space *space = world_el2_space(world);
	uint64_t window = world_el2_window(world).start.value;

	struct paddr start = map_segment_at(world, space, window, 512, MIB(2), READ_WRITE);

	expect_mapped(space, window, start.value, MIB(2), READ_WRITE);
	protect_at(space, window + MIB(1), PAGE_SIZE, READ_ONLY);
	expect_mapped(space, window + MIB(1), start.value + MIB(1), PAGE_SIZE, READ_ONLY);
	expect_mmu_agrees(world, space, window, MIB(2), PAGE_SIZE);
	protect_at(space, window + MIB(1), PAGE_SIZE, READ_EXECUTE);
	expect_mmu_agrees(world, space, window, MIB(2), PAGE_SIZE);
	EXPECT_TRUE(unmap_at(space, window, MIB(2)) >= 1);
	expect_mmu_agrees(world, space, window, MIB(2), KIB(64));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Changing the property of everything in a range: all of it or nothing, at once. */
#include "block_parts.h"

#define PAGES(n) ((uint64_t)(n)*PAGE_SIZE)

struct answers {
	unsigned int calls;
	struct page_property asked[8];
};

/* Takes write access away, and remembers what it was asked. */
static struct page_property take_write(struct page_property property, void *context)
{
	struct answers *answers = context;

	if (answers->calls < COUNT_OF(answers->asked))
		answers->asked[answers->calls] = property;
	answers->calls++;
	property.flags &= (uint8_t)~PAGE_WRITE;
	return property;
}

static void expect_flags(struct vm_space *space, uint64_t start, uint64_t end, uint8_t flags)
{
	for (uint64_t ia = start; ia < end; ia += PAGE_SIZE)
		EXPECT_EQUAL(item_at(space, ia).property.flags, flags);
}

/* Blocks that the edges cut, pages of two kinds, holes, and what is alike already. */
TEST(protect_of_a_range_changes_exactly_the_range)
{
	struct answers answers = { 0 };
	struct vm_space space;
	struct cursor cursor;
	uint64_t leaves = 0;

	world_space(world, &space);
	map_segment_at(world, &space, 0, 512, MIB(2), READ_WRITE);
	for (uint64_t page = 0; page < 40; page++)
		map_frame_at(world, &space, MIB(3) + PAGES(3 * page),
			     page % 2 == 0 ? READ_WRITE : READ_ONLY);
	map_segment_at(world, &space, MIB(4), 512, MIB(2), READ_WRITE);
	map_segment_at(world, &space, MIB(6), 512, MIB(2), READ_WRITE);

	open_at(&space, 0, MIB(8), &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGES(500))));
	EXPECT_OK(cursor_protect(&cursor, MIB(6) + PAGES(10) - PAGES(500), take_write, &answers,
				 &leaves));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(6) + PAGES(10));
	cursor_close(&cursor);

	/* Pages of two blocks, half of the single ones, and one block. */
	EXPECT_EQUAL(leaves, 12 + 10 + 20 + 1);
	EXPECT_EQUAL(answers.calls, 2);
	EXPECT_EQUAL(answers.asked[0].flags, READ_WRITE.flags);
	EXPECT_EQUAL(answers.asked[1].flags, READ_ONLY.flags);
	expect_flags(&space, 0, PAGES(500), READ_WRITE.flags);
	expect_flags(&space, PAGES(500), MIB(2), READ_ONLY.flags);
	for (uint64_t page = 0; page < 40; page++) {
		expect_flags(&space, MIB(3) + PAGES(3 * page), MIB(3) + PAGES(3 * page + 1),
			     READ_ONLY.flags);
		expect_hole(&space, MIB(3) + PAGES(3 * page + 1));
	}
	EXPECT_EQUAL(irange_size(item_at(&space, MIB(5)).range), MIB(2));
	expect_flags(&space, MIB(4), MIB(6) + PAGES(10), READ_ONLY.flags);
	expect_flags(&space, MIB(6) + PAGES(10), MIB(8), READ_WRITE.flags);
	expect_mmu_agrees(world, &space, PAGES(490), PAGES(20), PAGE_SIZE);
	expect_mmu_agrees(world, &space, MIB(6), PAGES(20), PAGE_SIZE);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Part of a block, at every level; and back again in one call, so that it is one block again. */
TEST(protect_of_a_range_splits_and_merges_blocks)
{
	static const struct page_property others[] = {
		{ PAGE_READ | PAGE_ACCESSED, CACHE_DEVICE },
		{ PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_UNCACHED },
	};

	for (size_t i = 0; i < COUNT_OF(block_parts) * COUNT_OF(others); i++) {
		const struct block_part *part = &block_parts[i / COUNT_OF(others)];
		struct page_property other = others[i % COUNT_OF(others)];
		struct page_property device = DEVICE;
		struct vm_space space;
		struct cursor cursor;
		uint64_t leaves = 0;

		world_space(world, &space);
		map_iomem_at(&space, BLOCK_PARTS_BASE, NO_MEMORY_BASE, part->block, DEVICE);

		uint64_t tables = world_pages(PAGE_TABLE);

		open_at(&space, BLOCK_PARTS_BASE, GIB(1), &cursor);
		EXPECT_OK(cursor_jump(&cursor, iaddr(BLOCK_PARTS_BASE + part->start)));
		EXPECT_OK(cursor_protect(&cursor, part->size, become, &other, &leaves));
		cursor_close(&cursor);
		EXPECT_TRUE(leaves > 0);
		expect_block_part(world, &space, part, other);

		open_at(&space, BLOCK_PARTS_BASE, GIB(1), &cursor);
		EXPECT_OK(cursor_protect(&cursor, GIB(1), become, &device, NULL));
		EXPECT_EQUAL(cursor_virt_addr(&cursor).value, BLOCK_PARTS_BASE + GIB(1));
		cursor_close(&cursor);
		expect_whole_block(world, &space, part, tables);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

/* The last page that makes all alike, changed alone: the block of 1 GiB is one again at once. */
TEST(protect_of_a_page_merges_at_every_level)
{
	struct page_property read_only = page_property(PAGE_READ | PAGE_ACCESSED, CACHE_DEVICE);
	struct page_property device = DEVICE;
	struct vm_space space;
	struct cursor cursor;
	struct cursor_item item;

	world_space(world, &space);
	map_iomem_at(&space, GIB(4), NO_MEMORY_BASE, GIB(1), DEVICE);
	open_at(&space, GIB(4), GIB(1), &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(GIB(4) + MIB(7) + PAGE_SIZE)));
	EXPECT_OK(cursor_protect_next(&cursor, PAGE_SIZE, become, &read_only, NULL));
	EXPECT_OK(cursor_jump(&cursor, iaddr(GIB(4) + MIB(7) + PAGE_SIZE)));
	EXPECT_OK(cursor_protect_next(&cursor, PAGE_SIZE, become, &device, NULL));
	EXPECT_OK(cursor_peek(&cursor, &item));
	EXPECT_EQUAL(irange_size(item.range), GIB(1));
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Whatever the number of leaves and of what lies between them: one flush, or two with a break. */
TEST(protect_of_a_range_flushes_once)
{
	static const struct {
		enum cache_policy cache;
		uint64_t flushes;
	} cases[] = { { CACHE_WRITEBACK, 1 }, { CACHE_UNCACHED, 1 }, { CACHE_WRITETHROUGH, 1 } };
	struct vm_space space;

	world_space(world, &space);
	for (uint64_t page = 0; page < 300; page++)
		map_frame_at(world, &space, PAGES(page * 5), READ_WRITE);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct page_property property =
			page_property(PAGE_READ | PAGE_ACCESSED, cases[i].cache);
		struct mm_statistics before = mm_statistics();
		struct cursor cursor;
		uint64_t leaves = 0;

		open_at(&space, 0, PAGES(1500), &cursor);
		EXPECT_OK(cursor_protect(&cursor, PAGES(1500), become, &property, &leaves));
		EXPECT_EQUAL(leaves, 300);
		EXPECT_EQUAL(mm_statistics().leaves_changed, before.leaves_changed + 300);
		EXPECT_EQUAL(mm_statistics().gather_flushes,
			     before.gather_flushes + (i == 0 ? 0 : 1));
		EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
		EXPECT_OK(cursor_protect(&cursor, PAGES(1500), become, &property, &leaves));
		EXPECT_EQUAL(leaves, 0);
		cursor_close(&cursor);
		EXPECT_EQUAL(mm_statistics().gather_flushes,
			     before.gather_flushes + cases[i].flushes);
		expect_mmu_agrees(world, &space, 0, PAGES(64), PAGE_SIZE);
	}
	EXPECT_OK(vm_space_destroy(&space));
}

static struct page_property spoil_uncached(struct page_property property, void *context)
{
	(void)context;
	property.flags = property.cache == CACHE_UNCACHED ? UINT8_C(0x80) : PAGE_READ;
	return property;
}

/* What the last leaf cannot be, the first one does not become. */
TEST(protect_of_a_range_asks_before_it_writes)
{
	struct vm_space space;
	struct cursor cursor;
	uint64_t leaves = 77;

	world_space(world, &space);
	map_segment_at(world, &space, 0, 512, MIB(2), READ_WRITE);
	map_frame_at(world, &space, MIB(2), READ_WRITE);
	map_frame_at(world, &space, MIB(3),
		     page_property(PAGE_READ | PAGE_ACCESSED, CACHE_UNCACHED));

	const uint64_t tables = world_pages(PAGE_TABLE);

	open_at(&space, 0, MIB(4), &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(PAGE_SIZE)));
	EXPECT_STATUS(cursor_protect(&cursor, MIB(3), spoil_uncached, NULL, &leaves),
		      MM_NOT_SUPPORTED);
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, PAGE_SIZE);
	EXPECT_EQUAL(leaves, 77);
	cursor_close(&cursor);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	EXPECT_EQUAL(irange_size(item_at(&space, 0).range), MIB(2));
	EXPECT_EQUAL(item_at(&space, MIB(2)).property.flags, READ_WRITE.flags);
	EXPECT_OK(vm_space_destroy(&space));
}

TEST(protect_of_nothing_moves_all_the_same)
{
	struct answers answers = { 0 };
	struct vm_space space;
	struct cursor cursor;
	uint64_t leaves = 77;

	world_space(world, &space);
	open_at(&space, 0, MIB(4), &cursor);
	EXPECT_OK(cursor_protect(&cursor, 0, take_write, &answers, &leaves));
	EXPECT_EQUAL(leaves, 0);
	EXPECT_OK(cursor_protect(&cursor, MIB(4), take_write, &answers, NULL));
	EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(4));
	EXPECT_OK(cursor_protect(&cursor, 0, take_write, &answers, NULL));
	EXPECT_STATUS(cursor_protect(&cursor, PAGE_SIZE, take_write, &answers, NULL),
		      MM_OUT_OF_BOUND);
	EXPECT_EQUAL(answers.calls, 0);
	cursor_close(&cursor);
	EXPECT_OK(cursor_open(&space, span(0, MIB(4)), CURSOR_READ_ONLY, &cursor));
	EXPECT_STATUS(cursor_protect(&cursor, MIB(4), take_write, &answers, NULL),
		      MM_ACCESS_DENIED);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

/* EL2's own table: in place, with leaves of both sizes, and never merged. */
TEST(el2_ranges_are_protected_live)
{
	struct vm_space *space = world_el2_space(world);
	uint64_t window = world_el2_window(world).start.value;
	struct page_property read_only = READ_ONLY, read_write = READ_WRITE;
	struct cursor cursor;
	uint64_t leaves = 0;

	map_segment_at(world, space, window, 1024, MIB(2), READ_WRITE);
	open_at(space, window, MIB(4), &cursor);
	EXPECT_OK(cursor_jump(&cursor, iaddr(window + PAGE_SIZE)));
	EXPECT_OK(cursor_protect(&cursor, MIB(4) - PAGE_SIZE, become, &read_only, &leaves));
	EXPECT_EQUAL(leaves, 511 + 1);
	cursor_flush(&cursor);
	cursor_close(&cursor);
	expect_mmu_agrees(world, space, window, MIB(4), KIB(64));
	open_at(space, window, MIB(4), &cursor);
	EXPECT_OK(cursor_protect(&cursor, MIB(4), become, &read_write, &leaves));
	EXPECT_EQUAL(leaves, 511 + 1);
	cursor_close(&cursor);
	EXPECT_EQUAL(irange_size(item_at(space, window).range), PAGE_SIZE);
	expect_mmu_agrees(world, space, window, MIB(4), KIB(64));
	EXPECT_TRUE(unmap_at(space, window, MIB(4)) > 0);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Mapping: each stage says the properties that it can, and refuses the others. */
#include "mapping.h"

/* Every property Stage 2 can say comes back as it went in, and the MMU obeys it. */
TEST(stage2_says_every_property)
{
	struct vm_space space;

	world_space(world, &space);
	for (unsigned int cache = 0; cache < CACHE_POLICY_COUNT; cache++)
		for (unsigned int flags = 0; flags < 16; flags++) {
			uint64_t ia = MIB(2) + (cache * 16 + flags) * PAGE_SIZE;
			struct page_property property =
				page_property((uint8_t)flags, (enum cache_policy)cache);
			struct cursor cursor;
			frame_t frame;

			if (cache == CACHE_DEVICE && (flags & PAGE_EXECUTE) != 0)
				continue;
			frame = world_frame(world);
			open_at(&space, ia, PAGE_SIZE, &cursor);
			EXPECT_OK(cursor_map(&cursor, &frame, property));
			cursor_close(&cursor);
			expect_mapped(&space, ia, item_at(&space, ia).output.value, PAGE_SIZE,
				      property);
		}
	expect_mmu_agrees(world, &space, MIB(2), CACHE_POLICY_COUNT * 16 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_OK(vm_space_destroy(&space));
}

static bool stage1_can_say(struct page_property property)
{
	bool writable = (property.flags & PAGE_WRITE) != 0;
	bool executable = (property.flags & PAGE_EXECUTE) != 0;

	return (property.flags & PAGE_READ) != 0 && !(writable && executable) &&
	       !(executable && property.cache == CACHE_DEVICE);
}

/* EL2's Stage 1 cannot say all; what it cannot say it refuses. */
TEST(stage1_says_what_it_can)
{
	struct vm_space *space = world_el2_space(world);
	uint64_t window = world_el2_window(world).start.value;

	for (unsigned int cache = 0; cache < CACHE_POLICY_COUNT; cache++)
		for (unsigned int flags = 0; flags < 16; flags++) {
			struct page_property property =
				page_property((uint8_t)flags, (enum cache_policy)cache);
			frame_t frame = world_frame(world);
			uint64_t output = frame.paddr.value;
			struct cursor cursor;
			bool possible = stage1_can_say(property);

			open_at(space, window, PAGE_SIZE, &cursor);
			EXPECT_STATUS(cursor_map(&cursor, &frame, property),
				      possible ? MM_OK : MM_NOT_SUPPORTED);
			cursor_close(&cursor);
			if (!possible) {
				frame_drop(&frame);
				expect_hole(space, window);
				continue;
			}
			expect_mapped(space, window, output, PAGE_SIZE, property);
			expect_mmu_agrees(world, space, window, 2 * PAGE_SIZE, PAGE_SIZE);
			EXPECT_EQUAL(unmap_at(space, window, PAGE_SIZE), 1);
		}
}

TEST(map_refuses_what_no_stage_can_say)
{
	static const struct {
		unsigned int flags, cache;
	} cases[] = {
		{ PAGE_READ | PAGE_EXECUTE | PAGE_ACCESSED, CACHE_DEVICE },
		{ PAGE_READ, CACHE_POLICY_COUNT },
		{ PAGE_READ, 255 },
		{ PAGE_READ | 0x10, CACHE_WRITEBACK },
		{ 0xff, CACHE_WRITEBACK },
	};
	struct vm_space space;
	struct segment segment;
	struct cursor cursor;
	frame_t frame = world_frame(world);

	world_space(world, &space);
	EXPECT_OK(segment_alloc(1, PAGE_SIZE, FRAME_UNDEFINED, &segment));
	open_at(&space, 0, PAGE_SIZE, &cursor);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct page_property property = { (uint8_t)cases[i].flags,
						  (uint8_t)cases[i].cache };

		EXPECT_STATUS(cursor_map(&cursor, &frame, property), MM_NOT_SUPPORTED);
		EXPECT_EQUAL(frame_reference_count(&frame), 1);
		EXPECT_STATUS(cursor_map_segment(&cursor, &segment, property), MM_NOT_SUPPORTED);
		EXPECT_EQUAL(segment_size(&segment), PAGE_SIZE);
		EXPECT_STATUS(cursor_map_iomem(&cursor,
					       prange(paddr(NO_MEMORY_BASE),
						      paddr(NO_MEMORY_BASE + PAGE_SIZE)),
					       property),
			      MM_NOT_SUPPORTED);
	}
	cursor_close(&cursor);
	expect_hole(&space, 0);
	frame_drop(&frame);
	segment_drop(&segment);
	EXPECT_OK(vm_space_destroy(&space));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the subsystem says it did is what was asked of it. */
#include "mapping.h"

static struct mm_statistics since(struct mm_statistics before)
{
	struct mm_statistics now = mm_statistics();

	now.leaves_mapped -= before.leaves_mapped;
	now.leaves_unmapped -= before.leaves_unmapped;
	now.leaves_changed -= before.leaves_changed;
	now.blocks_split -= before.blocks_split;
	now.tables_merged -= before.tables_merged;
	now.tables_allocated -= before.tables_allocated;
	now.tables_freed -= before.tables_freed;
	now.gather_flushes -= before.gather_flushes;
	now.frames_parked -= before.frames_parked;
	return now;
}

TEST(statistics_count_leaves_and_tables)
{
	struct vm_space space;
	struct mm_statistics before, done;

	world_space(world, &space);
	before = mm_statistics();
	/* Three pages, a block, five pages: tables of levels 2 and 3, and 3 again. */
	map_segment_at(world, &space, MIB(4) - 3 * PAGE_SIZE, 3, PAGE_SIZE, READ_WRITE);
	map_segment_at(world, &space, MIB(4), 512 + 5, MIB(2), READ_WRITE);
	done = since(before);
	EXPECT_EQUAL(done.leaves_mapped, 3 + 1 + 5);
	EXPECT_EQUAL(done.tables_allocated, 3);
	EXPECT_EQUAL(done.tables_freed, 0);
	EXPECT_EQUAL(done.gather_flushes, 0);

	before = mm_statistics();
	EXPECT_EQUAL(unmap_at(&space, 0, GIB(1)), 9);
	done = since(before);
	EXPECT_EQUAL(done.leaves_unmapped, 9);
	EXPECT_EQUAL(done.frames_parked, 3 + 512 + 5);
	EXPECT_EQUAL(done.tables_freed, 3);
	EXPECT_EQUAL(done.tables_allocated, 0);
	EXPECT_TRUE(done.gather_flushes >= 1);
	EXPECT_OK(vm_space_destroy(&space));
}

TEST(statistics_count_splits_merges_and_changes)
{
	struct vm_space space;
	struct mm_statistics before, done;

	world_space(world, &space);
	map_segment_at(world, &space, MIB(2), 512, MIB(2), READ_WRITE);
	before = mm_statistics();
	protect_at(&space, MIB(3), 2 * PAGE_SIZE, READ_ONLY);
	done = since(before);
	EXPECT_EQUAL(done.blocks_split, 1);
	EXPECT_EQUAL(done.leaves_changed, 2);
	EXPECT_EQUAL(done.tables_merged, 0);
	EXPECT_EQUAL(done.tables_allocated, 1);

	before = mm_statistics();
	protect_at(&space, MIB(3), 2 * PAGE_SIZE, READ_WRITE);
	done = since(before);
	EXPECT_EQUAL(done.blocks_split, 0);
	EXPECT_EQUAL(done.leaves_changed, 2);
	EXPECT_EQUAL(done.tables_merged, 1);
	EXPECT_EQUAL(done.tables_freed, 1);
	EXPECT_OK(vm_space_destroy(&space));
}

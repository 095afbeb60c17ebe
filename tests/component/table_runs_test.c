/* SPDX-License-Identifier: BSD-3-Clause */
/* A table as a person reads it. */
#include "mapping.h"
#include <strata/table_runs.h>

struct list {
	struct table_run runs[16];
	size_t count;
};

static void add(const struct table_run *run, void *context)
{
	struct list *list = context;

	if (list->count < COUNT_OF(list->runs))
		list->runs[list->count] = *run;
	list->count++;
}

TEST(table_runs_of_an_empty_space_are_none)
{
	struct list list = { .count = 0 };
	struct vm_space space;

	world_space(world, &space);
	EXPECT_OK(table_runs(&space, add, &list));
	EXPECT_EQUAL(list.count, 0);
	EXPECT_OK(vm_space_destroy(&space));
}

/* A new run begins with each change: of place, output, property, counting, leaf size. */
TEST(table_runs_end_where_something_changes)
{
	static const struct {
		uint64_t start, output, size, leaf;
		struct page_property property;
	} pieces[] = {
		{ MIB(1),
		  NO_MEMORY_BASE + MIB(1),
		  MIB(1),
		  PAGE_SIZE,
		  { PAGE_READ | PAGE_ACCESSED, CACHE_DEVICE } },
		{ MIB(2),
		  NO_MEMORY_BASE + MIB(2),
		  MIB(4),
		  MIB(2),
		  { PAGE_READ | PAGE_ACCESSED, CACHE_DEVICE } },
		{ MIB(6),
		  NO_MEMORY_BASE + MIB(8),
		  MIB(2),
		  MIB(2),
		  { PAGE_READ | PAGE_ACCESSED, CACHE_DEVICE } },
		{ MIB(8),
		  NO_MEMORY_BASE + MIB(10),
		  MIB(2),
		  MIB(2),
		  { PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_DEVICE } },
		{ MIB(10),
		  NO_MEMORY_BASE + MIB(12),
		  MIB(2),
		  MIB(2),
		  { PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_UNCACHED } },
		{ MIB(14),
		  NO_MEMORY_BASE + MIB(16),
		  MIB(2),
		  MIB(2),
		  { PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_UNCACHED } },
		{ GIB(4),
		  NO_MEMORY_BASE,
		  GIB(3),
		  GIB(1),
		  { PAGE_READ | PAGE_ACCESSED, CACHE_DEVICE } },
	};
	struct list list = { .count = 0 };
	struct vm_space space;

	world_space(world, &space);
	for (size_t i = 0; i < COUNT_OF(pieces); i++)
		map_iomem_at(&space, pieces[i].start, pieces[i].output, pieces[i].size,
			     pieces[i].property);
	EXPECT_OK(table_runs(&space, add, &list));
	EXPECT_EQUAL(list.count, COUNT_OF(pieces));
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		EXPECT_EQUAL(list.runs[i].range.start.value, pieces[i].start);
		EXPECT_EQUAL(irange_size(list.runs[i].range), pieces[i].size);
		EXPECT_EQUAL(list.runs[i].output.value, pieces[i].output);
		EXPECT_EQUAL(list.runs[i].leaf_size, pieces[i].leaf);
		EXPECT_EQUAL(list.runs[i].property.flags, pieces[i].property.flags);
		EXPECT_EQUAL(list.runs[i].property.cache, pieces[i].property.cache);
		EXPECT_FALSE(list.runs[i].counted);
	}
	EXPECT_OK(vm_space_destroy(&space));
}

/* A run goes on over the border of tables, also of concatenated root tables. */
TEST(table_runs_go_on_over_tables)
{
	struct list list = { .count = 0 };
	struct vm_space space;

	world_space(world, &space);

	struct paddr start = map_segment_at(world, &space, MIB(3), 1024, MIB(2), READ_ONLY);

	map_iomem_at(&space, GIB(510), NO_MEMORY_BASE, GIB(4), DEVICE);
	EXPECT_OK(table_runs(&space, add, &list));
	EXPECT_EQUAL(list.count, 2);
	EXPECT_EQUAL(list.runs[0].range.start.value, MIB(3));
	EXPECT_EQUAL(irange_size(list.runs[0].range), MIB(4));
	EXPECT_EQUAL(list.runs[0].output.value, start.value);
	EXPECT_TRUE(list.runs[0].counted);
	EXPECT_EQUAL(list.runs[0].leaf_size, PAGE_SIZE);
	EXPECT_EQUAL(irange_size(list.runs[1].range), GIB(4));
	EXPECT_OK(vm_space_destroy(&space));
}

TEST(table_runs_refuse_a_space_that_this_cpu_holds)
{
	struct list list = { .count = 0 };
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	map_frame_at(world, &space, 0, READ_ONLY);
	open_at(&space, 0, MIB(2), &cursor);
	EXPECT_STATUS(table_runs(&space, add, &list), MM_BUSY);
	EXPECT_EQUAL(list.count, 0);
	cursor_close(&cursor);
	EXPECT_OK(table_runs(&space, add, &list));
	EXPECT_EQUAL(list.count, 1);
	EXPECT_OK(vm_space_destroy(&space));
}

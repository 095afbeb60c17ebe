/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the specification says of leaves, that abstract mappings do not have: how many there may be,
 * what a change of one may change, when a block may have to be split.
 */
#include "spec_world.h"

#define LEAF UINT64_C(0x200000)
#define GIB (UINT64_C(1) << 30)

static int set_up(void **state)
{
	static struct spec_world world;

	spec_world_init(&world, 40, GIB);
	*state = &world;
	return 0;
}

static void insert(struct spec_world *world, uint64_t start, uint64_t size, uint64_t output)
{
	struct mapping mapping = { irange(iaddr(start), iaddr(start + size)), paddr(output), DATA,
				   true };

	assert_true(mappings_insert(&world->space.mappings, mapping));
}

static void expect_bounds(struct spec_world *world, uint64_t start, uint64_t size, uint64_t least,
			  uint64_t most)
{
	struct leaf_bounds bounds =
		spec_leaf_bounds(&world->space.mappings, irange(iaddr(start), iaddr(start + size)));

	assert_int_equal(bounds.least, least);
	assert_int_equal(bounds.most, most);
}

static void leaf_bounds_count_blocks(void **state)
{
	struct spec_world *world = *state;

	insert(world, 0x1000, 2 * LEAF, 0x1000); /* one block, pages on both sides */
	expect_bounds(world, 0, GIB, 1 + 512, 1024);
	expect_bounds(world, LEAF, LEAF, 1, 512);
	expect_bounds(world, LEAF, LEAF - PAGE_SIZE, 511, 511);
	insert(world, GIB - LEAF, GIB + 3 * LEAF, 3 * GIB - LEAF); /* 1 + 1 + 2 blocks */
	expect_bounds(world, GIB - LEAF, 2 * GIB, 4, 512 * 512 + 3 * 512);
	expect_bounds(world, GIB + PAGE_SIZE, GIB - PAGE_SIZE, 511 + 511, 512 * 512 - 1);
	insert(world, 8 * GIB, GIB, LEAF); /* output not aligned to 1 GiB */
	expect_bounds(world, 8 * GIB, GIB, 512, 512 * 512);
	insert(world, 16 * GIB, GIB, PAGE_SIZE); /* nor to 2 MiB */
	expect_bounds(world, 16 * GIB, GIB, 512 * 512, 512 * 512);
}

static struct irange span(uint64_t start, uint64_t size)
{
	return irange(iaddr(start), iaddr(start + size));
}

static void protect_changes_the_part_of_one_leaf(void **state)
{
	struct spec_world *world = *state;
	const struct mappings *mappings = &world->space.mappings;

	insert(world, LEAF, 2 * LEAF, LEAF);
	/* All of a block, or a page of a table. */
	assert_true(spec_protect_next_changes(mappings, span(0, GIB), span(LEAF, LEAF)));
	assert_true(spec_protect_next_changes(mappings, span(0, GIB), span(LEAF, PAGE_SIZE)));
	assert_false(spec_protect_next_changes(mappings, span(0, GIB), span(LEAF, 2 * PAGE_SIZE)));
	assert_false(spec_protect_next_changes(mappings, span(0, GIB), span(LEAF, 2 * LEAF)));
	assert_false(spec_protect_next_changes(mappings, span(0, GIB), span(LEAF, 0)));
	/* Not the first one. */
	assert_false(spec_protect_next_changes(mappings, span(0, GIB), span(2 * LEAF, LEAF)));
	/* What of the block lies in the range. */
	assert_true(spec_protect_next_changes(mappings, span(LEAF + 0x3000, 0x2000),
					      span(LEAF + 0x3000, 0x2000)));
	assert_false(spec_protect_next_changes(mappings, span(LEAF + 0x3000, 0x2000),
					       span(LEAF + 0x3000, 0x3000)));
	/* Nothing there. */
	assert_false(spec_protect_next_changes(mappings, span(0, LEAF), span(0, PAGE_SIZE)));
}

static void protect_refuses_what_the_stage_cannot_say(void **state)
{
	struct spec_world *world = *state;
	struct page_property bad = page_property(PAGE_READ | PAGE_EXECUTE, CACHE_DEVICE);

	insert(world, 0, PAGE_SIZE, 0);
	assert_int_equal(
		spec_protect_next_statuses(&world->space, &world->cursor, span(0, 0x2000), bad),
		STATUS_SET(MM_NOT_SUPPORTED));
}

static void tables_may_be_needed_where_a_block_is_cut(void **state)
{
	struct spec_world *world = *state;
	status_set ok = STATUS_SET(MM_OK);
	status_set split = ok | STATUS_SET(MM_NO_MEMORY);

	insert(world, LEAF, LEAF, LEAF);
	insert(world, 3 * LEAF, LEAF, PAGE_SIZE);
	assert_int_equal(spec_unmap_statuses(&world->space, &world->cursor, span(0, 2 * LEAF)), ok);
	assert_int_equal(
		spec_unmap_statuses(&world->space, &world->cursor, span(0, 2 * LEAF - PAGE_SIZE)),
		split);
	world->cursor.position.value = LEAF + PAGE_SIZE;
	assert_int_equal(
		spec_unmap_statuses(&world->space, &world->cursor, span(LEAF + PAGE_SIZE, LEAF)),
		split);
	assert_int_equal(spec_protect_next_statuses(&world->space, &world->cursor,
						    span(LEAF + PAGE_SIZE, LEAF), DATA),
			 split);
	/* No block fits there: the output is not aligned. */
	world->cursor.position.value = 3 * LEAF + PAGE_SIZE;
	assert_int_equal(spec_unmap_statuses(&world->space, &world->cursor,
					     span(3 * LEAF + PAGE_SIZE, PAGE_SIZE)),
			 ok);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(leaf_bounds_count_blocks),
		TEST(protect_changes_the_part_of_one_leaf),
		TEST(protect_refuses_what_the_stage_cannot_say),
		TEST(tables_may_be_needed_where_a_block_is_cut),
	};

	return cmocka_run_group_tests_name("spec-leaf", tests, NULL, NULL);
}

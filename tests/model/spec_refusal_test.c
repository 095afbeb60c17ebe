/* SPDX-License-Identifier: BSD-3-Clause */
/* What the page table specification refuses: each refusal alone. */
#include "spec_world.h"

#define PAGES 64

static int set_up(void **state)
{
	static struct spec_world world;

	spec_world_init(&world, 32, PAGES * PAGE_SIZE);
	*state = &world;
	return 0;
}

static void opening_refuses_in_the_order_of_the_interface(void **state)
{
	const struct space_state *space = &((struct spec_world *)*state)->space;
	struct irange good = irange(iaddr(0x1000), iaddr(0x3000));
	struct irange beyond = irange(iaddr(0x1001), iaddr((UINT64_C(1) << 32) + 0x1000));

	assert_int_equal(spec_open_statuses(space, good, HELD_NOTHING), STATUS_SET(MM_OK));
	assert_int_equal(spec_open_statuses(space, good, HELD_IN_RANGE), STATUS_SET(MM_BUSY));
	assert_int_equal(spec_open_statuses(space, good, HELD_ELSEWHERE),
			 STATUS_SET(MM_BUSY) | STATUS_SET(MM_OK));
	assert_int_equal(spec_open_statuses(space, irange(good.end, good.start), HELD_IN_RANGE),
			 STATUS_SET(MM_INVALID_ARGS));
	assert_int_equal(spec_open_statuses(space, irange(good.end, good.end), HELD_NOTHING),
			 STATUS_SET(MM_INVALID_ARGS));
	assert_int_equal(spec_open_statuses(space, beyond, HELD_NOTHING),
			 STATUS_SET(MM_OUT_OF_BOUND));
	good.start.value++;
	assert_int_equal(spec_open_statuses(space, good, HELD_IN_RANGE),
			 STATUS_SET(MM_NOT_ALIGNED));
}

/* Each wrong argument alone is refused as what it is. */
static void map_refuses_each_wrong_argument(void **state)
{
	struct spec_world *world = *state;
	const struct map_request good = {
		.range = pages_from_position(world, 2),
		.output = paddr(0x1000),
		.property = DATA,
	};
	struct map_request bad;

	expect_only(spec_map_statuses(&world->space, &world->cursor, &good), MM_OK);

	bad = good;
	bad.range.end = bad.range.start;
	expect_only(spec_map_statuses(&world->space, &world->cursor, &bad), MM_INVALID_ARGS);

	bad = good;
	bad.range.end.value++;
	expect_only(spec_map_statuses(&world->space, &world->cursor, &bad), MM_NOT_ALIGNED);

	bad = good;
	bad.output.value++;
	expect_only(spec_map_statuses(&world->space, &world->cursor, &bad), MM_NOT_ALIGNED);

	bad = good;
	bad.output.value = (UINT64_C(1) << 40) - PAGE_SIZE;
	expect_only(spec_map_statuses(&world->space, &world->cursor, &bad), MM_OUT_OF_BOUND);

	bad = good;
	bad.property.cache = CACHE_POLICY_COUNT;
	expect_only(spec_map_statuses(&world->space, &world->cursor, &bad), MM_NOT_SUPPORTED);

	bad = good;
	bad.output_denied = true;
	expect_only(spec_map_statuses(&world->space, &world->cursor, &bad), MM_ACCESS_DENIED);
	world->space.stage = STAGE_1;
	expect_only(spec_map_statuses(&world->space, &world->cursor, &bad), MM_OK);

	world->cursor.may_change = false;
	expect_only(spec_map_statuses(&world->space, &world->cursor, &good), MM_ACCESS_DENIED);
	assert_int_equal(spec_unmap_statuses(&world->space, &world->cursor, good.range),
			 STATUS_SET(MM_ACCESS_DENIED));
	assert_int_equal(
		spec_protect_next_statuses(&world->space, &world->cursor, good.range, DATA),
		STATUS_SET(MM_ACCESS_DENIED));
	assert_int_equal(spec_protect_statuses(&world->space, &world->cursor, good.range,
					       (struct property_changes){ NULL, 0 }),
			 STATUS_SET(MM_ACCESS_DENIED));
}

static void ranges_are_refused_alike(void **state)
{
	struct spec_world *world = *state;
	struct irange range = pages_from_position(world, 1);

	range.end.value += 8;
	assert_int_equal(spec_unmap_statuses(&world->space, &world->cursor, range),
			 STATUS_SET(MM_NOT_ALIGNED));
	assert_int_equal(spec_find_next_statuses(&world->space, &world->cursor, range),
			 STATUS_SET(MM_NOT_ALIGNED));
	assert_int_equal(spec_protect_next_statuses(&world->space, &world->cursor, range, DATA),
			 STATUS_SET(MM_NOT_ALIGNED));
	assert_int_equal(spec_jump_statuses(&world->cursor, iaddr(8)), STATUS_SET(MM_NOT_ALIGNED));
	assert_int_equal(spec_jump_statuses(&world->cursor, world->cursor.range.end),
			 STATUS_SET(MM_OK));
	world->cursor.range.start.value = PAGE_SIZE;
	assert_int_equal(spec_jump_statuses(&world->cursor, iaddr(0)), STATUS_SET(MM_OUT_OF_BOUND));
	assert_int_equal(spec_jump_statuses(&world->cursor, iaddr((PAGES + 1) * PAGE_SIZE)),
			 STATUS_SET(MM_OUT_OF_BOUND));
}

static void stages_express_what_they_can(void **state)
{
	(void)state;
	for (unsigned int flags = 0; flags < 32; flags++) {
		struct page_property normal = page_property((uint8_t)flags, CACHE_UNCACHED);
		struct page_property device = page_property((uint8_t)flags, CACHE_DEVICE);
		bool known = flags < 16;
		bool stage1 = known && (flags & PAGE_READ) && (flags & 6) != 6;

		assert_int_equal(spec_property_expressible(STAGE_2, normal), known);
		assert_int_equal(spec_property_expressible(STAGE_1, normal), stage1);
		assert_int_equal(spec_property_expressible(STAGE_2, device),
				 known && !(flags & PAGE_EXECUTE));
		assert_int_equal(spec_property_expressible(STAGE_1, device),
				 stage1 && !(flags & PAGE_EXECUTE));
	}
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opening_refuses_in_the_order_of_the_interface),
		TEST(map_refuses_each_wrong_argument),
		TEST(ranges_are_refused_alike),
		TEST(stages_express_what_they_can),
	};

	return cmocka_run_group_tests_name("spec-refusal", tests, NULL, NULL);
}

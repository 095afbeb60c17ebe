/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page table specification against an array with one entry for each page of a small space, where
 * every rule can be written down page by page; and each refusal alone.
 */
#include "monitor/random.h"

#include <page_table_spec.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define PAGES 64

#define DATA page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK)
#define CODE page_property(PAGE_READ | PAGE_EXECUTE | PAGE_ACCESSED, CACHE_WRITEBACK)

struct page {
	bool mapped;
	uint64_t output; /* page number */
	struct page_property property;
	bool counted;
};

struct world {
	struct model_arena arena;
	struct model_pool pool;
	struct space_state space;
	struct cursor_state cursor;
	struct page pages[PAGES];
	unsigned char memory[32768];
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		return -1;
	model_arena_init(&world->arena, world->memory, sizeof(world->memory));
	model_pool_init(&world->pool, &world->arena, sizeof(struct extent));
	mappings_init(&world->space.mappings, &world->pool);
	world->space.stage = STAGE_2;
	world->space.ia_bits = 32;
	world->space.pa_bits = 40;
	world->cursor = (struct cursor_state){
		.range = irange(iaddr(0), iaddr(PAGES * PAGE_SIZE)),
		.may_change = true,
	};
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static uint64_t position(const struct world *world)
{
	return world->cursor.position.value / PAGE_SIZE;
}

static struct irange pages_from_position(const struct world *world, uint64_t count)
{
	struct iaddr start = world->cursor.position;

	return irange(start, iaddr(start.value + count * PAGE_SIZE));
}

static uint64_t mapped_pages(const struct world *world, uint64_t first, uint64_t count)
{
	uint64_t mapped = 0;

	for (uint64_t i = first; i < first + count && i < PAGES; i++)
		mapped += world->pages[i].mapped;
	return mapped;
}

static void expect_equal(const struct world *world)
{
	for (uint64_t i = 0; i < PAGES; i++) {
		const struct page *page = &world->pages[i];
		struct mapping mapping;

		assert_int_equal(
			mappings_find(&world->space.mappings, iaddr(i * PAGE_SIZE), &mapping),
			page->mapped);
		if (!page->mapped)
			continue;
		assert_int_equal(mapping_output(&mapping, iaddr(i * PAGE_SIZE)).value,
				 page->output * PAGE_SIZE);
		assert_true(page_property_equal(mapping.property, page->property));
		assert_int_equal(mapping.counted, page->counted);
	}
}

/* Exactly @status, or besides it MM_NO_MEMORY. */
static void expect_only(status_set allowed, enum mm_status status)
{
	assert_int_equal(allowed & ~STATUS_SET(MM_NO_MEMORY), STATUS_SET(status));
}

static void try_map(struct world *world, struct random *random)
{
	uint64_t count = 1 + random_below(random, 6);
	uint64_t output = position(world) + 100 * random_below(random, 2);
	struct map_request request = {
		.range = pages_from_position(world, count),
		.output = paddr(output * PAGE_SIZE),
		.property = random_below(random, 3) ? DATA : CODE,
		.counted = random_below(random, 4) != 0,
	};
	status_set allowed = spec_map_statuses(&world->space, &world->cursor, &request);
	uint64_t first = position(world);
	bool overlaps = mapped_pages(world, first, count) != 0;

	if (first + count > PAGES) {
		assert_int_equal(status_in(allowed, MM_EXISTS), overlaps);
		assert_true(status_in(allowed, MM_OUT_OF_BOUND));
		assert_false(status_in(allowed, MM_OK));
		return;
	}
	expect_only(allowed, overlaps ? MM_EXISTS : MM_OK);
	assert_true(status_in(allowed, MM_NO_MEMORY));
	if (overlaps)
		return;
	assert_true(spec_map_step(&world->space, &world->cursor, &request));
	for (uint64_t i = 0; i < count; i++)
		world->pages[first + i] =
			(struct page){ true, output + i, request.property, request.counted };
	assert_int_equal(position(world), first + count);
}

static void try_replace(struct world *world, struct random *random)
{
	uint64_t first = position(world);
	uint64_t output = 300 + random_below(random, 50);
	struct map_request request = {
		.range = pages_from_position(world, 1),
		.output = paddr(output * PAGE_SIZE),
		.property = CODE,
		.counted = true,
	};
	status_set allowed = spec_replace_statuses(&world->space, &world->cursor, &request);
	enum mm_status expected = MM_OK;

	if (first == PAGES) {
		assert_false(status_in(allowed, MM_OK));
		assert_true(status_in(allowed, MM_OUT_OF_BOUND));
		return;
	}
	if (!world->pages[first].mapped)
		expected = MM_NOT_MAPPED;
	else if (!world->pages[first].counted)
		expected = MM_ACCESS_DENIED;
	expect_only(allowed, expected);
	if (expected != MM_OK)
		return;
	assert_true(spec_replace_step(&world->space, &world->cursor, &request));
	world->pages[first] = (struct page){ true, output, CODE, true };
	assert_int_equal(position(world), first + 1);
}

static void try_unmap(struct world *world, struct random *random)
{
	uint64_t count = random_below(random, 10);
	uint64_t first = position(world);
	struct irange range = pages_from_position(world, count);
	status_set allowed = spec_unmap_statuses(&world->space, &world->cursor, range);
	struct leaf_bounds bounds = spec_leaf_bounds(&world->space.mappings, range);

	assert_int_equal(allowed, STATUS_SET(first + count > PAGES ? MM_OUT_OF_BOUND : MM_OK));
	assert_int_equal(bounds.least, mapped_pages(world, first, count));
	assert_int_equal(bounds.most, mapped_pages(world, first, count));
	if (first + count > PAGES)
		return;
	assert_true(spec_unmap_step(&world->space, &world->cursor, range));
	for (uint64_t i = 0; i < count; i++)
		world->pages[first + i].mapped = false;
	assert_int_equal(position(world), first + count);
}

/* The first mapped page of the next @count; PAGES if there is none. */
static uint64_t next_mapped(const struct world *world, uint64_t count)
{
	uint64_t end = position(world) + count;

	for (uint64_t i = position(world); i < end && i < PAGES; i++) {
		if (world->pages[i].mapped)
			return i;
	}
	return PAGES;
}

/* Everything mapped in the range, of both properties; one of the answers may be missing. */
static void try_protect(struct world *world, struct random *random)
{
	uint64_t count = random_below(random, 10);
	struct irange range = pages_from_position(world, count);
	uint64_t first = position(world);
	const struct property_change both[] = {
		{ DATA, random_below(random, 2) ? CODE : DATA },
		{ CODE, random_below(random, 2) ? CODE : DATA },
	};
	struct property_changes changes = { both, random_below(random, 4) == 0 ? 1 : 2 };
	status_set allowed = spec_protect_statuses(&world->space, &world->cursor, range, changes);
	bool forgotten = false;
	struct leaf_bounds bounds;
	uint64_t changed = 0;
	struct iaddr at;

	if (first + count > PAGES) {
		assert_int_equal(allowed, STATUS_SET(MM_OUT_OF_BOUND));
		return;
	}
	assert_int_equal(allowed, STATUS_SET(MM_OK));
	for (uint64_t i = first; i < first + count; i++) {
		const struct page *page = &world->pages[i];
		bool data = page_property_equal(page->property, DATA);

		if (!page->mapped)
			continue;
		forgotten |= !data && changes.count == 1;
		changed += !page_property_equal(page->property, both[data ? 0 : 1].becomes);
	}
	assert_int_equal(spec_protect_forgets(&world->space, range, changes, &at), forgotten);
	if (forgotten)
		return;
	bounds = spec_changed_leaves(&world->space, range, changes);
	assert_int_equal(bounds.least, changed);
	assert_int_equal(bounds.most, changed);
	assert_true(spec_protect_step(&world->space, &world->cursor, range, changes));
	for (uint64_t i = first; i < first + count; i++) {
		bool data = page_property_equal(world->pages[i].property, DATA);

		if (world->pages[i].mapped)
			world->pages[i].property = both[data ? 0 : 1].becomes;
	}
	assert_int_equal(position(world), first + count);
}

static void try_protect_next(struct world *world, struct random *random)
{
	uint64_t count = random_below(random, 10);
	struct irange range = pages_from_position(world, count);
	uint64_t next = next_mapped(world, count);
	struct page_property property = random_below(random, 2) ? DATA : CODE;
	status_set allowed =
		spec_protect_next_statuses(&world->space, &world->cursor, range, property);
	struct irange changed = irange(iaddr(next * PAGE_SIZE), iaddr((next + 1) * PAGE_SIZE));

	if (position(world) + count > PAGES) {
		assert_int_equal(allowed, STATUS_SET(MM_OUT_OF_BOUND));
		return;
	}
	assert_int_equal(allowed, STATUS_SET(next == PAGES ? MM_NOT_MAPPED : MM_OK));
	if (next == PAGES)
		return;
	assert_true(spec_protect_next_changes(&world->space.mappings, range, changed));
	assert_true(spec_protect_next_step(&world->space, &world->cursor, changed, property));
	world->pages[next].property = property;
	assert_int_equal(position(world), next + 1);
}

static void try_find_next(struct world *world, struct random *random)
{
	uint64_t count = random_below(random, 10);
	struct irange range = pages_from_position(world, count);
	uint64_t next = next_mapped(world, count);
	uint64_t first = position(world);
	status_set allowed = spec_find_next_statuses(&world->space, &world->cursor, range);

	if (first + count > PAGES) {
		assert_int_equal(allowed, STATUS_SET(MM_OUT_OF_BOUND));
		return;
	}
	assert_int_equal(allowed, STATUS_SET(next == PAGES ? MM_NOT_MAPPED : MM_OK));
	spec_find_next_step(&world->space, &world->cursor, range);
	assert_int_equal(position(world), next == PAGES ? first + count : next);
}

static void try_query(struct world *world)
{
	uint64_t first = position(world);
	status_set allowed = spec_query_statuses(&world->space, &world->cursor);
	const struct page *page = &world->pages[first];
	struct cursor_item item = { .range = pages_from_position(world, 1) };

	if (first == PAGES) {
		assert_int_equal(allowed, STATUS_SET(MM_OUT_OF_BOUND));
		return;
	}
	assert_true(status_in(allowed, MM_OK));
	assert_int_equal(status_in(allowed, MM_SATURATED), page->mapped && page->counted);
	assert_int_equal(spec_query_agrees(&world->space, &world->cursor, &item), !page->mapped);
	item.mapped = true;
	item.output = paddr(page->output * PAGE_SIZE);
	item.property = page->property;
	item.counted = page->counted;
	assert_int_equal(spec_query_agrees(&world->space, &world->cursor, &item), page->mapped);
	item.output.value += PAGE_SIZE;
	assert_false(spec_query_agrees(&world->space, &world->cursor, &item));
	item.output.value -= PAGE_SIZE;
	item.counted = !item.counted;
	assert_false(spec_query_agrees(&world->space, &world->cursor, &item));
	item.counted = !item.counted;
	item.property.flags ^= PAGE_WRITE;
	assert_false(spec_query_agrees(&world->space, &world->cursor, &item));
	item.property.flags ^= PAGE_WRITE;
	/* True, but of the page after. */
	item.range.start.value += PAGE_SIZE;
	item.range.end.value += PAGE_SIZE;
	item.mapped = first + 1 < PAGES && world->pages[first + 1].mapped;
	if (item.mapped) {
		item.output.value = world->pages[first + 1].output * PAGE_SIZE;
		item.property = world->pages[first + 1].property;
		item.counted = world->pages[first + 1].counted;
	}
	assert_false(spec_query_agrees(&world->space, &world->cursor, &item));
}

static void random_operations_agree_with_an_array(void **state)
{
	struct world *world = *state;

	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct random random = { seed };

		for (int step = 0; step < 600; step++) {
			switch (random_below(&random, 8)) {
			case 0:
				try_map(world, &random);
				break;
			case 1:
				try_replace(world, &random);
				break;
			case 2:
				try_unmap(world, &random);
				break;
			case 3:
				try_protect_next(world, &random);
				break;
			case 6:
				try_protect(world, &random);
				break;
			case 4:
				try_find_next(world, &random);
				break;
			case 5:
				try_query(world);
				break;
			default:
				spec_jump_step(&world->cursor,
					       iaddr(random_below(&random, PAGES + 1) * PAGE_SIZE));
				break;
			}
			expect_equal(world);
		}
	}
}

/* ---- Refusals ------------------------------------------------------------------------------- */

static void opening_refuses_in_the_order_of_the_interface(void **state)
{
	const struct space_state *space = &((struct world *)*state)->space;
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
	struct world *world = *state;
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
	struct world *world = *state;
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(random_operations_agree_with_an_array),
		TEST(opening_refuses_in_the_order_of_the_interface),
		TEST(map_refuses_each_wrong_argument),
		TEST(ranges_are_refused_alike),
		TEST(stages_express_what_they_can),
	};

	return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}

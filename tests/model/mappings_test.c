/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mappings against an array that says for each page of a small space where it goes: after every one
 * of many random insertions and removals both must say the same, and extents must be maximal.
 */
#include "monitor/random.h"

#include <mappings.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define PAGES 96

struct page {
	bool mapped;
	uint64_t output;
	struct page_property property;
	bool counted;
};

struct world {
	struct model_arena arena;
	struct model_pool pool;
	struct mappings mappings;
	struct page pages[PAGES + 1]; /* the last is never mapped */
	unsigned char memory[PAGES * 256];
};

static struct irange pages_between(uint64_t first, uint64_t end)
{
	return irange(iaddr(first * PAGE_SIZE), iaddr(end * PAGE_SIZE));
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		return -1;
	model_arena_init(&world->arena, world->memory, sizeof(world->memory));
	model_pool_init(&world->pool, &world->arena, sizeof(struct extent));
	mappings_init(&world->mappings, &world->pool);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static bool page_is_hole(const struct world *world, uint64_t page)
{
	return !world->pages[page].mapped;
}

static bool pages_continue(const struct page *a, const struct page *b)
{
	return a->mapped && b->mapped && a->output + PAGE_SIZE == b->output &&
	       page_property_equal(a->property, b->property) && a->counted == b->counted;
}

/* The longest run of pages that continue each other around @page. */
static struct irange array_extent(const struct world *world, uint64_t page)
{
	uint64_t first = page;
	uint64_t last = page;

	while (first > 0 && pages_continue(&world->pages[first - 1], &world->pages[first]))
		first--;
	while (pages_continue(&world->pages[last], &world->pages[last + 1]))
		last++;
	return pages_between(first, last + 1);
}

static void expect_equal(const struct world *world)
{
	for (uint64_t i = 0; i < PAGES; i++) {
		const struct page *page = &world->pages[i];
		struct iaddr address = iaddr(i * PAGE_SIZE + 123);
		struct mapping mapping;

		assert_int_equal(mappings_find(&world->mappings, address, &mapping), page->mapped);

		uint64_t next = i;

		while (next < PAGES && page_is_hole(world, next))
			next++;
		assert_int_equal(mappings_next(&world->mappings, address, &mapping), next < PAGES);
		if (next == PAGES)
			continue;
		page = &world->pages[next];

		struct irange extent = array_extent(world, next);

		assert_int_equal(mapping.range.start.value, extent.start.value);
		assert_int_equal(mapping.range.end.value, extent.end.value);
		assert_int_equal(mapping_output(&mapping, iaddr(next * PAGE_SIZE)).value,
				 page->output);
		assert_true(page_property_equal(mapping.property, page->property));
		assert_int_equal(mapping.counted, page->counted);
	}
}

/* Few outputs, properties and lengths, so that neighbours often continue each other. */
static void random_insert(struct world *world, struct random *random)
{
	uint64_t first = random_below(random, PAGES);
	uint64_t limit = first + 1 + random_below(random, 8);
	uint64_t end = first;
	struct mapping mapping = {
		.output = paddr((first + PAGES * random_below(random, 2)) * PAGE_SIZE),
		.property = page_property(random_below(random, 4) ? PAGE_READ : PAGE_WRITE,
					  random_below(random, 4) ? CACHE_WRITEBACK : CACHE_DEVICE),
		.counted = random_below(random, 4) != 0,
	};

	while (end < PAGES && end < limit && page_is_hole(world, end))
		end++;
	if (end == first)
		return;
	mapping.range = pages_between(first, end);
	assert_true(mappings_insert(&world->mappings, mapping));
	for (uint64_t i = first; i < end; i++)
		world->pages[i] =
			(struct page){ true, mapping.output.value + (i - first) * PAGE_SIZE,
				       mapping.property, mapping.counted };
}

static void random_remove(struct world *world, struct random *random)
{
	uint64_t first = random_below(random, PAGES);
	uint64_t end = first + random_below(random, 12);

	if (end > PAGES)
		end = PAGES;
	assert_true(mappings_remove(&world->mappings, pages_between(first, end)));
	for (uint64_t i = first; i < end; i++)
		world->pages[i].mapped = false;
}

static void random_changes_agree_with_an_array(void **state)
{
	struct world *world = *state;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct random random = { seed };

		for (int step = 0; step < 400; step++) {
			if (random_below(&random, 2))
				random_insert(world, &random);
			else
				random_remove(world, &random);
			expect_equal(world);
		}
	}
}

/* Cells are used again: as many extents at a time as pages, however long it goes on. */
static void clear_forgets_everything(void **state)
{
	struct world *world = *state;
	struct mapping mapping = { .property = page_property(PAGE_READ, CACHE_WRITEBACK) };

	for (int round = 0; round < 10; round++) {
		for (uint64_t i = 0; i < PAGES; i++) {
			mapping.range = pages_between(i, i + 1);
			mapping.output = paddr((PAGES - i) * PAGE_SIZE);
			assert_true(mappings_insert(&world->mappings, mapping));
		}
		mappings_clear(&world->mappings);
		expect_equal(world);
	}
}

/* A full arena is said, and leaves what was there. */
static void full_arena_changes_nothing(void **state)
{
	struct world *world = *state;
	struct mapping mapping = { .range = pages_between(0, 9), .counted = true };

	assert_true(mappings_insert(&world->mappings, mapping));
	world->arena.left = 0;
	for (uint64_t i = 0; i < 9; i++)
		world->pages[i] = (struct page){ true, i * PAGE_SIZE, mapping.property, true };

	assert_false(mappings_remove(&world->mappings, pages_between(3, 4)));
	expect_equal(world);
	mapping.range = pages_between(20, 21);
	assert_false(mappings_insert(&world->mappings, mapping));
	expect_equal(world);
	assert_true(mappings_remove(&world->mappings, pages_between(3, 9)));
}

static void cut_keeps_outputs(void **state)
{
	struct world *world = *state;
	struct mapping mapping = { .range = pages_between(4, 12), .output = paddr(0x100000) };

	assert_true(mappings_insert(&world->mappings, mapping));
	assert_true(mappings_next_in(&world->mappings, pages_between(6, 9), &mapping));
	assert_int_equal(mapping.range.start.value, 6 * PAGE_SIZE);
	assert_int_equal(mapping.range.end.value, 9 * PAGE_SIZE);
	assert_int_equal(mapping.output.value, 0x102000);
	assert_true(mappings_next_in(&world->mappings, pages_between(0, 5), &mapping));
	assert_int_equal(mapping.range.start.value, 4 * PAGE_SIZE);
	assert_int_equal(mapping.range.end.value, 5 * PAGE_SIZE);
	assert_int_equal(mapping.output.value, 0x100000);
	assert_false(mappings_next_in(&world->mappings, pages_between(12, 20), &mapping));
	assert_false(mappings_next_in(&world->mappings, pages_between(0, 4), &mapping));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_changes_agree_with_an_array, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(clear_forgets_everything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_arena_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cut_keeps_outputs, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("mappings", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page table specification against an array with one entry for each page of a small space, where
 * every rule can be written down page by page.
 */
#include "monitor/random.h"
#include "spec_world.h"

#define PAGES 64

#define CODE page_property(PAGE_READ | PAGE_EXECUTE | PAGE_ACCESSED, CACHE_WRITEBACK)

struct page {
	bool mapped;
	uint64_t output; /* page number */
	struct page_property property;
	bool counted;
};

struct world {
	struct spec_world spec;
	struct page pages[PAGES];
};

static int set_up(void **state)
{
	static struct world world;

	spec_world_init(&world.spec, 32, PAGES * PAGE_SIZE);
	*state = &world;
	return 0;
}

static uint64_t position(const struct world *world)
{
	return world->spec.cursor.position.value / PAGE_SIZE;
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
			mappings_find(&world->spec.space.mappings, iaddr(i * PAGE_SIZE), &mapping),
			page->mapped);
		if (!page->mapped)
			continue;
		assert_int_equal(mapping_output(&mapping, iaddr(i * PAGE_SIZE)).value,
				 page->output * PAGE_SIZE);
		assert_true(page_property_equal(mapping.property, page->property));
		assert_int_equal(mapping.counted, page->counted);
	}
}

static void try_map(struct world *world, struct random *random)
{
	uint64_t count = 1 + random_below(random, 6);
	uint64_t output = position(world) + 100 * random_below(random, 2);
	struct map_request request = {
		.range = pages_from_position(&world->spec, count),
		.output = paddr(output * PAGE_SIZE),
		.property = random_below(random, 3) ? DATA : CODE,
		.counted = random_below(random, 4) != 0,
	};
	status_set allowed = spec_map_statuses(&world->spec.space, &world->spec.cursor, &request);
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
	assert_true(spec_map_step(&world->spec.space, &world->spec.cursor, &request));
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
		.range = pages_from_position(&world->spec, 1),
		.output = paddr(output * PAGE_SIZE),
		.property = CODE,
		.counted = true,
	};
	status_set allowed =
		spec_replace_statuses(&world->spec.space, &world->spec.cursor, &request);
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
	assert_true(spec_replace_step(&world->spec.space, &world->spec.cursor, &request));
	world->pages[first] = (struct page){ true, output, CODE, true };
	assert_int_equal(position(world), first + 1);
}

static void try_unmap(struct world *world, struct random *random)
{
	uint64_t count = random_below(random, 10);
	uint64_t first = position(world);
	struct irange range = pages_from_position(&world->spec, count);
	status_set allowed = spec_unmap_statuses(&world->spec.space, &world->spec.cursor, range);
	struct leaf_bounds bounds = spec_leaf_bounds(&world->spec.space.mappings, range);

	assert_int_equal(allowed, STATUS_SET(first + count > PAGES ? MM_OUT_OF_BOUND : MM_OK));
	assert_int_equal(bounds.least, mapped_pages(world, first, count));
	assert_int_equal(bounds.most, mapped_pages(world, first, count));
	if (first + count > PAGES)
		return;
	assert_true(spec_unmap_step(&world->spec.space, &world->spec.cursor, range));
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
	struct irange range = pages_from_position(&world->spec, count);
	uint64_t first = position(world);
	const struct property_change both[] = {
		{ DATA, random_below(random, 2) ? CODE : DATA },
		{ CODE, random_below(random, 2) ? CODE : DATA },
	};
	struct property_changes changes = { both, random_below(random, 4) == 0 ? 1 : 2 };
	status_set allowed =
		spec_protect_statuses(&world->spec.space, &world->spec.cursor, range, changes);
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
	assert_int_equal(spec_protect_forgets(&world->spec.space, range, changes, &at), forgotten);
	if (forgotten)
		return;
	bounds = spec_changed_leaves(&world->spec.space, range, changes);
	assert_int_equal(bounds.least, changed);
	assert_int_equal(bounds.most, changed);
	assert_true(spec_protect_step(&world->spec.space, &world->spec.cursor, range, changes));
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
	struct irange range = pages_from_position(&world->spec, count);
	uint64_t next = next_mapped(world, count);
	struct page_property property = random_below(random, 2) ? DATA : CODE;
	status_set allowed = spec_protect_next_statuses(&world->spec.space, &world->spec.cursor,
							range, property);
	struct irange changed = irange(iaddr(next * PAGE_SIZE), iaddr((next + 1) * PAGE_SIZE));

	if (position(world) + count > PAGES) {
		assert_int_equal(allowed, STATUS_SET(MM_OUT_OF_BOUND));
		return;
	}
	assert_int_equal(allowed, STATUS_SET(next == PAGES ? MM_NOT_MAPPED : MM_OK));
	if (next == PAGES)
		return;
	assert_true(spec_protect_next_changes(&world->spec.space.mappings, range, changed));
	assert_true(
		spec_protect_next_step(&world->spec.space, &world->spec.cursor, changed, property));
	world->pages[next].property = property;
	assert_int_equal(position(world), next + 1);
}

static void try_find_next(struct world *world, struct random *random)
{
	uint64_t count = random_below(random, 10);
	struct irange range = pages_from_position(&world->spec, count);
	uint64_t next = next_mapped(world, count);
	uint64_t first = position(world);
	status_set allowed =
		spec_find_next_statuses(&world->spec.space, &world->spec.cursor, range);

	if (first + count > PAGES) {
		assert_int_equal(allowed, STATUS_SET(MM_OUT_OF_BOUND));
		return;
	}
	assert_int_equal(allowed, STATUS_SET(next == PAGES ? MM_NOT_MAPPED : MM_OK));
	spec_find_next_step(&world->spec.space, &world->spec.cursor, range);
	assert_int_equal(position(world), next == PAGES ? first + count : next);
}

static void try_query(struct world *world)
{
	uint64_t first = position(world);
	status_set allowed = spec_query_statuses(&world->spec.space, &world->spec.cursor);
	const struct page *page = &world->pages[first];
	struct cursor_item item = { .range = pages_from_position(&world->spec, 1) };

	if (first == PAGES) {
		assert_int_equal(allowed, STATUS_SET(MM_OUT_OF_BOUND));
		return;
	}
	assert_true(status_in(allowed, MM_OK));
	assert_int_equal(status_in(allowed, MM_SATURATED), page->mapped && page->counted);
	assert_int_equal(spec_query_agrees(&world->spec.space, &world->spec.cursor, &item),
			 !page->mapped);
	item.mapped = true;
	item.output = paddr(page->output * PAGE_SIZE);
	item.property = page->property;
	item.counted = page->counted;
	assert_int_equal(spec_query_agrees(&world->spec.space, &world->spec.cursor, &item),
			 page->mapped);
	item.output.value += PAGE_SIZE;
	assert_false(spec_query_agrees(&world->spec.space, &world->spec.cursor, &item));
	item.output.value -= PAGE_SIZE;
	item.counted = !item.counted;
	assert_false(spec_query_agrees(&world->spec.space, &world->spec.cursor, &item));
	item.counted = !item.counted;
	item.property.flags ^= PAGE_WRITE;
	assert_false(spec_query_agrees(&world->spec.space, &world->spec.cursor, &item));
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
	assert_false(spec_query_agrees(&world->spec.space, &world->spec.cursor, &item));
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
				spec_jump_step(&world->spec.cursor,
					       iaddr(random_below(&random, PAGES + 1) * PAGE_SIZE));
				break;
			}
			expect_equal(world);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(random_operations_agree_with_an_array),
	};

	return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}

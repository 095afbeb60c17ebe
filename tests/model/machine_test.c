/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The translation machines: every step of small ones, and many steps of large ones.
 */
#include "machine_fixture.h"
#include "monitor/random.h"
#include "small_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define ALL (PAGE_READ | PAGE_WRITE | PAGE_EXECUTE | PAGE_ACCESSED)

static const struct page_property read_write = { PAGE_READ | PAGE_WRITE | PAGE_ACCESSED,
						 CACHE_WRITEBACK };
static const struct page_property read_only = { PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK };

/* ---- Small machines, every step ------------------------------------------------------------ */

static void explore(const char *name, const struct small_world *world)
{
	struct exploration result = small_world_explore(world);

	print_message("# %s: %llu states, %llu steps\n", name, (unsigned long long)result.states,
		      (unsigned long long)result.steps);
	if (result.broken.broken != NULL)
		fail_msg("%s: %s (step %d)", result.broken.theorem, result.broken.broken,
			 (int)result.step.kind);
	for (int kind = 0; kind < STEP_COUNT; kind++)
		assert_true(result.kinds[kind] > 0);
}

static void every_step_with_two_pages(void **state)
{
	const struct page_property properties[] = { read_write, read_only };
	const struct small_world world = { 2, 2, 2, properties, COUNT_OF(properties), false };

	(void)state;
	explore("two pages, a block, two words", &world);
}

static void every_step_with_four_pages(void **state)
{
	const struct page_property properties[] = { read_write };
	const struct small_world world = { 4, 2, 2, properties, COUNT_OF(properties), false };

	(void)state;
	explore("four pages, two blocks", &world);
}

/* Every combination of read, write, execute, user, Access flag and device. */
static void every_step_with_every_property(void **state)
{
	struct page_property properties[64];
	struct small_world world = { 2, 1, 2, properties, COUNT_OF(properties), true };

	(void)state;
	for (unsigned int i = 0; i < COUNT_OF(properties); i++) {
		uint8_t flags = (uint8_t)(i & ALL);

		if (i & 16)
			flags |= PROPERTY_USER;
		properties[i] = page_property(flags, i & 32 ? CACHE_DEVICE : CACHE_WRITEBACK);
	}
	/* One at a time beside read-write: two at once differ in nothing else. */
	for (unsigned int i = 0; i < COUNT_OF(properties); i += 1) {
		const struct page_property pair[] = { properties[i], read_write };

		world.properties = pair;
		world.property_count = page_property_equal(pair[0], pair[1]) ? 1 : 2;
		struct exploration result = small_world_explore(&world);

		if (result.broken.broken != NULL)
			fail_msg("flags 0x%x: %s: %s", properties[i].flags, result.broken.theorem,
				 result.broken.broken);
	}
}

/* ---- Large machines, many steps ------------------------------------------------------------ */

/* Places where mappings begin and end, at which leaves of every size meet. */
static uint64_t random_address(struct random *random)
{
	static const uint64_t units[] = { KIB(4), MIB(2), GIB(1) };
	uint64_t unit = units[random_below(random, COUNT_OF(units))];

	return random_below(random, 3) * unit + random_below(random, 2) * (MIB(2) - KIB(4));
}

static struct mapping random_mapping(struct random *random)
{
	static const uint64_t sizes[] = { KIB(4), KIB(8), MIB(2), MIB(4), GIB(1) };
	uint64_t start = random_address(random);
	uint64_t size = sizes[random_below(random, COUNT_OF(sizes))];
	uint8_t flags = (uint8_t)random_below(random, ALL + 1) | PAGE_READ;

	if (random_below(random, 8) != 0)
		flags |= PAGE_ACCESSED;
	return (struct mapping){
		.range = irange(iaddr(start), iaddr(start + size)),
		.output = paddr(MEMORY_START +
				(random_below(random, 2) ? start : random_address(random))),
		.property = page_property(flags,
					  random_below(random, 4) ? CACHE_WRITEBACK : CACHE_DEVICE),
	};
}

/* A leaf around some address, of something that may be cached; it need not be one. */
static struct mapping random_leaf(const struct low_state *low, struct random *random)
{
	static const uint64_t sizes[] = { KIB(4), MIB(2), GIB(1) };
	uint64_t size = sizes[random_below(random, COUNT_OF(sizes))];
	struct iaddr address = iaddr(random_address(random));
	struct iaddr start = iaddr(address.value / size * size);
	struct mapping mapping = { .counted = false };

	if (mappings_find(random_below(random, 3) ? &low->hardware.table.mappings : &low->leaving,
			  address, &mapping))
		mapping = mapping_cut(mapping, irange(start, iaddr(start.value + size)));
	return mapping;
}

static struct low_step random_step(const struct low_state *low, struct random *random)
{
	struct low_step step = { .kind = STEP_ACCESS };

	step.access = (struct access){
		.kind = (enum access_kind)random_below(random, 3),
		.address = iaddr(random_address(random)),
		.value = random_next(random),
	};
	switch (random_below(random, 12)) {
	case 0:
	case 1:
		step.kind = STEP_MAP;
		step.mapping = random_mapping(random);
		break;
	case 2:
		step.kind = STEP_UNMAP;
		step.mapping = random_mapping(random);
		break;
	case 3:
		step.kind = random_below(random, 3) ? STEP_QUERY : STEP_FLUSH;
		break;
	case 4:
	case 5:
	case 6:
		step.kind = STEP_FILL;
		step.entry = random_leaf(low, random);
		break;
	case 7:
		step.kind = STEP_EVICT;
		step.entry = random_leaf(low, random);
		break;
	default:
		step.choice = (unsigned int)random_below(random, 2);
	}
	return step;
}

static void many_steps_of_large_machines(void **state)
{
	struct machine *machine = *state;
	uint64_t kinds[STEP_COUNT] = { 0 };

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct random random = { seed };

		low_clear(&machine->before);
		for (unsigned int i = 0; i < 1000; i++) {
			struct low_step step = random_step(&machine->before, &random);
			struct refine_result result;

			if (!low_may(&machine->before, &step))
				continue;
			assert_true(low_copy(&machine->after, &machine->before));
			assert_true(low_take(&machine->after, &step));
			result = refine_check_step(&machine->refinement, &machine->before,
						   &machine->after, &step);
			if (result.broken != NULL)
				fail_msg("seed %llu, step %u: %s: %s", (unsigned long long)seed, i,
					 result.theorem, result.broken);
			assert_true(low_copy(&machine->before, &machine->after));
			kinds[step.kind]++;
		}
	}
	for (int kind = 0; kind < STEP_COUNT; kind++)
		assert_true(kinds[kind] > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_with_two_pages),
		cmocka_unit_test(every_step_with_four_pages),
		cmocka_unit_test(every_step_with_every_property),
		cmocka_unit_test_setup_teardown(many_steps_of_large_machines, machine_set_up,
						machine_tear_down),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}

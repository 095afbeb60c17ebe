/* SPDX-License-Identifier: BSD-3-Clause */
#include "small_world.h"

#include <mappings_relate.h>
#include <stdlib.h>

#define PAGE_BYTES WORD_BYTES
#define ARENA_BYTES (UINT64_C(1) << 20)
#define SEEN_SLOTS (UINT64_C(1) << 20)

/*
 * A state, written down: of each page whether it is a hole, mapped or leaving, and how; of each leaf
 * that can be there whether it is cached; each word. Page 0 has the lowest digits.
 */
typedef uint64_t state_key;

struct explorer {
	const struct small_world *world;
	struct machine_pools pools;
	struct refinement refinement;
	struct low_state before, after;
	state_key *seen; /* plus one; open addressing */
	state_key *queue;
	uint64_t queued, taken;
	struct exploration result;
};

static bool expresses(struct page_property property)
{
	(void)property;
	return true;
}

static struct page_table_constants constants_of(const struct small_world *world)
{
	uint64_t bytes = world->pages * PAGE_BYTES;

	return (struct page_table_constants){
		.arch = {
			.level_count = 2,
			.root_level = 2,
			.levels = { { 2, 2 * PAGE_BYTES, true },
				    { 2, PAGE_BYTES, true } },
		},
		.input = irange(iaddr(0), iaddr(bytes)),
		.memory = prange(paddr(0), paddr(world->outputs * PAGE_BYTES)),
		.pa_bits = 32,
		.expresses = expresses,
	};
}

static struct irange pages_of(uint64_t first, uint64_t count)
{
	return irange(iaddr(first * PAGE_BYTES), iaddr((first + count) * PAGE_BYTES));
}

static struct mapping mapping_of(const struct small_world *world, uint64_t first, uint64_t count,
				 uint64_t output, unsigned int property)
{
	return (struct mapping){
		.range = pages_of(first, count),
		.output = paddr(output * PAGE_BYTES),
		.property = world->properties[property],
	};
}

/* ---- States, written down and read ------------------------------------------------------------ */

static unsigned int property_index(const struct small_world *world, struct page_property property)
{
	unsigned int index = 0;

	while (!page_property_equal(world->properties[index], property))
		index++;
	return index;
}

/* 0 a hole; then the ways to be mapped; then the ways to be leaving. */
static uint64_t page_digit(const struct explorer *explorer, const struct low_state *low,
			   uint64_t page)
{
	const struct small_world *world = explorer->world;
	const uint64_t ways = (uint64_t)world->outputs * world->property_count;
	struct iaddr address = iaddr(page * PAGE_BYTES);
	struct mapping mapping;
	uint64_t way;

	if (!mappings_find(&low->hardware.table.mappings, address, &mapping) &&
	    !mappings_find(&low->leaving, address, &mapping))
		return 0;
	way = mapping_output(&mapping, address).value / PAGE_BYTES * world->property_count +
	      property_index(world, mapping.property);
	if (mappings_find(&low->hardware.table.mappings, address, &mapping))
		return 1 + way;
	return 1 + ways + way;
}

static uint64_t page_digits(const struct small_world *world)
{
	return 1 + 2 * (uint64_t)world->outputs * world->property_count;
}

/* The @number-th leaf that there may be: pages first, then blocks. False: nothing maps it as one. */
static bool leaf_of(const struct low_state *low, const struct small_world *world,
		    unsigned int number, struct mapping *leaf)
{
	struct irange range = number < world->pages ? pages_of(number, 1)
						    : pages_of((number - world->pages) * 2, 2);
	const struct table_arch *arch = &low->hardware.table.constants.arch;

	if ((mappings_next_in(&low->hardware.table.mappings, range, leaf) &&
	     irange_contains(leaf->range, range) && table_arch_is_leaf(arch, leaf)) ||
	    (mappings_next_in(&low->leaving, range, leaf) && irange_contains(leaf->range, range) &&
	     table_arch_is_leaf(arch, leaf)))
		return true;
	return false;
}

static unsigned int leaf_count(const struct small_world *world)
{
	return world->pages + world->pages / 2;
}

static state_key write_down(const struct explorer *explorer, const struct low_state *low)
{
	const struct small_world *world = explorer->world;
	state_key key = 0, scale = 1;

	for (uint64_t page = 0; page < world->pages; page++, scale *= page_digits(world))
		key += scale * page_digit(explorer, low, page);
	for (unsigned int i = 0; i < leaf_count(world); i++, scale *= 2) {
		struct mapping leaf;

		if (leaf_of(low, world, i, &leaf) && tlb_has(&low->hardware.tlb, &leaf))
			key += scale;
	}
	for (uint64_t i = 0; i < world->outputs; i++, scale *= world->values) {
		uint64_t value = 0;

		(void)words_find(&low->hardware.mem, i, &value);
		key += scale * value;
	}
	return key;
}

static uint64_t digit(state_key *key, uint64_t base)
{
	uint64_t value = *key % base;

	*key /= base;
	return value;
}

static bool read_page(struct explorer *explorer, struct low_state *low, uint64_t page,
		      uint64_t value)
{
	const struct small_world *world = explorer->world;
	const uint64_t ways = (uint64_t)world->outputs * world->property_count;
	struct mappings *mappings = value > ways ? &low->leaving : &low->hardware.table.mappings;

	if (value == 0)
		return true;
	value = (value - 1) % ways;
	return mappings_insert(mappings, mapping_of(world, page, 1, value / world->property_count,
						    (unsigned int)(value % world->property_count)));
}

static bool read_back(struct explorer *explorer, state_key key, struct low_state *low)
{
	const struct small_world *world = explorer->world;
	bool room = true;

	low_clear(low);
	for (uint64_t page = 0; page < world->pages; page++)
		room = room && read_page(explorer, low, page, digit(&key, page_digits(world)));
	for (unsigned int i = 0; i < leaf_count(world); i++) {
		struct mapping leaf;

		if (digit(&key, 2) != 0 && leaf_of(low, world, i, &leaf))
			room = room && hardware_fill(&low->hardware, &leaf);
	}
	for (uint64_t i = 0; i < world->outputs; i++)
		room = room && words_set(&low->hardware.mem, i, digit(&key, world->values));
	return room;
}

/* ---- The search ---------------------------------------------------------------------------- */

static void visit(struct explorer *explorer, state_key key)
{
	uint64_t slot = (key * UINT64_C(0x9e3779b97f4a7c15)) >> 44;

	for (; explorer->seen[slot] != 0; slot = (slot + 1) % SEEN_SLOTS)
		if (explorer->seen[slot] == key + 1)
			return;
	if (explorer->queued == SEEN_SLOTS / 2) {
		explorer->result.broken = (struct refine_result){ "search", "there is room" };
		return;
	}
	explorer->seen[slot] = key + 1;
	explorer->queue[explorer->queued++] = key;
}

/* A step that the machine takes is one that a reading may find. */
static bool may_be_read(const struct explorer *explorer, const struct low_step *step)
{
	struct outcome outcomes[LOW_OUTCOMES_MAX];
	unsigned int count = low_outcomes(&explorer->before, NULL, &step->access, 0, outcomes);

	for (unsigned int i = 0; i < count; i++)
		if (outcome_allows(&outcomes[i], &step->outcome))
			return true;
	return false;
}

/* Takes @step from the state written down as @key; false if it may not be taken. */
static bool take(struct explorer *explorer, state_key key, struct low_step step)
{
	struct exploration *result = &explorer->result;

	if (result->broken.broken != NULL || !low_may(&explorer->before, &step))
		return false;
	if (!read_back(explorer, key, &explorer->after) || !low_take(&explorer->after, &step)) {
		result->broken = (struct refine_result){ "search", "the arena is full" };
		return false;
	}
	result->steps++;
	result->kinds[step.kind]++;
	result->broken = refine_check_step(&explorer->refinement, &explorer->before,
					   &explorer->after, &step);
	if (step.kind == STEP_ACCESS && !may_be_read(explorer, &step))
		result->broken =
			(struct refine_result){ "low_outcomes", "what a machine does may be read" };
	result->step = step;
	if (result->broken.broken == NULL)
		visit(explorer, write_down(explorer, &explorer->after));
	return true;
}

/* By each of what the hardware may use for it. */
static void take_access(struct explorer *explorer, state_key key, struct access access)
{
	struct low_step step = { .kind = STEP_ACCESS, .access = access };

	while (take(explorer, key, step))
		step.choice++;
}

static void take_accesses(struct explorer *explorer, state_key key)
{
	const struct small_world *world = explorer->world;

	for (uint64_t page = 0; page < world->pages; page++)
		for (unsigned int user = 0; user < (world->users ? 2u : 1u); user++) {
			struct access access = { ACCESS_READ, user != 0, iaddr(page * PAGE_BYTES),
						 0 };

			take_access(explorer, key, access);
			access.kind = ACCESS_EXECUTE;
			take_access(explorer, key, access);
			access.kind = ACCESS_WRITE;
			for (access.value = 0; access.value < world->values; access.value++)
				take_access(explorer, key, access);
		}
}

static void take_table_steps(struct explorer *explorer, state_key key)
{
	const struct small_world *world = explorer->world;

	for (uint64_t first = 0; first < world->pages; first++)
		for (uint64_t count = 1; first + count <= world->pages; count++) {
			take(explorer, key,
			     (struct low_step){ .kind = STEP_UNMAP,
						.mapping.range = pages_of(first, count) });
			for (uint64_t output = 0; output + count <= world->outputs; output++)
				for (unsigned int i = 0; i < world->property_count; i++)
					take(explorer, key,
					     (struct low_step){ .kind = STEP_MAP,
								.mapping = mapping_of(world, first,
										      count, output,
										      i) });
		}
	take(explorer, key, (struct low_step){ .kind = STEP_FLUSH });
	for (uint64_t page = 0; page < world->pages; page++)
		take(explorer, key,
		     (struct low_step){ .kind = STEP_QUERY,
					.access.address = iaddr(page * PAGE_BYTES) });
}

static void take_tlb_steps(struct explorer *explorer, state_key key)
{
	for (unsigned int i = 0; i < leaf_count(explorer->world); i++) {
		struct low_step step = { .kind = STEP_FILL };

		if (!leaf_of(&explorer->before, explorer->world, i, &step.entry))
			continue;
		take(explorer, key, step);
		step.kind = STEP_EVICT;
		take(explorer, key, step);
	}
}

static void search(struct explorer *explorer)
{
	const struct page_table_constants constants = constants_of(explorer->world);

	low_make(&explorer->before, &explorer->pools, &constants);
	low_make(&explorer->after, &explorer->pools, &constants);
	refine_make(&explorer->refinement, &explorer->pools);
	explorer->result.broken = refine_check_init(&explorer->refinement, &explorer->before);
	if (explorer->result.broken.broken != NULL)
		return;
	visit(explorer, 0);
	while (explorer->taken < explorer->queued && explorer->result.broken.broken == NULL) {
		state_key key = explorer->queue[explorer->taken++];

		if (!read_back(explorer, key, &explorer->before) ||
		    write_down(explorer, &explorer->before) != key) {
			explorer->result.broken =
				(struct refine_result){ "search",
							"a state is read as it was written" };
			return;
		}
		take_accesses(explorer, key);
		take_table_steps(explorer, key);
		take_tlb_steps(explorer, key);
	}
	explorer->result.states = explorer->queued;
}

struct exploration small_world_explore(const struct small_world *world)
{
	struct explorer explorer = { .world = world };
	void *memory = malloc(ARENA_BYTES);
	struct model_arena arena;
	struct exploration result;

	explorer.seen = calloc(SEEN_SLOTS, sizeof(*explorer.seen));
	explorer.queue = malloc(SEEN_SLOTS / 2 * sizeof(*explorer.queue));
	explorer.result.broken = (struct refine_result){ "search", "the host has memory" };
	if (memory != NULL && explorer.seen != NULL && explorer.queue != NULL) {
		model_arena_init(&arena, memory, ARENA_BYTES);
		machine_pools_init(&explorer.pools, &arena);
		search(&explorer);
	}
	result = explorer.result;
	free(memory);
	free(explorer.seen);
	free(explorer.queue);
	return result;
}

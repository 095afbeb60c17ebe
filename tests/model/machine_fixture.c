/* SPDX-License-Identifier: BSD-3-Clause */
#include "machine_fixture.h"

#include <stdlib.h>

#define ARENA_BYTES (UINT64_C(8) << 20)

static bool expresses(struct page_property property)
{
	return property.cache < CACHE_POLICY_COUNT;
}

struct page_table_constants machine_constants(void)
{
	return (struct page_table_constants){
		.arch = {
			.level_count = 3,
			.root_level = 1,
			.levels = { { 512, GIB(1), true }, { 512, MIB(2), true }, { 512, KIB(4), true } },
		},
		.input = irange(iaddr(0), iaddr(UINT64_C(1) << 39)),
		.memory = prange(paddr(MEMORY_START), paddr(MEMORY_START + MEMORY_BYTES)),
		.pa_bits = 44,
		.expresses = expresses,
	};
}

struct mapping machine_mapping(uint64_t start, uint64_t size, uint64_t offset,
			       struct page_property property)
{
	return (struct mapping){
		.range = irange(iaddr(start), iaddr(start + size)),
		.output = paddr(MEMORY_START + offset),
		.property = property,
	};
}

int machine_set_up(void **state)
{
	const struct page_table_constants constants = machine_constants();
	struct machine *machine = calloc(1, sizeof(*machine));

	if (machine == NULL)
		return -1;
	*state = machine;
	machine->memory = malloc(ARENA_BYTES);
	if (machine->memory == NULL)
		return -1;
	model_arena_init(&machine->arena, machine->memory, ARENA_BYTES);
	machine_pools_init(&machine->pools, &machine->arena);
	low_make(&machine->before, &machine->pools, &constants);
	low_make(&machine->after, &machine->pools, &constants);
	refine_make(&machine->refinement, &machine->pools);
	return 0;
}

int machine_tear_down(void **state)
{
	struct machine *machine = *state;

	free(machine->memory);
	free(machine);
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* One suite for every page table: the engine in all its shapes, and a list of pages. */
#include <arch/features.h>
#include "broken_tables.h"
#include "engine_table.h"
#include "harness.h"

static unsigned char memory[128 << 10];

static struct conformance_result try(enum conformance_claim claim,
				     const struct page_table_interface *interface, void *table)
{
	struct model_arena arena;

	model_arena_init(&arena, memory, sizeof(memory));
	return conformance_try(claim, interface, table, arena);
}

static void expect_conforms(const struct page_table_interface *interface, void *table,
			    const char *shape, unsigned int bits)
{
	for (int claim = 0; claim < CONFORMANCE_COUNT; claim++) {
		struct conformance_result result =
			try((enum conformance_claim)claim, interface, table);

		if (result.broken != NULL)
			FAIL("%s, %s, %u bits: '%s' does not hold, but the rule is: %s (%s at "
			     "0x%llx)",
			     interface->name, shape, bits,
			     conformance_text((enum conformance_claim)claim), result.broken,
			     result.call, (unsigned long long)result.address);
		EXPECT_TRUE(result.calls > 0);
	}
}

TEST(a_list_of_pages_conforms)
{
	struct naive_table naive;

	expect_conforms(&naive_table_interface, &naive, "naive", 0);
}

TEST(each_claim_rejects_a_table_that_breaks_it)
{
	static struct broken_table broken;

	for (int claim = 0; claim < CONFORMANCE_COUNT; claim++) {
		broken.breaks = (enum conformance_claim)claim;
		if (try(broken.breaks, &broken_table_interface, &broken).broken == NULL)
			FAIL("the suite accepts a table that breaks '%s'",
			     conformance_text(broken.breaks));
	}
}

/* Uncounted outputs, and counted ones. */
static void expect_engine_conforms(struct world *world, enum translation_stage stage,
				   unsigned int bits, const char *shape)
{
	struct engine_table engine = { .world = world, .stage = stage, .ia_bits = bits };

	expect_conforms(&engine_table_interface, &engine, shape, bits);
	engine.counted = true;
	expect_conforms(&engine_table_interface, &engine, shape, bits);
}

TEST(el2_stage1_conforms_with_every_number_of_levels)
{
	static const unsigned int bits[] = { 30, 39, 48 };

	for (size_t i = 0; i < COUNT_OF(bits); i++)
		expect_engine_conforms(world, STAGE_1, bits[i], "EL2 Stage 1");
}

TEST(el2_stage1_conforms_while_el2_runs_on_it)
{
	struct engine_table engine = { .world = world, .live = true };

	expect_conforms(&engine_table_interface, &engine, "EL2 Stage 1, live", 48);
	engine.counted = true;
	expect_conforms(&engine_table_interface, &engine, "EL2 Stage 1, live", 48);
}

/* What the CPU has not got, vm_space_new_stage2 refuses: that is claimed elsewhere. */
static void expect_stage2_conforms(struct world *world, unsigned int bits, unsigned int root_level,
				   unsigned int root_tables, const char *shape)
{
	struct vm_space space;

	if (bits > arch_features()->pa_bits)
		return;
	EXPECT_OK(vm_space_new_stage2(bits, &space));
	EXPECT_EQUAL(space.geometry.root_level, root_level);
	EXPECT_EQUAL(space.geometry.root_tables, root_tables);
	EXPECT_OK(vm_space_destroy(&space));
	expect_engine_conforms(world, STAGE_2, bits, shape);
}

TEST(stage2_of_three_levels_conforms)
{
	expect_stage2_conforms(world, 39, 1, 1, "Stage 2, three levels");
}

TEST(stage2_of_concatenated_roots_conforms)
{
	expect_stage2_conforms(world, 34, 2, 16, "Stage 2, 16 roots at level 2");
	expect_stage2_conforms(world, 40, 1, 2, "Stage 2, 2 roots");
	expect_stage2_conforms(world, 43, 1, 16, "Stage 2, 16 roots");
}

TEST(stage2_of_four_levels_conforms)
{
#if WORLD_SIMULATED
	struct world_config config = world_default_config();

	config.machine.features.pa_bits = 48;
	world_restart(world, &config);
	expect_stage2_conforms(world, 48, 0, 1, "Stage 2, four levels");
#endif
	expect_stage2_conforms(world, 44, 0, 1, "Stage 2, four levels");
}

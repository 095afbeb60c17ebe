/* SPDX-License-Identifier: BSD-3-Clause */
/* VMIDs, on a CPU that has few of them and a TLB that forgets nothing. */
#include "mapping.h"
#include <stdlib.h>

enum { SPACES = 600 };

static void few_vmids(struct world *world)
{
	struct world_config config = world_default_config();

	config.machine.features = machine_features_v8_0();
	world_restart(world, &config);
}

static struct vm_space *many_spaces(struct world *world, struct paddr *pages)
{
	struct vm_space *spaces = calloc(SPACES, sizeof(*spaces));

	for (size_t i = 0; i < SPACES; i++) {
		EXPECT_OK(vm_space_new_stage2(32, &spaces[i]));
		pages[i] = map_frame_at(world, &spaces[i], 0, READ_ONLY);
	}
	return spaces;
}

static void destroy_all(struct vm_space *spaces)
{
	for (size_t i = 0; i < SPACES; i++)
		EXPECT_OK(vm_space_destroy(&spaces[i]));
	free(spaces);
}

/* 600 spaces and 255 VMIDs: none is 0, none is wider than the CPU's, no two spaces have one at the
 * same time, and each space always sees its own page. */
TEST(vmids_are_never_shared)
{
	struct paddr pages[SPACES];

	few_vmids(world);

	struct vm_space *spaces = many_spaces(world, pages);

	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < SPACES; i++) {
			struct paddr output;

			EXPECT_TRUE(
				world_translate(world, &spaces[i], iaddr(0), WORLD_READ, &output));
			EXPECT_EQUAL(output.value, pages[i].value);
			EXPECT_TRUE(vm_space_vmid(&spaces[i]) > 0);
			EXPECT_TRUE(vm_space_vmid(&spaces[i]) < 256);
			if (i % 50 != 0)
				continue;
			for (size_t j = 0; j < SPACES; j++)
				for (size_t k = 0; k < j; k++)
					EXPECT_TRUE(vm_space_vmid(&spaces[j]) == 0 ||
						    vm_space_vmid(&spaces[j]) !=
							    vm_space_vmid(&spaces[k]));
		}
	EXPECT_TRUE(mm_statistics().vmid_rollovers >= 6);
	world_rest(world);
	destroy_all(spaces);
}

/* A space that stays active on another CPU keeps its VMID through a rollover. */
TEST(vmid_of_an_active_space_survives_rollover)
{
	struct paddr pages[SPACES];

	few_vmids(world);

	struct vm_space *spaces = many_spaces(world, pages);

	machine_set_cpu(1);
	EXPECT_OK(vm_space_activate(&spaces[0]));

	uint16_t vmid = vm_space_vmid(&spaces[0]);

	machine_set_cpu(0);
	for (size_t i = 1; i < SPACES; i++) {
		EXPECT_OK(vm_space_activate(&spaces[i]));
		EXPECT_TRUE(vm_space_vmid(&spaces[i]) != vmid);
	}
	EXPECT_EQUAL(vm_space_vmid(&spaces[0]), vmid);
	EXPECT_TRUE(mm_statistics().vmid_rollovers >= 2);
	vm_space_deactivate();
	machine_set_cpu(1);
	EXPECT_EQUAL(stage2_active()->vmid, vmid);
	EXPECT_STATUS(vm_space_destroy(&spaces[0]), MM_BUSY);
	vm_space_deactivate();
	machine_set_cpu(0);
	destroy_all(spaces);
}

/* A VMID that is given back and given out again brings nothing with it. */
TEST(vmid_is_clean_when_it_is_used_again)
{
	few_vmids(world);
	for (size_t i = 0; i < SPACES; i++) {
		struct vm_space space;
		struct paddr output;

		EXPECT_OK(vm_space_new_stage2(32, &space));
		EXPECT_FALSE(world_translate(world, &space, iaddr(0), WORLD_READ, &output));
		world_rest(world);

		struct paddr page = map_frame_at(world, &space, 0, READ_ONLY);

		EXPECT_TRUE(world_translate(world, &space, iaddr(0), WORLD_READ, &output));
		EXPECT_EQUAL(output.value, page.value);
		world_rest(world);
		EXPECT_OK(vm_space_destroy(&space));
	}
}

/* Sixteen bits, where the CPU has them. */
TEST(vmids_use_all_bits)
{
	struct paddr pages[SPACES];
	struct vm_space *spaces = many_spaces(world, pages);
	uint16_t highest = 0;

	for (size_t i = 0; i < SPACES; i++) {
		EXPECT_OK(vm_space_activate(&spaces[i]));
		if (vm_space_vmid(&spaces[i]) > highest)
			highest = vm_space_vmid(&spaces[i]);
	}
	EXPECT_TRUE(highest >= SPACES);
	EXPECT_EQUAL(mm_statistics().vmid_rollovers, 0);
	vm_space_deactivate();
	destroy_all(spaces);
}

/* Without the 4 KiB granule there is no space at all. */
TEST(spaces_need_the_4k_granule)
{
	struct world_config config = world_default_config();
	struct vm_space space;

	config.machine.features.granule_4k = false;
	world_restart(world, &config);
	EXPECT_STATUS(vm_space_new_stage2(40, &space), MM_NOT_SUPPORTED);
}

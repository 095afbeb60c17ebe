/* SPDX-License-Identifier: BSD-3-Clause */
/* What the MMU makes of a cache policy: memory type and shareability (Arm ARM D8.6). */
#include "mapping.h"

static const struct {
	enum cache_policy cache;
	enum machine_memory memory;
	enum machine_shareability shareability; /* Device and Non-cacheable are Outer in effect */
} policies[] = {
	{ CACHE_WRITEBACK, MEMORY_WRITEBACK, SHARE_INNER },
	{ CACHE_WRITETHROUGH, MEMORY_WRITETHROUGH, SHARE_INNER },
	{ CACHE_UNCACHED, MEMORY_NONCACHEABLE, SHARE_INNER },
	{ CACHE_DEVICE, MEMORY_DEVICE_nGnRE, SHARE_OUTER },
};

static void expect_attributes(const struct machine_translation *used, size_t policy)
{
	EXPECT_EQUAL(used->memory, policies[policy].memory);
	EXPECT_EQUAL(used->shareability, policies[policy].shareability);
}

/* In leaves of every size, in both stages. */
TEST(mmu_sees_the_cache_policy)
{
	static const uint64_t sizes[] = { PAGE_SIZE, MIB(2), GIB(1) };
	struct vm_space *el2 = world_el2_space(world);
	uint64_t window = world_el2_window(world).start.value;

	for (size_t policy = 0; policy < COUNT_OF(policies); policy++)
		for (size_t i = 0; i < COUNT_OF(sizes); i++) {
			struct page_property property =
				page_property(PAGE_READ | PAGE_ACCESSED, policies[policy].cache);
			struct machine_translation used;
			struct machine_fault fault;
			struct vm_space space;

			world_space(world, &space);
			map_iomem_at(&space, GIB(1), NO_MEMORY_BASE, sizes[i], property);
			EXPECT_OK(vm_space_activate(&space));
			EXPECT_TRUE(machine_guest_translate(iaddr(GIB(1)), MACHINE_READ, &used,
							    &fault));
			expect_attributes(&used, policy);
			vm_space_deactivate();
			EXPECT_OK(vm_space_destroy(&space));

			map_iomem_at(el2, window, NO_MEMORY_BASE, sizes[i], property);
			EXPECT_TRUE(
				machine_el2_translate(iaddr(window), MACHINE_READ, &used, &fault));
			expect_attributes(&used, policy);
			unmap_at(el2, window, sizes[i]);
		}
}

/* What protect makes of them is the same; a split block keeps them. */
TEST(mmu_sees_a_changed_cache_policy)
{
	struct machine_translation used;
	struct machine_fault fault;
	struct vm_space space;

	world_space(world, &space);
	map_segment_at(world, &space, MIB(2), 512, MIB(2), READ_WRITE);
	EXPECT_OK(vm_space_activate(&space));
	for (size_t policy = 0; policy < COUNT_OF(policies); policy++) {
		protect_at(&space, MIB(3), PAGE_SIZE,
			   page_property(PAGE_READ | PAGE_ACCESSED, policies[policy].cache));
		EXPECT_TRUE(machine_guest_translate(iaddr(MIB(3)), MACHINE_READ, &used, &fault));
		expect_attributes(&used, policy);
		EXPECT_TRUE(machine_guest_translate(iaddr(MIB(3) + PAGE_SIZE), MACHINE_READ, &used,
						    &fault));
		expect_attributes(&used, 0);
	}
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

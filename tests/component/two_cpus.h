/* SPDX-License-Identifier: BSD-3-Clause */
/* Two simulated CPUs on one space, and what each of them sees. */
#pragma once

#include "mapping.h"
#include <arch/features.h>

#define AT(page) ((uint64_t)(page)*PAGE_SIZE)

/* What a guest on this CPU reads at @ia now, straight from the MMU; 0 if it faults. */
static inline uint64_t guest_page(uint64_t ia, enum machine_access access)
{
	struct machine_translation used;
	struct machine_fault fault;

	return machine_guest_translate(iaddr(ia), access, &used, &fault) ? used.output.value : 0;
}

/* The space is active on two CPUs while it changes, and both look ahead at @count addresses. */
static inline void watch_on_two_cpus(struct vm_space *space, const uint64_t *addresses,
				     size_t count)
{
	machine_set_cpu(1);
	EXPECT_OK(vm_space_activate(space));
	machine_set_cpu(0);
	EXPECT_OK(vm_space_activate(space));
	for (size_t i = 0; i < count; i++)
		machine_watch_guest(iaddr(addresses[i]));
}

static inline void end_watch(void)
{
	machine_watch_nothing();
	machine_set_cpu(1);
	vm_space_deactivate();
	machine_set_cpu(0);
	vm_space_deactivate();
}

/* That, and the space. */
static inline void end_space(struct vm_space *space)
{
	end_watch();
	EXPECT_OK(vm_space_destroy(space));
}

/* Maps a block, and behind it pages, up to page @pages of the space, which is active on both CPUs then. */
static inline void map_block_and_pages(struct world *world, struct vm_space *space, uint64_t pages,
				       const uint64_t *watched, size_t count)
{
	map_segment_at(world, space, 0, 512, MIB(2), READ_WRITE);
	for (uint64_t page = 512; page < pages; page++)
		map_frame_at(world, space, AT(page), READ_WRITE);
	watch_on_two_cpus(space, watched, count);
}

/* A store by the guest on @cpu. */
static inline bool store_on(unsigned int cpu, uint64_t ia, uint64_t value,
			    struct machine_fault *fault)
{
	machine_set_cpu(cpu);

	bool stored = machine_guest_store(iaddr(ia), value, fault);

	machine_set_cpu(0);
	return stored;
}

/* On both CPUs each access to each address does what the cursor says. */
static inline void expect_no_stale(struct vm_space *space, const uint64_t *addresses, size_t count)
{
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		for (size_t i = 0; i < count; i++) {
			struct cursor_item item = item_at(space, addresses[i]);
			uint64_t output =
				item.output.value + (addresses[i] - item.range.start.value);
			static const uint8_t flags[] = { PAGE_READ, PAGE_WRITE, PAGE_EXECUTE };

			machine_set_cpu(cpu);
			for (int access = MACHINE_READ; access <= MACHINE_EXECUTE; access++) {
				bool may = item.mapped &&
					   (item.property.flags & PAGE_ACCESSED) != 0 &&
					   (item.property.flags & flags[access]) != 0;

				EXPECT_EQUAL(guest_page(addresses[i], access), may ? output : 0);
			}
			machine_set_cpu(0);
		}
}

/* CPUs as they come: by range or by address, with level hints or without. */
static inline struct arch_features features_of(unsigned int variant)
{
	struct arch_features features = machine_features_v8_4();

	features.tlb_range = (variant & 1) != 0;
	features.ttl = (variant & 2) != 0;
	return features;
}

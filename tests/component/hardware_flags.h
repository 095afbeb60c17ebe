/* SPDX-License-Identifier: BSD-3-Clause */
/* A space whose CPUs keep accessed and dirty pages, and what writes there meanwhile. */
#pragma once

#include "two_cpus.h"
#include <arch/observe.h>

/* Pages that a store makes dirty. */
#define CLEAN page_property(PAGE_READ | PAGE_ACCESSED | PAGE_DIRTY_STATE, CACHE_WRITEBACK)
#define NOT_ACCESSED page_property(PAGE_READ | PAGE_WRITE, CACHE_WRITEBACK)

/* A machine with FEAT_HAFDBS, or without. */
static inline void restart_with_hardware_flags(struct world *world, bool has_it)
{
	struct world_config config = world_default_config();

	config.machine.features.access_flag = has_it;
	config.machine.features.dirty_state = has_it;
	world_restart(world, &config);
}

/* A store by the guest on @cpu to @page. */
static inline bool guest_store(unsigned int cpu, uint64_t page)
{
	struct machine_fault fault;

	return store_on(cpu, AT(page) + 8, page, &fault);
}

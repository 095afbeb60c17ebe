/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device regions that a Stage-2 space remembers (strata/vm_space.h: vm_space_find_iomem).
 *
 * Invariant: the regions of a space are in ascending order, disjoint, and no two touch. They only grow
 * until the space goes: what is remembered once stays so.
 */
#pragma once

#include <strata/vm_space.h>

struct device_region;

/*
 * Takes what remembering @output in @space will need: device_region_remember cannot fail then. @out may
 * become NULL, where there is nothing to do: @output is remembered already, or the space is Stage 1.
 * MM_NO_MEMORY: nothing was taken.
 */
MM_MUST_CHECK enum mm_status device_region_prepare(const struct vm_space *space,
						   struct prange output,
						   struct device_region **out);

/* @region, prepared for @space, is mapped: the space remembers it. */
void device_region_remember(struct vm_space *space, struct device_region *region);

/* @region is not mapped after all. */
void device_region_give_up(struct device_region *region);

/* Forgets all regions of @space, which nobody uses any more. */
void device_regions_forget(struct vm_space *space);

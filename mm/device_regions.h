/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device regions that a Stage-2 or window space remembers (strata/vm_space.h:
 * vm_space_find_iomem), and those of io_mem areas.
 *
 * Invariant: no region is counted memory, and none becomes it: memory is added only where no region
 * is. The regions of a space are in ascending order, disjoint, and no two touch. They only grow until
 * the space goes: what is remembered once stays so.
 */
#pragma once

#include <strata/vm_space.h>

struct device_region;

/* Start: there is no region. */
void device_regions_reset(void);

/*
 * Makes a region of @output, until device_region_give_up.
 *
 * MM_ACCESS_DENIED: some page of it is memory and not PAGE_MMIO. MM_NO_MEMORY: nothing was taken.
 */
MM_MUST_CHECK enum mm_status device_region_claim(struct prange output, struct device_region **out);

/*
 * Makes what device_region_remember needs, and cannot fail then, to remember @output in @space. @out
 * may become NULL, where there is nothing to do: @output is remembered already, or the space is EL2's
 * own. As device_region_claim.
 */
MM_MUST_CHECK enum mm_status device_region_prepare(const struct vm_space *space,
						   struct prange output,
						   struct device_region **out);

/* @region, prepared for @space, is mapped: the space remembers it. */
void device_region_remember(struct vm_space *space, struct device_region *region);

/* @region, if it is one, is not mapped after all, or not any more. */
void device_region_give_up(struct device_region *region);

/* Forgets all regions of @space, which nobody uses any more. */
void device_regions_forget(struct vm_space *space);

/* Between these two no region is made, and none goes. */
void device_regions_lock(void);
void device_regions_unlock(void);

/* Whether some region has a page of @range; between those two. */
bool device_regions_overlap(struct prange range);

/* SPDX-License-Identifier: BSD-3-Clause */
/* What tests of EL2's own addresses share. */
#pragma once

#include "mapping.h"
#include <strata/kvirt_area.h>

/* Areas from all of KVIRT_RANGE of EL2's own space, or from its first @pages pages only. */
static inline struct kvirt_space *make_kvirt(struct world *world)
{
	struct kvirt_space *kvirt = NULL;

	EXPECT_OK(kvirt_space_new(world_el2_space(world), KVIRT_RANGE, &kvirt));
	return kvirt;
}

static inline struct kvirt_space *make_small_kvirt(struct world *world, uint64_t pages)
{
	struct kvirt_space *kvirt = NULL;

	EXPECT_OK(kvirt_space_new(world_el2_space(world),
				  span(KVIRT_RANGE.start.value, pages * PAGE_SIZE), &kvirt));
	return kvirt;
}

static inline struct kvirt_area *make_area(struct kvirt_space *kvirt, uint64_t pages)
{
	struct kvirt_area *area = NULL;

	EXPECT_OK(kvirt_area_alloc(kvirt, pages * PAGE_SIZE, &area));
	EXPECT_EQUAL(irange_size(kvirt_area_range(area)), pages * PAGE_SIZE);
	return area;
}

/* EL2's loads and stores at @ia go to @output. */
static inline void expect_reaches(struct world *world, uint64_t ia, struct paddr output)
{
	struct paddr found;

	for (int access = WORLD_READ; access <= WORLD_WRITE; access++) {
		EXPECT_TRUE(world_translate(world, world_el2_space(world), iaddr(ia),
					    (enum world_access)access, &found));
		EXPECT_EQUAL(found.value, output.value);
	}
}

static inline void expect_faults(struct world *world, uint64_t ia)
{
	struct paddr found;

	for (int access = WORLD_READ; access <= WORLD_WRITE; access++)
		EXPECT_FALSE(world_translate(world, world_el2_space(world), iaddr(ia),
					     (enum world_access)access, &found));
}

/* The pages of the hypervisor, of tables and of frames are as many as in @before. */
static inline void expect_pages(const struct mm_usage *before)
{
	EXPECT_EQUAL(world_pages(PAGE_HYPERVISOR), before->pages[PAGE_HYPERVISOR]);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), before->pages[PAGE_TABLE]);
	EXPECT_EQUAL(world_pages(PAGE_FRAME), before->pages[PAGE_FRAME]);
}

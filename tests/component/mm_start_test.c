/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting costs what is used, not what is there. */
#include "harness.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define GIB(n) ((uint64_t)(n) << 30)
#define LINKS 16
#define BASE UINT64_C(0x40000000)

/* Pages of the host that the metadata, which lies at the beginning of memory, has taken so far. */
static uint64_t touched_metadata(void)
{
	uint64_t pages = world_pages(PAGE_META);
	unsigned char *resident = malloc(pages);
	uint64_t touched = 0;

	if (resident == NULL || mincore(mm_linear(paddr(BASE)), pages * PAGE_SIZE, resident) != 0)
		FAIL("the host does not say which pages are resident");
	for (uint64_t i = 0; i < pages; i++)
		touched += resident[i] & 1;
	free(resident);
	return touched;
}

static uint64_t touched_by_start(struct world *world, uint64_t size)
{
	struct world_config config = world_default_config();

	config.machine.memory[0] = prange(paddr(BASE), paddr(BASE + size));
	config.machine.memory_count = 1;
	config.reservation_count = 0;
	world_restart(world, &config);
	return touched_metadata();
}

/* All that grows with memory is a byte for every 2 MiB of it, and the links of free blocks, a few of each
 * order. */
TEST(starting_touches_no_metadata_of_memory_that_nobody_uses)
{
	struct world_config config = world_default_config();

	/* A huge page of the host would be counted as a whole. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0)
		FAIL("the host does not turn transparent huge pages off");

	uint64_t small = touched_by_start(world, GIB(4));
	uint64_t large = touched_by_start(world, GIB(256));

	EXPECT_TRUE(small > 0 && small < 32);
	EXPECT_TRUE(large <= small + GIB(256 - 4) / (PAGE_SIZE << 9) / PAGE_SIZE + LINKS);

	/* The first page wanted there makes the slots of its 2 MiB, and links of what is left of
	 * its block. */
	frame_t frame;

	EXPECT_OK(frame_from_unused(paddr(BASE + GIB(200)), &frame));
	EXPECT_TRUE(touched_metadata() <= large + 2 * LINKS);
	frame_drop(&frame);
	world_restart(world, &config);
}

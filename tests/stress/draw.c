/* SPDX-License-Identifier: BSD-3-Clause */
#include "stress.h"

static uint64_t page_of(struct worker *worker, uint64_t start, uint64_t pages)
{
	return start + below(worker, pages) * PAGE_SIZE;
}

uint64_t draw_address(struct worker *worker)
{
	switch (below(worker, 8)) {
	case 0:
		return page_of(worker, 0, 8);
	case 1:
		return page_of(worker, GIB(1) - 4 * PAGE_SIZE, 8);
	case 2:
		return page_of(worker, BLOCKS_START + below(worker, BLOCKS) * MIB(2), 512);
	case 3:
		return page_of(worker, OWN_START, (uint64_t)OWN_PAGES * stress.options.cpus);
	case 4:
		return page_of(worker, LOG_START, LOG_PAGES);
	case 5:
		return page_of(worker, COMMON_START, COMMON_PAGES);
	default:
		return page_of(worker, MIB(2) - 6 * PAGE_SIZE, 12);
	}
}

struct guest_space *draw_shared(struct worker *worker)
{
	/* Mostly the same one, so that CPUs meet. */
	return &stress.shared[one_in(worker, 3) ? below(worker, SHARED_SPACES) : 0];
}

struct page_property draw_property(struct worker *worker)
{
	uint8_t flags = PAGE_READ | PAGE_ACCESSED;

	if (!one_in(worker, 4))
		flags |= PAGE_WRITE;
	if (one_in(worker, 8))
		flags &= (uint8_t)~PAGE_ACCESSED;
	if (one_in(worker, 8))
		flags |= PAGE_EXECUTE;
	return page_property(flags, CACHE_WRITEBACK);
}

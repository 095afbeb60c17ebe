/* SPDX-License-Identifier: BSD-3-Clause */
#include "random_step.h"

#include "mapping.h"

#include <mappings_relate.h>

/* Whatever the stage can say of write-back memory, mostly with the Access flag. */
static struct page_property random_property(const struct readings *readings, uint32_t *random)
{
	const struct page_table_constants *constants = &readings->low.hardware.table.constants;
	struct page_property property;

	do {
		uint8_t flags = (uint8_t)random_below(random, 16) & ~PAGE_ACCESSED;

		if (random_below(random, 4) != 0)
			flags |= PAGE_READ;
		if (random_below(random, 5) != 0)
			flags |= PAGE_ACCESSED;
		property = page_property(flags, CACHE_WRITEBACK);
	} while (!constants->expresses(property));
	return property;
}

static bool is_hole(const struct readings *readings, uint64_t ia, uint64_t size)
{
	return mappings_empty_in(&readings->low.hardware.table.mappings, span(ia, size));
}

/* A page of the region, near one of few places, so that operations meet. */
static uint64_t random_page(uint64_t base, uint32_t *random)
{
	return base + random_below(random, 4) * MIB(2) + random_below(random, 8) * PAGE_SIZE;
}

static void share_some_page(struct readings *readings, uint64_t base, uint32_t *random)
{
	const uint64_t from = random_page(base, random);
	const uint64_t to = random_page(base, random);

	if (!is_hole(readings, from, PAGE_SIZE) && is_hole(readings, to, PAGE_SIZE))
		readings_share(readings, from, to, random_property(readings, random));
}

void random_step(struct readings *readings, uint64_t base, uint32_t *random,
		 void (*meanwhile)(struct readings *readings, uint64_t ia, uint64_t size))
{
	uint64_t pages = 1 + random_below(random, 4);
	uint64_t ia = random_page(base, random);

	if (random_below(random, 6) == 0) {
		pages = 512;
		ia = base + random_below(random, 4) * MIB(2);
	}
	switch (random_below(random, 8)) {
	case 0:
	case 1:
		readings_unmap(readings, ia, pages * PAGE_SIZE, meanwhile);
		break;
	case 2:
	case 3:
		readings_protect(readings, ia, pages * PAGE_SIZE,
				 random_property(readings, random));
		break;
	case 4:
		share_some_page(readings, base, random);
		break;
	default:
		if (is_hole(readings, ia, pages * PAGE_SIZE))
			readings_map(readings, ia, pages, random_property(readings, random));
	}
}

uint64_t random_word(uint32_t *random)
{
	uint64_t page = random_below(random, REGION_PAGES);

	if (random_below(random, 4) != 0)
		page = page / 512 * 512 + page % 12;
	return page * PAGE_SIZE + (random_below(random, 2) ? READINGS_LAST_WORD : 0);
}

void random_disturb(uint32_t *random)
{
#if WORLD_SIMULATED
	if (random_below(random, 16) == 0)
		machine_tlb_evict();
#else
	(void)random;
#endif
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "zone.h"
#include "panic.h"

struct zone *zones;

struct zone *zone_of_later(struct paddr page)
{
	struct zone *zone = zone_next(zones);

	while (zone != NULL && !zone_has(zone, page))
		zone = zone_next(zone);
	return zone;
}

static uint64_t section_count(struct prange range)
{
	const unsigned int shift = PAGE_SHIFT + SECTION_ORDER;

	return ((range.end.value - 1) >> shift) - (range.start.value >> shift) + 1;
}

/* The zone itself and its section table, before the slots. */
static uint64_t head_size(struct prange range)
{
	return page_align_up(sizeof(struct zone) + section_count(range));
}

/* What checked builds know of each page, after the slots. */
static uint64_t share_pages_size(struct prange range)
{
#if STRATA_CHECKED
	return page_align_up((prange_size(range) >> PAGE_SHIFT) * sizeof(struct share_page));
#else
	(void)range;
	return 0;
#endif
}

uint64_t zone_metadata_size(struct prange range)
{
	uint64_t slots = (prange_size(range) >> PAGE_SHIFT) * sizeof(struct slot);

	return head_size(range) + page_align_up(slots) + share_pages_size(range);
}

struct zone *zone_make(struct prange range, struct prange metadata)
{
	struct zone *zone = linear(metadata.start);

	*zone = (struct zone)
	{
		.range = range, .size = prange_size(range),
		.slots = linear(paddr(metadata.start.value + head_size(range))),
		.sections = (_Atomic uint8_t *)(zone + 1), .metadata = metadata,
#if STRATA_CHECKED
		.share_pages = linear(paddr(metadata.start.value + zone_metadata_size(range) -
					    share_pages_size(range))),
#endif
	};
	for (unsigned int order = 0; order < ORDER_COUNT; order++)
		zone->first_free[order] = LINK_NONE;
	/* Nobody sees the zone yet: words at a time, since this is all that starting costs per 2 MiB. */
	__builtin_memset((void *)zone->sections, 0, section_count(range));
	return zone;
}

void zone_link(struct zone *zone)
{
	struct zone *last = zones;

	bool numbered = zone_find_numbers(zone->size >> PAGE_SHIFT, &zone->first_number);

	MM_INVARIANT(numbered, "there are numbers for the pages of a zone",
		     zone->range.start.value);
	if (zones == NULL) {
		zones = zone;
		return;
	}
	while (zone_next(last) != NULL)
		last = zone_next(last);
	/* Release: whoever walks the zones sees this one complete. */
	atomic_store_explicit(&last->next, zone, memory_order_release);
}

void zone_unlink(struct zone *zone)
{
	struct zone *before = zones;

	while (zone_next(before) != zone)
		before = zone_next(before);
	atomic_store_explicit(&before->next, zone_next(zone), memory_order_release);
}

uint64_t zone_pages(void)
{
	uint64_t pages = 0;

	for (const struct zone *zone = zones; zone != NULL; zone = zone_next(zone))
		pages += zone->size >> PAGE_SHIFT;
	return pages;
}

bool zone_find_numbers(uint64_t pages, uint32_t *first)
{
	uint64_t number = 0;
	bool moved = true;

	/* Past whatever zone is in the way, until none is. */
	while (moved) {
		moved = false;
		for (const struct zone *zone = zones; zone != NULL; zone = zone_next(zone)) {
			uint64_t end = zone->first_number + (zone->size >> PAGE_SHIFT);

			if (number >= end || zone->first_number >= number + pages)
				continue;
			number = end;
			moved = true;
		}
	}
	if (pages >= LINK_NONE || number > LINK_NONE - pages)
		return false;
	*first = (uint32_t)number;
	return true;
}

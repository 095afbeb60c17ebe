/* SPDX-License-Identifier: BSD-3-Clause */
/* M1, X6, X7: ranges of memory and of EL2's addresses are disjoint, and what there is lies in them. */
#include "invariant.h"

/* ---- Memory -------------------------------------------------------------------------------- */

/* At both ends, and that nothing is beside them. */
static bool is_memory_exactly(const struct store *store, struct prange range)
{
	struct paddr before = paddr(range.start.value - PAGE_SIZE);

	return page_is_memory(range.start) && page_is_memory(paddr(range.end.value - PAGE_SIZE)) &&
	       page_is_memory(range.end) == (store_memory(store, page_range(range.end)) != NULL) &&
	       (range.start.value == 0 ||
		page_is_memory(before) == (store_memory(store, page_range(before)) != NULL));
}

bool memory_is_disjoint(struct store *store, struct witness *witness)
{
	const struct live_memory *memory;
	const struct live_memory *other;

	LIST_FOREACH(memory, &store->memory, link)
	{
		witness->at = iaddr(memory->range.start.value);
		if (!prange_is_page_aligned(memory->range) || prange_is_empty(memory->range) ||
		    !is_memory_exactly(store, memory->range))
			return false;
		LIST_FOREACH(other, &store->memory, link)
		{
			if (other != memory && prange_overlaps(other->range, memory->range))
				return false;
		}
	}
	return true;
}

/* ---- Areas --------------------------------------------------------------------------------- */

static bool is_inside_kvirt(const struct store *store, const struct live_area *area)
{
	const struct live_kvirt *kvirt = store_kvirt(store, area->kvirt);

	return kvirt == NULL ||
	       irange_contains(kvirt->range, irange(iaddr(area->range.start.value - AREA_GUARD),
						    iaddr(area->range.end.value + AREA_GUARD)));
}

bool areas_exclude(struct store *store, struct witness *witness)
{
	const struct live_area *area;

	LIST_FOREACH(area, &store->areas, link)
	{
		witness->at = area->range.start;
		if (store_area_beside(store, area) != NULL || !is_inside_kvirt(store, area))
			return false;
	}
	return true;
}

/* Whether an area has all of @range. */
static bool has_area(const struct store *store, store_id space, struct irange range)
{
	const struct live_area *area;

	LIST_FOREACH(area, &store->areas, link)
	{
		if (area->space == space && irange_contains(area->range, range))
			return true;
	}
	return false;
}

bool areas_alone_are_mapped(struct store *store, struct witness *witness)
{
	const struct live_kvirt *kvirt;

	LIST_FOREACH(kvirt, &store->kvirts, link)
	{
		const struct live_space *space = store_space(store, kvirt->space);
		struct irange left = kvirt->range;
		struct mapping mapping;

		while (space != NULL && mappings_next_in(&space->state.mappings, left, &mapping)) {
			witness->at = mapping.range.start;
			if (!has_area(store, kvirt->space, mapping.range))
				return false;
			left.start = mapping.range.end;
		}
	}
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "spec_refusals.h"

#include "leaf_shapes.h"

bool spec_property_expressible(enum translation_stage stage, struct page_property property)
{
	const uint8_t known = PAGE_READ | PAGE_WRITE | PAGE_EXECUTE | PAGE_ACCESSED;
	bool writes = property.flags & PAGE_WRITE;
	bool executes = property.flags & PAGE_EXECUTE;

	if ((property.flags & ~known) != 0 || property.cache >= CACHE_POLICY_COUNT)
		return false;
	if (property.cache == CACHE_DEVICE && executes)
		return false;
	if (stage == STAGE_2)
		return true;
	return (property.flags & PAGE_READ) && !(writes && executes);
}

bool is_expressible(const struct space_state *space, struct page_property property)
{
	if (space->hardware_flags)
		property.flags &= (uint8_t)~PAGE_DIRTY_STATE;
	return spec_property_expressible(space->stage, property);
}

status_set range_refusals(const struct cursor_state *cursor, struct irange range)
{
	status_set refusals = 0;

	if (!is_page_aligned(irange_size(range)))
		refusals |= STATUS_SET(MM_NOT_ALIGNED);
	if (irange_size(range) > cursor->range.end.value - cursor->position.value)
		refusals |= STATUS_SET(MM_OUT_OF_BOUND);
	return refusals;
}

bool is_anything_mapped(const struct space_state *space, struct irange range)
{
	struct mapping mapping;

	return mappings_next_in(&space->mappings, range, &mapping);
}

/* Whether a block may have to be split at @edge: one that lies on both sides of it. */
static bool may_split_at(const struct mappings *mappings, struct iaddr edge)
{
	struct mapping mapping;
	struct irange leaf;

	return mappings_find(mappings, edge, &mapping) &&
	       leaf_possible_astride(&mapping, edge, &leaf);
}

status_set may_need_tables(const struct space_state *space, struct irange range)
{
	if (may_split_at(&space->mappings, range.start) ||
	    may_split_at(&space->mappings, range.end))
		return STATUS_SET(MM_NO_MEMORY);
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "access.h"

#include "mappings_relate.h"

#define LAST_LEVEL(arch) ((arch)->root_level + (int)(arch)->level_count)

static bool permits(struct page_property property, const struct access *access)
{
	static const uint8_t needed[] = {
		[ACCESS_READ] = PAGE_READ,
		[ACCESS_WRITE] = PAGE_WRITE,
		[ACCESS_EXECUTE] = PAGE_EXECUTE,
	};

	if (access->kind == ACCESS_EXECUTE && property.cache == CACHE_DEVICE)
		return false;
	if (access->user && !(property.flags & PROPERTY_USER))
		return false;
	return property.flags & needed[access->kind];
}

static struct irange frame_around(uint64_t size, struct iaddr address)
{
	uint64_t start = address.value - address.value % size;

	return irange(iaddr(start), iaddr(start + size));
}

/* The levels of which a leaf can translate @address as @mapping does. */
static uint8_t leaf_levels(const struct table_arch *arch, const struct mapping *mapping,
			   struct iaddr address)
{
	uint8_t levels = 0;

	for (int level = arch->root_level; level < LAST_LEVEL(arch); level++) {
		uint64_t size = table_arch_leaf(arch, level);

		if (size == 0)
			continue;

		struct mapping leaf = mapping_cut(*mapping, frame_around(size, address));

		if (table_arch_is_leaf(arch, &leaf) && irange_size(leaf.range) == size)
			levels |= (uint8_t)(1u << level);
	}
	return levels;
}

struct outcome outcome_through(const struct table_arch *arch, const struct mapping *mapping,
			       const struct access *access)
{
	struct outcome outcome = { .fault = FAULT_NONE };

	if (!(mapping->property.flags & PAGE_ACCESSED))
		outcome.fault = FAULT_ACCESS_FLAG;
	else if (!permits(mapping->property, access))
		outcome.fault = FAULT_PERMISSION;
	if (outcome.fault != FAULT_NONE)
		outcome.levels = leaf_levels(arch, mapping, access->address);
	else
		outcome.place = mapping_output(mapping, access->address);
	return outcome;
}

/*
 * A descriptor that translates nothing may be of any level at which all that it would translate is a
 * hole. An address that is too large for the table is met by no descriptor, and reported at level 0.
 */
struct outcome outcome_of_hole(const struct page_table_state *table, struct iaddr address)
{
	const struct table_arch *arch = &table->constants.arch;
	struct outcome outcome = { .fault = FAULT_TRANSLATION };

	if (address.value / arch->levels[0].frame_size >= arch->levels[0].entry_count) {
		outcome.levels = 1;
		return outcome;
	}
	for (unsigned int i = 0; i < arch->level_count; i++)
		if (mappings_empty_in(&table->mappings,
				      frame_around(arch->levels[i].frame_size, address)))
			outcome.levels |= (uint8_t)(1u << (arch->root_level + (int)i));
	return outcome;
}

bool outcome_allows(const struct outcome *allowed, const struct outcome *observed)
{
	if (allowed->fault != observed->fault)
		return false;
	if (allowed->fault == FAULT_NONE)
		return !allowed->value_known || !observed->value_known ||
		       allowed->value == observed->value;
	if (observed->stage != 0 && allowed->stage != observed->stage)
		return false;
	return allowed->table_walk == observed->table_walk &&
	       (observed->levels & ~allowed->levels) == 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "leaf_shapes.h"

static const uint64_t leaf_sizes[] = {
	UINT64_C(1) << 30,
	UINT64_C(1) << 21,
	UINT64_C(1) << 12,
};

#define LEAF_SIZES (sizeof(leaf_sizes) / sizeof(leaf_sizes[0]))

/* The range of size @size around @address, if a leaf can translate it. */
static bool leaf_around(const struct mapping *mapping, struct iaddr address, uint64_t size,
			struct irange *leaf)
{
	uint64_t start = address.value & ~(size - 1);

	*leaf = irange(iaddr(start), iaddr(start + size));
	return irange_contains(mapping->range, *leaf) &&
	       (mapping_output(mapping, leaf->start).value & (size - 1)) == 0;
}

uint64_t leaf_count_least(const struct mapping *mapping)
{
	uint64_t size_left = irange_size(mapping->range);
	uint64_t count = 0;

	for (size_t i = 0; i < LEAF_SIZES; i++) {
		uint64_t size = leaf_sizes[i];
		uint64_t first = (mapping->range.start.value + size - 1) & ~(size - 1);
		uint64_t end = mapping->range.end.value & ~(size - 1);
		uint64_t fit = 0;

		if (first < end && (mapping_output(mapping, iaddr(first)).value & (size - 1)) == 0)
			fit = end - first;
		/* What larger leaves translate already is aligned to this size too, and lies in it. */
		uint64_t translated = irange_size(mapping->range) - size_left;

		if (fit > translated) {
			count += (fit - translated) / size;
			size_left -= fit - translated;
		}
	}
	return count;
}

bool leaf_possible_astride(const struct mapping *mapping, struct iaddr edge, struct irange *leaf)
{
	for (size_t i = 0; i < LEAF_SIZES; i++) {
		if (leaf_around(mapping, edge, leaf_sizes[i], leaf) &&
		    leaf->start.value < edge.value)
			return true;
	}
	return false;
}

bool leaf_part_possible(const struct mapping *mapping, struct irange range, struct irange part)
{
	for (size_t i = 0; i < LEAF_SIZES; i++) {
		struct irange leaf;

		if (!leaf_around(mapping, part.start, leaf_sizes[i], &leaf))
			continue;
		if (leaf.start.value < range.start.value)
			leaf.start = range.start;
		if (leaf.end.value > range.end.value)
			leaf.end = range.end;
		if (leaf.start.value == part.start.value && leaf.end.value == part.end.value)
			return true;
	}
	return false;
}

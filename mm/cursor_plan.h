/* SPDX-License-Identifier: BSD-3-Clause */
/* What a map is going to write, and what it needs for that. */
#pragma once

#include "cursor_private.h"

/* What is to be mapped: physical addresses with an attribute constant. */
struct mapping {
	struct irange range;
	struct paddr output; /* of range.start */
	uint64_t attributes;
	struct owner *claims; /* for whom the pages are claimed; NULL: for nobody */
};

/*
 * Whether the descriptor that spans @span becomes a leaf. Blocks at every level that has them, where
 * both addresses are aligned and all of the span is to be mapped.
 */
static inline bool mapping_is_leaf(const struct mapping *mapping, int level, struct irange span)
{
	uint64_t offset = span.start.value - mapping->range.start.value;

	return level == LEVEL_PAGE ||
	       (level >= LEVEL_BLOCK_FIRST && irange_contains(mapping->range, span) &&
		((mapping->output.value + offset) & (level_size(level) - 1)) == 0);
}

/* MM_EXISTS if some of @part, which lies in @table's span, is mapped; else adds the tables needed. */
enum mm_status map_plan(const struct mapping *mapping, const struct table *table,
			struct irange part, size_t *tables);

/* SPDX-License-Identifier: BSD-3-Clause */
/* A table in memory against the mappings it must mean. */
#pragma once

#include "difference.h"
#include "walk.h"

/*
 * Walks @range of @table and reports every place where it does not say what @mappings say, either
 * way, and every descriptor that is wrong in itself. Returns how many descriptors were read: the
 * cost is theirs and that of the extents met, not of the pages in @range.
 *
 * @seen: as in struct walk_visitor.
 */
uint64_t compare_table(const struct walk_table *table, const struct mappings *mappings,
		       struct irange range, struct walk_seen *seen, struct subject subject);

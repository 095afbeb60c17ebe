/* SPDX-License-Identifier: BSD-3-Clause */
#include "cursor_plan.h"

/* The tables that are needed below an empty descriptor of @level with @span. */
static size_t tables_for_hole(const struct mapping *mapping, int level, struct irange span)
{
	if (mapping_is_leaf(mapping, level, span))
		return 0;
	if (level + 1 == LEVEL_PAGE)
		return 1;

	struct irange part = irange_intersection(span, mapping->range);
	uint64_t below = level_size(level + 1);
	uint64_t start = part.start.value & ~(below - 1);
	size_t tables = 1;

	for (; start < part.end.value; start += below)
		tables += tables_for_hole(mapping, level + 1,
					  irange(iaddr(start), iaddr(start + below)));
	return tables;
}

enum mm_status map_plan(const struct mapping *mapping, const struct table *table,
			struct irange part, size_t *tables)
{
	size_t last = table_index(table, iaddr(part.end.value - 1));

	for (size_t i = table_index(table, part.start); i <= last; i++) {
		uint64_t descriptor = table->descriptors[i];
		struct irange span = table_span(table, i);

		if (descriptor == 0) {
			if (table->level < LEVEL_PAGE)
				*tables += tables_for_hole(mapping, table->level, span);
			continue;
		}
		if (!descriptor_is_table(descriptor, table->level))
			return MM_EXISTS;

		struct table child = table_child(table, i, descriptor);
		enum mm_status status =
			map_plan(mapping, &child, irange_intersection(part, span), tables);

		if (status != MM_OK)
			return status;
	}
	return MM_OK;
}

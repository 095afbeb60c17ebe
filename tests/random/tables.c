/* SPDX-License-Identifier: BSD-3-Clause */
#include "tables.h"

#include <stdio.h>

/* Of each state. */
#define LINES_MAX 24

static unsigned int lines;

static void print_mapping(const char *whose, const struct mapping *mapping)
{
	if (lines++ >= LINES_MAX)
		return;
	printf("    %-10s 0x%llx .. 0x%llx to 0x%llx %c%c%c%c cache %u%s\n", whose,
	       (unsigned long long)mapping->range.start.value,
	       (unsigned long long)mapping->range.end.value,
	       (unsigned long long)mapping->output.value,
	       mapping->property.flags & PAGE_READ ? 'r' : '-',
	       mapping->property.flags & PAGE_WRITE ? 'w' : '-',
	       mapping->property.flags & PAGE_EXECUTE ? 'x' : '-',
	       mapping->property.flags & PAGE_ACCESSED ? 'a' : '-', mapping->property.cache,
	       mapping->counted ? "" : " not counted");
}

static void print_leaf(const struct walk_leaf *leaf, void *context)
{
	const struct mapping mapping = { leaf->range, leaf->output, leaf->property, leaf->counted };

	(void)context;
	print_mapping("in memory", &mapping);
}

void tables_print(const struct live_space *space)
{
	const struct walk_visitor visitor = { .leaf = print_leaf };
	struct iaddr at = iaddr(0);
	struct mapping mapping;

	printf("  space %u, Stage %u\n", space->number, space->table.stage == STAGE_1 ? 1U : 2U);
	lines = 0;
	while (mappings_next(&space->state.mappings, at, &mapping)) {
		print_mapping("model", &mapping);
		at = mapping.range.end;
	}
	lines = 0;
	walk_descriptors(&space->table, walk_table_range(&space->table), &visitor);
}

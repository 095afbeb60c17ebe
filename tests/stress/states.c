/* SPDX-License-Identifier: BSD-3-Clause */
/* Both states, the subsystem's and the model's, of the shared spaces. */
#include "stress.h"

#if STRATA_CHECKED

#include <model.h>
#include <stdio.h>
#include <store.h>

#define LINES_MAX 32

static unsigned int lines;

static void print_mapping(const char *whose, const struct mapping *mapping)
{
	if (lines++ >= LINES_MAX)
		return;
	printf("    %-10s 0x%llx .. 0x%llx to 0x%llx %c%c%c%c\n", whose,
	       (unsigned long long)mapping->range.start.value,
	       (unsigned long long)mapping->range.end.value,
	       (unsigned long long)mapping->output.value,
	       mapping->property.flags & PAGE_READ ? 'r' : '-',
	       mapping->property.flags & PAGE_WRITE ? 'w' : '-',
	       mapping->property.flags & PAGE_EXECUTE ? 'x' : '-',
	       mapping->property.flags & PAGE_ACCESSED ? 'a' : '-');
}

static void print_leaf(const struct walk_leaf *leaf, void *context)
{
	const struct mapping mapping = { leaf->range, leaf->output, leaf->property, leaf->counted };

	(void)context;
	print_mapping("in memory", &mapping);
}

void world_print_states(void)
{
	const struct walk_visitor visitor = { .leaf = print_leaf };
	const struct live_space *space;

	LIST_FOREACH(space, &model_store()->registry.spaces, link)
	{
		struct iaddr at = iaddr(0);
		struct mapping mapping;

		if (space->number > SHARED_SPACES)
			continue;
		printf("  space %u\n", space->number);
		lines = 0;
		while (mappings_next(&space->state.mappings, at, &mapping)) {
			print_mapping("model", &mapping);
			at = mapping.range.end;
		}
		lines = 0;
		walk_descriptors(&space->table, walk_table_range(&space->table), &visitor);
	}
}

#else

void world_print_states(void)
{
}

#endif

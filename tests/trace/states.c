/* SPDX-License-Identifier: BSD-3-Clause */
/* Both states, the subsystem's and the model's, as a person reads them. */
#include "states.h"

#include <stdio.h>

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

static void print_space(const struct live_space *space)
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
	walk_descriptors(&space->table, walk_table_range(&space->table), &visitor);
}

unsigned int states_space_number(const struct vm_space *name)
{
	const struct live_space *space;

	LIST_FOREACH(space, &model_store()->registry.spaces, link)
	if (space->space == name)
		return space->number;
	return 0;
}

static void print_page(const struct trace *trace, struct prange pages)
{
	const struct page_record *record = regions_find(&model_store()->regions, pages.start);
	struct page_state now;

	if (record == NULL || page_state(pages.start, &now) != MM_OK)
		return;
	printf("    page 0x%llx of memory: %s, %u references, of ",
	       states_offset(trace, pages.start), page_usage_name(now.usage), now.references);
	states_print_owner_said(trace, page_owner(pages.start));
	printf("; model: %u = H %u + P %u + C %u + T %u, of ", record->references, record->handles,
	       record->entries, record->covers, record->parked);
	states_print_owner(trace, record->owner);
	printf("\n");
}

void trace_print_states(const struct trace *trace)
{
	const struct live_space *space;
	const struct handle *handle;
	unsigned int handles = 0;

	LIST_FOREACH(space, &model_store()->registry.spaces, link)
	print_space(space);
	states_print_objects(trace);
	states_print_owners(trace);
	printf("  handles\n");
	STORE_EACH_HANDLE(handle, model_store())
	{
		if (handles++ < LINES_MAX)
			print_page(trace, handle->pages);
	}
}

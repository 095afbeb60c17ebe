/* SPDX-License-Identifier: BSD-3-Clause */
/* Both states, the subsystem's and the model's, as a person reads them. */
#include "states.h"
#include "tables.h"

#include <stdio.h>

#define LINES_MAX 24

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
	tables_print(space);
	states_print_objects(trace);
	states_print_owners(trace);
	printf("  handles\n");
	STORE_EACH_HANDLE(handle, model_store())
	{
		if (handles++ < LINES_MAX)
			print_page(trace, handle->pages);
	}
}

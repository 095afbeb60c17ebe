/* SPDX-License-Identifier: BSD-3-Clause */
/* The records of pages, and what the subsystem says of a page that no operation named so far. */
#include "store.h"

/* What the subsystem says of pages, the first at @page, that no operation named so far. */
static void adopt(struct store *store, struct page_record *record, struct prange pages,
		  const struct page_state *state, uint32_t taken)
{
	if (state->usage == PAGE_UNUSED ||
	    (state->usage == PAGE_FRAME && taken > 0 && state->references == taken)) {
		record->state = PAGE_FREE;
	} else if (state->usage != PAGE_FRAME) {
		record->state = PAGE_OTHER;
	} else if (state->references == 0) {
		record->state = PAGE_UNIQUE_OWNER;
	} else {
		record->state = PAGE_SHARED;
		record->references = state->references - taken;
		record->before = record->references;
		owners_give(&store->owners, record, prange_size(pages) >> PAGE_SHIFT,
			    owners_adopted(&store->owners, pages.start));
	}
}

struct page_record *store_page(struct store *store, struct paddr page, uint32_t taken)
{
	bool is_known = regions_find(&store->regions, page) != NULL;
	struct page_record *record;
	struct page_state state;

	if (!is_known && page_state(page, &state) != MM_OK)
		return NULL;
	record = regions_page(&store->regions, page);
	if (record == NULL)
		store->out_of_storage = true;
	else if (!is_known)
		adopt(store, record, page_range(page), &state, taken);
	return record;
}

/* Whether the subsystem says the same of all pages of a chunk. */
static bool is_uniform(struct store *store, struct prange chunk, const struct page_state *first)
{
	const struct live_owner *owner = owners_adopted(&store->owners, chunk.start);

	for (; chunk.start.value < chunk.end.value; chunk.start.value += PAGE_SIZE) {
		struct page_state state;

		if (page_state(chunk.start, &state) != MM_OK || state.usage != first->usage ||
		    state.references != first->references ||
		    owners_adopted(&store->owners, chunk.start) != owner)
			return false;
	}
	return true;
}

struct page_record *store_pages(struct store *store, struct prange pages, uint32_t taken,
				uint64_t *count)
{
	struct page_record *record = regions_run(&store->regions, pages, count);
	struct prange chunk =
		prange(pages.start, paddr(pages.start.value + (*count << PAGE_SHIFT)));
	struct page_state state;

	if (record == NULL || *count == 1 || record->state != PAGE_OTHER) {
		*count = record == NULL ? 1 : *count;
		return *count > 1 ? record : store_page(store, pages.start, taken);
	}
	if (page_state(pages.start, &state) == MM_OK && is_uniform(store, chunk, &state)) {
		adopt(store, record, chunk, &state, taken);
		return record;
	}
	*count = 1;
	return store_page(store, pages.start, taken);
}

void store_readopt(struct store *store, struct paddr page)
{
	struct page_record *record = store_page(store, page, 0);
	struct page_state state;

	if (record == NULL || page_state(page, &state) != MM_OK)
		return;
	record->unique = 0;
	record->references = state.references;
	record->before = state.references -
			 (record->handles + record->entries + record->covers + record->parked);
	if (state.usage == PAGE_FRAME)
		record->state = state.references == 0 ? PAGE_UNIQUE_OWNER : PAGE_SHARED;
	owners_give(&store->owners, record, 1, owners_adopted(&store->owners, page));
}

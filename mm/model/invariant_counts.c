/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counting anew: what the registries say of each page, against what its record says. Each count takes
 * three passes: nothing seen; one more for each page of each entry; seen and count are equal.
 */
#include "invariant.h"

typedef uint32_t (*count_reader)(const struct page_record *record);

static bool forget(struct paddr page, const struct page_record *record, void *context)
{
	(void)page;
	(void)context;
	((struct page_record *)record)->seen = 0;
	return true;
}

static void see(struct store *store, struct prange pages)
{
	uint64_t count;

	for (; pages.start.value < pages.end.value; pages.start.value += count << PAGE_SHIFT) {
		struct page_record *record = regions_run(&store->regions, pages, &count);

		if (record == NULL) {
			store->out_of_storage = true;
			return;
		}
		record->seen++;
	}
}

struct comparison {
	count_reader read;
	struct witness *witness;
};

static bool is_as_seen(struct paddr page, const struct page_record *record, void *context)
{
	const struct comparison *comparison = context;

	comparison->witness->at = iaddr(page.value);
	comparison->witness->is = comparison->read(record);
	comparison->witness->should_be = record->seen;
	return comparison->witness->is == comparison->witness->should_be;
}

static bool counts_are_as_seen(struct store *store, count_reader read, struct witness *witness)
{
	struct comparison comparison = { read, witness };

	return regions_each(&store->regions, is_as_seen, &comparison);
}

static void see_handles(struct store *store, enum share_kind kind)
{
	const struct handle *handle;

	regions_each(&store->regions, forget, NULL);
	STORE_EACH_HANDLE(handle, store)
	{
		if (handle->kind == kind)
			see(store, handle->pages);
	}
}

static uint32_t read_handles(const struct page_record *record)
{
	return record->handles;
}

static uint32_t read_entries(const struct page_record *record)
{
	return record->entries;
}

static uint32_t read_covers(const struct page_record *record)
{
	return record->covers;
}

static uint32_t read_parked(const struct page_record *record)
{
	return record->parked;
}

static uint32_t read_unique(const struct page_record *record)
{
	return record->unique;
}

bool handles_are_counted(struct store *store, struct witness *witness)
{
	see_handles(store, SHARE_FRAME);
	return counts_are_as_seen(store, read_handles, witness);
}

bool covers_are_counted(struct store *store, struct witness *witness)
{
	see_handles(store, SHARE_SEGMENT);
	return counts_are_as_seen(store, read_covers, witness);
}

bool uniques_are_alone(struct store *store, struct witness *witness)
{
	see_handles(store, SHARE_UNIQUE_FRAME);
	return counts_are_as_seen(store, read_unique, witness);
}

static void see_mappings(struct store *store)
{
	const struct live_space *space;

	regions_each(&store->regions, forget, NULL);
	LIST_FOREACH(space, &store->registry.spaces, link)
	{
		struct iaddr from = iaddr(0);
		struct mapping mapping;

		while (mappings_next(&space->state.mappings, from, &mapping)) {
			from = mapping.range.end;
			if (mapping.counted)
				see(store, prange(mapping.output,
						  mapping_output(&mapping, mapping.range.end)));
		}
	}
}

bool entries_are_counted(struct store *store, struct witness *witness)
{
	see_mappings(store);
	return counts_are_as_seen(store, read_entries, witness);
}

static bool seen_is_mapped(struct paddr page, const struct page_record *record, void *context)
{
	struct witness *witness = context;

	witness->at = iaddr(page.value);
	return record->seen == 0 || (record->state == PAGE_SHARED && record->entries != 0);
}

bool mapped_pages_are_held(struct store *store, struct witness *witness)
{
	see_mappings(store);
	return regions_each(&store->regions, seen_is_mapped, witness);
}

static void see_parked(struct store *store)
{
	const struct live_gather *gather;
	const struct parked_run *run;

	regions_each(&store->regions, forget, NULL);
	LIST_FOREACH(gather, &store->gathers, link)
	{
		LIST_FOREACH(run, &gather->runs, link)
		see(store, run->pages);
	}
}

bool parked_are_counted(struct store *store, struct witness *witness)
{
	see_parked(store);
	return counts_are_as_seen(store, read_parked, witness);
}

static bool are_shared(const struct store *store, struct prange pages, struct witness *witness)
{
	for (; pages.start.value < pages.end.value; pages.start.value += PAGE_SIZE) {
		const struct page_record *record = regions_find(&store->regions, pages.start);

		witness->at = iaddr(pages.start.value);
		if (record == NULL || record->state != PAGE_SHARED)
			return false;
	}
	return true;
}

bool flushes_are_sound(struct store *store, struct witness *witness)
{
	const struct live_gather *gather;
	const struct parked_run *run;

	LIST_FOREACH(gather, &store->gathers, link)
	{
		LIST_FOREACH(run, &gather->runs, link)
		{
			witness->at = iaddr(run->pages.start.value);
			if (!prange_is_page_aligned(run->pages) || prange_is_empty(run->pages) ||
			    !are_shared(store, run->pages, witness))
				return false;
		}
	}
	return true;
}

/* Of the pages that are not invalidated yet; by what the subsystem says, not by the counts. */
bool cached_is_held(struct store *store, struct witness *witness)
{
	const struct live_gather *gather;
	const struct parked_run *run;

	LIST_FOREACH(gather, &store->gathers, link)
	{
		LIST_FOREACH(run, &gather->runs, link)
		{
			for (uint64_t page = run->pages.start.value;
			     !run->dispatched && page < run->pages.end.value; page += PAGE_SIZE) {
				struct page_state state;

				witness->at = iaddr(page);
				if (page_state(paddr(page), &state) != MM_OK ||
				    state.usage == PAGE_UNUSED)
					return false;
			}
		}
	}
	return true;
}

/* ---- Lists --------------------------------------------------------------------------------- */

static bool is_seen_once(struct paddr page, const struct page_record *record, void *context)
{
	struct witness *witness = context;

	witness->at = iaddr(page.value);
	witness->is = record->seen;
	witness->should_be = record->list != 0;
	return witness->is == witness->should_be;
}

static void see_lists(struct store *store)
{
	const struct live_list *list;
	const struct listed *listed;

	regions_each(&store->regions, forget, NULL);
	LIST_FOREACH(list, &store->lists, link)
	{
		TAILQ_FOREACH(listed, &list->frames, link)
		see(store, prange(listed->page, paddr(listed->page.value + PAGE_SIZE)));
	}
}

bool lists_exclude(struct store *store, struct witness *witness)
{
	see_lists(store);
	return regions_each(&store->regions, is_seen_once, witness);
}

bool lists_are_marked(struct store *store, struct witness *witness)
{
	const struct live_list *list;
	const struct listed *listed;

	LIST_FOREACH(list, &store->lists, link)
	{
		uint64_t size = 0;

		TAILQ_FOREACH(listed, &list->frames, link)
		{
			const struct page_record *record =
				regions_find(&store->regions, listed->page);

			size++;
			witness->at = iaddr(listed->page.value);
			if (record == NULL || record->state != PAGE_UNIQUE_OWNER ||
			    record->list != list->number || record->unique != 0)
				return false;
		}
		if (size != list->size)
			return false;
	}
	return true;
}

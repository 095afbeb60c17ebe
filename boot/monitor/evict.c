/* SPDX-License-Identifier: BSD-3-Clause */
#include "evict.h"

#include <strata/reclaim.h>

/* Who receives pages cannot fail: their records are made before. */
struct taking {
	struct guest *guest;
	struct evicted_list records;
};

static void drop_records(struct evicted_list *records)
{
	while (records->first != NULL) {
		struct evicted_page *record = records->first;

		evicted_remove(records, record);
		evicted_page_free(record);
	}
}

static enum mm_status make_records(struct evicted_list *records, uint64_t wanted)
{
	while (records->count < wanted) {
		struct evicted_page *record;
		enum mm_status status = evicted_page_new(&record);

		if (status != MM_OK) {
			drop_records(records);
			return status;
		}
		evicted_add(records, record);
	}
	return MM_OK;
}

/* The next access faults anyway: when the page is back it has been accessed. */
static void keep(const struct reclaimed_page *page, void *context)
{
	struct taking *taking = context;
	struct guest *guest = taking->guest;
	struct evicted_page *record = taking->records.first;
	const bool running = guest_is_running(guest);
	const bool cold = !(page->property.flags & PAGE_ACCESSED);

	evicted_remove(&taking->records, record);
	record->page = page->page;
	record->property = page->property;
	record->property.flags |= PAGE_ACCESSED;
	record->frame = page->frame;
	evicted_add(&guest->evicted, record);
	guest->statistics.pages_evicted++;
	guest->statistics.evicted_meanwhile += running;
	guest->statistics.pages_cold += cold;
	guest->statistics.cold_meanwhile += cold && running;
}

enum mm_status evict_at(struct guest *guest, struct cursor *cursor, uint64_t length,
			uint64_t wanted)
{
	struct taking taking = { .guest = guest };
	uint64_t taken;
	enum mm_status status = make_records(&taking.records, wanted);

	if (status != MM_OK)
		return status;
	status = cursor_reclaim(cursor, length, wanted, keep, &taking, &taken);
	drop_records(&taking.records);
	return status;
}

enum mm_status evict_pages(struct guest *guest, struct irange range, uint64_t wanted)
{
	struct cursor cursor;
	enum mm_status status = cursor_open(&guest->space, range, CURSOR_MUTABLE, &cursor);

	if (status != MM_OK)
		return status;
	status = evict_at(guest, &cursor, irange_size(range), wanted);
	cursor_close(&cursor);
	return status;
}

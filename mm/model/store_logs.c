/* SPDX-License-Identifier: BSD-3-Clause */
/* The dirty logs that run. */
#include "store.h"
#include "list_find.h"

#define DIRTY (PAGE_WRITE | PAGE_DIRTY_STATE)

struct live_log *store_log(const struct store *store, store_id name)
{
	struct live_log *log;

	LIST_FIND(log, &store->logs, name, name);
	return log;
}

struct live_log *store_add_log(struct store *store, store_id name, const struct live_space *space,
			       struct irange range)
{
	struct live_log *log = model_pool_take(&store->log_pool);

	if (log == NULL) {
		store->out_of_storage = true;
		return NULL;
	}
	log->name = name;
	log->space = space;
	log->range = range;
	mappings_init(&log->taken, &store->registry.extent_pool);
	mappings_init(&log->written, &store->registry.extent_pool);
	mappings_init(&log->writable, &store->registry.extent_pool);
	LIST_INSERT_HEAD(&store->logs, log, link);
	return log;
}

void store_remove_log(struct store *store, struct live_log *log)
{
	mappings_clear(&log->taken);
	mappings_clear(&log->written);
	mappings_clear(&log->writable);
	LIST_REMOVE(log, link);
	model_pool_give(&store->log_pool, log);
}

void store_forget_logs(struct store *store, const struct live_space *space)
{
	struct live_log *log = LIST_FIRST(&store->logs);

	while (log != NULL) {
		struct live_log *next = LIST_NEXT(log, link);

		if (log->space == space)
			store_remove_log(store, log);
		log = next;
	}
}

void store_add_pages(struct store *store, struct mappings *set, struct irange pages)
{
	struct mapping mapping = { .range = pages, .output = paddr(pages.start.value) };

	if (irange_is_empty(pages))
		return;
	store->out_of_storage |= !mappings_remove(set, pages) || !mappings_insert(set, mapping);
}

void store_add_mapped(struct store *store, struct mappings *set, const struct mappings *mappings,
		      struct irange range, uint8_t mask, uint8_t flags)
{
	struct mapping mapping;

	while (!irange_is_empty(range) && mappings_next_in(mappings, range, &mapping)) {
		if ((mapping.property.flags & mask) == flags)
			store_add_pages(store, set, mapping.range);
		range.start = mapping.range.end;
	}
}

void store_note_dirty(struct store *store, const struct live_space *space, struct irange range)
{
	struct live_log *log;

	LIST_FOREACH(log, &store->logs, link)
	{
		struct irange part = irange_intersection(log->range, range);
		const struct mappings *mappings = &space->state.mappings;

		if (log->space != space)
			continue;
		store_add_mapped(store, &log->written, mappings, part, DIRTY, DIRTY);
		store_add_mapped(store, &log->writable, mappings, part, PAGE_DIRTY_STATE,
				 PAGE_DIRTY_STATE);
	}
}

void store_note_written(struct store *store, const struct live_space *space, struct irange range)
{
	struct live_log *log;

	LIST_FOREACH(log, &store->logs, link)
	{
		if (log->space == space)
			store_add_mapped(store, &log->written, &space->state.mappings,
					 irange_intersection(log->range, range), PAGE_DIRTY_STATE,
					 PAGE_DIRTY_STATE);
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "follow.h"

void follow_page(struct store *store, struct paddr page, const struct page_state *now)
{
	struct page_record *record = store_page(store, page, 0);

	if (record == NULL)
		return;
	record->references = now->references;
	if (now->usage == PAGE_UNUSED)
		record->state = PAGE_FREE;
	else if (now->usage != PAGE_FRAME)
		record->state = PAGE_OTHER;
	else if (record->state == PAGE_FREE || record->state == PAGE_OTHER)
		record->state = now->references == 0 ? PAGE_UNIQUE_OWNER : PAGE_SHARED;
}

void follow_owner(struct store *store, struct paddr page)
{
	struct page_record *record = store_page(store, page, 0);

	if (record != NULL)
		record->owner = owners_adopted(&store->owners, page);
}

void follow_made(struct store *store, const struct op_made *made)
{
	struct handle *handle = store_handle(store, made->id);

	if (prange_is_empty(made->pages))
		return;
	if (handle == NULL)
		store_add_handle(store, made);
	else
		handle->pages = made->pages;
}

static struct live_list *list_of(const struct store *store, const struct op *op)
{
	return store_list(store, (const void *)(uintptr_t)op->list);
}

void follow_listed(struct store *store, const struct op *op, bool listed)
{
	struct page_record *record = store_page(store, op->place, 0);
	const struct live_list *list = list_of(store, op);

	if (record != NULL && list != NULL)
		record->list = listed ? list->number : 0;
}

void follow_place(struct store *store, const struct op *op, struct paddr place)
{
	struct live_list *list = list_of(store, op);
	struct listed *listed;

	if (place.value == PLACE_GHOST.value || list == NULL || store_listed(list, place) != NULL)
		return;
	listed = model_pool_take(&store->listed_pool);
	if (listed == NULL) {
		store->out_of_storage = true;
		return;
	}
	listed->page = place;
	TAILQ_INSERT_HEAD(&list->frames, listed, link);
	list->size++;
}

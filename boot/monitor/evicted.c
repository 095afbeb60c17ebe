/* SPDX-License-Identifier: BSD-3-Clause */
#include "evicted.h"

#include <strata/heap.h>

enum mm_status evicted_page_new(struct evicted_page **out)
{
	void *memory;
	enum mm_status status = heap_alloc(sizeof(**out), &memory);

	if (status == MM_OK)
		*out = memory;
	return status;
}

void evicted_page_free(struct evicted_page *evicted)
{
	heap_free(evicted);
}

struct evicted_page *evicted_find(const struct evicted_list *list, struct iaddr page)
{
	struct evicted_page *evicted = list->first;

	while (evicted != NULL && evicted->page.value != page.value)
		evicted = evicted->next;
	return evicted;
}

bool evicted_any(const struct evicted_list *list, struct irange range)
{
	for (const struct evicted_page *evicted = list->first; evicted; evicted = evicted->next) {
		if (irange_has(range, evicted->page))
			return true;
	}
	return false;
}

void evicted_add_flags(struct evicted_list *list, struct irange range, uint8_t flags)
{
	for (struct evicted_page *evicted = list->first; evicted; evicted = evicted->next) {
		if (irange_has(range, evicted->page))
			evicted->property.flags |= flags;
	}
}

void evicted_add(struct evicted_list *list, struct evicted_page *evicted)
{
	struct evicted_page **link = &list->first;

	while (*link != NULL)
		link = &(*link)->next;
	evicted->next = NULL;
	*link = evicted;
	list->count++;
}

void evicted_remove(struct evicted_list *list, struct evicted_page *evicted)
{
	struct evicted_page **link = &list->first;

	while (*link != evicted)
		link = &(*link)->next;
	*link = evicted->next;
	list->count--;
}

void evicted_drop_all(struct evicted_list *list)
{
	while (list->first != NULL) {
		struct evicted_page *evicted = list->first;

		evicted_remove(list, evicted);
		frame_drop(&evicted->frame);
		evicted_page_free(evicted);
	}
}

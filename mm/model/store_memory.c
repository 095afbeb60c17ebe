/* SPDX-License-Identifier: BSD-3-Clause */
/* Which pages are memory, and which a space was given of devices. */
#include "store.h"

void store_learn_memory(struct store *store, struct prange added)
{
	struct prange range;

	store->memory_known = true;
	for (size_t i = 0; mm_memory_range(i, &range); i++) {
		if (range.start.value != added.start.value || range.end.value != added.end.value)
			store_add_memory(store, range, false);
	}
}

struct live_memory *store_memory(const struct store *store, struct prange range)
{
	struct live_memory *memory;

	LIST_FOREACH(memory, &store->memory, link)
	{
		if (prange_overlaps(memory->range, range))
			return memory;
	}
	return NULL;
}

void store_add_memory(struct store *store, struct prange range, bool added)
{
	struct live_memory *memory = model_pool_take(&store->memory_pool);

	if (memory == NULL) {
		store->out_of_storage = true;
		return;
	}
	*memory = (struct live_memory){ .range = range, .added = added };
	LIST_INSERT_HEAD(&store->memory, memory, link);
}

void store_remove_memory(struct store *store, struct live_memory *memory)
{
	struct prange left = memory->range;
	uint64_t count;

	for (; left.start.value < left.end.value; left.start.value += count << PAGE_SHIFT) {
		struct page_record *record;

		count = 1;
		if (regions_find(&store->regions, left.start) == NULL)
			continue;
		record = regions_run(&store->regions, left, &count);
		if (record == NULL)
			continue;
		owners_give(&store->owners, record, count, NULL);
		*record = (struct page_record){ .state = PAGE_OTHER };
	}
	LIST_REMOVE(memory, link);
	model_pool_give(&store->memory_pool, memory);
}

void store_note_device(struct store *store, const struct vm_space *space, struct prange range)
{
	struct live_device *device;

	LIST_FOREACH(device, &store->devices, link)
	{
		if (device->space == space && prange_contains(device->range, range))
			return;
	}
	device = model_pool_take(&store->device_pool);
	if (device == NULL) {
		store->out_of_storage = true;
		return;
	}
	*device = (struct live_device){ .space = space, .range = range };
	LIST_INSERT_HEAD(&store->devices, device, link);
}

void store_forget_devices(struct store *store, const struct vm_space *space)
{
	struct live_device *device = LIST_FIRST(&store->devices);

	while (device != NULL) {
		struct live_device *next = LIST_NEXT(device, link);

		if (device->space == space) {
			LIST_REMOVE(device, link);
			model_pool_give(&store->device_pool, device);
		}
		device = next;
	}
}

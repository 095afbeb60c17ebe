/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that comes and goes: which ranges there are is known; which pages of them are free, of those that
 * were frames, too, and of the others what the subsystem says of them.
 */
#include "one_step.h"

#define OK STATUS_SET(MM_OK)

/* Pages are numbered by 32 bits. */
#define PAGE_NUMBERS UINT64_C(0xffffffff)

/* What describes the range, its pages, and their shares: a page each, at the least. */
#define METADATA_PAGES_LEAST 3

enum mm_status step_page_status(const struct store *store, struct paddr page)
{
	struct page_state state;

	if (!is_page_aligned(page.value))
		return MM_NOT_ALIGNED;
	if (store_memory(store, page_range(page)) != NULL)
		return MM_OK;
	/* What another CPU added, and did not say so yet. */
	return store_alone(store) ? MM_OUT_OF_BOUND : page_state(page, &state);
}

/* ---- Adding -------------------------------------------------------------------------------- */

/* Numbers may be free in parts of which none is large enough. */
static status_set number_refusals(const struct store *store, uint64_t pages)
{
	const struct live_memory *memory;
	uint64_t left = PAGE_NUMBERS;
	uint64_t parts = 1;

	LIST_FOREACH(memory, &store->memory, link)
	{
		left -= prange_size(memory->range) >> PAGE_SHIFT;
		parts++;
	}
	if (pages >= left)
		return STATUS_SET(MM_NOT_SUPPORTED);
	return pages < left / parts ? 0 : STATUS_SET(MM_NOT_SUPPORTED) | OK;
}

/* EL2's own table has its registers of devices in it, and its linear map too. */
static bool el2_may_have_it(const struct store *store, struct prange range)
{
	const struct live_space *space;

	LIST_FOREACH(space, &store->registry.spaces, link)
	{
		struct iaddr from = iaddr(0);
		struct mapping mapping;

		while (spec_is_el2s_own(&space->state) &&
		       mappings_next(&space->state.mappings, from, &mapping)) {
			struct prange output =
				prange(mapping.output, mapping_output(&mapping, mapping.range.end));

			if (!mapping.counted && prange_overlaps(output, range))
				return true;
			from = mapping.range.end;
		}
	}
	return false;
}

static status_set device_refusals(const struct store *store, struct prange range)
{
	const struct live_device *device;

	LIST_FOREACH(device, &store->devices, link)
	{
		if (prange_overlaps(device->range, range))
			return STATUS_SET(MM_IN_USE);
	}
	return el2_may_have_it(store, range) ? STATUS_SET(MM_IN_USE) | OK
					     : step_race(store, STATUS_SET(MM_IN_USE) | OK);
}

static status_set add_statuses(const struct store *store, struct prange range)
{
	status_set refusals = 0;

	if (!prange_is_page_aligned(range))
		return STATUS_SET(MM_NOT_ALIGNED);
	if (prange_is_empty(range))
		return STATUS_SET(MM_INVALID_ARGS);
	if (range.end.value > UINT64_C(1) << 48)
		return STATUS_SET(MM_OUT_OF_BOUND);
	if (store_memory(store, range) != NULL)
		refusals |= STATUS_SET(MM_EXISTS);
	if (prange_size(range) >> PAGE_SHIFT <= METADATA_PAGES_LEAST)
		refusals |= STATUS_SET(MM_NO_MEMORY);
	if (refusals != 0)
		return refusals;

	status_set numbers = number_refusals(store, prange_size(range) >> PAGE_SHIFT);
	status_set devices = device_refusals(store, range);

	refusals = numbers | devices;
	if ((numbers == 0 || status_in(numbers, MM_OK)) &&
	    (devices == 0 || status_in(devices, MM_OK)))
		return refusals | OK;
	return refusals & ~OK;
}

/* ---- Removing ------------------------------------------------------------------------------ */

/* Free, or what the range is described by. */
static bool is_given_back(const struct store *store, struct paddr page)
{
	const struct page_record *record = regions_find(&store->regions, page);
	struct page_state state;

	if (record != NULL && (record->state != PAGE_FREE || record->withheld))
		return false;
	return page_state(page, &state) == MM_OK &&
	       (state.usage == PAGE_UNUSED || state.usage == PAGE_META);
}

static status_set remove_statuses(const struct store *store, struct prange range)
{
	const struct live_memory *memory = store_memory(store, range);
	struct prange left = range;

	if (prange_is_empty(range) || memory == NULL ||
	    memory->range.start.value != range.start.value ||
	    memory->range.end.value != range.end.value)
		return STATUS_SET(MM_INVALID_ARGS);
	while (left.start.value < left.end.value && is_given_back(store, left.start))
		left.start.value += PAGE_SIZE;
	return (prange_is_empty(left) ? OK : STATUS_SET(MM_BUSY)) |
	       (memory->added ? 0 : STATUS_SET(MM_INVALID_ARGS) | STATUS_SET(MM_BUSY));
}

/* ---- Both ---------------------------------------------------------------------------------- */

status_set memory_statuses(const struct store *store, const struct op *op)
{
	switch ((enum memory_operation)op->kind) {
	case OPERATION_MEMORY_ADD:
		return add_statuses(store, op->pages);
	case OPERATION_MEMORY_REMOVE:
		return remove_statuses(store, op->pages);
	}
	return STATUS_NONE;
}

static void tell_usage(const struct step *step, struct paddr page, const char *wanted)
{
	struct page_state state;

	if (page_state(page, &state) != MM_OK)
		difference(step->subject, iaddr(page.value), "it is not memory, model says %s",
			   wanted);
	else
		difference(step->subject, iaddr(page.value), "the page is %s, model says %s",
			   page_usage_name(state.usage), wanted);
}

/* Its metadata lies at its beginning, and the rest is free. */
static void add(const struct step *step)
{
	struct prange range = step->op->pages;
	struct paddr last = paddr(range.end.value - PAGE_SIZE);

	store_add_memory(step->store, range, true);
	for (uint64_t i = 0; i < METADATA_PAGES_LEAST; i++) {
		struct paddr page = paddr(range.start.value + (i << PAGE_SHIFT));

		if (!page_has_usage(page, PAGE_META)) {
			tell_usage(step, page, "metadata");
			return;
		}
	}
	/* Another CPU may have it by now. */
	if (store_alone(step->store) && prange_size(range) >> PAGE_SHIFT > METADATA_PAGES_LEAST &&
	    !page_has_usage(last, PAGE_UNUSED))
		tell_usage(step, last, "unused");
}

void memory_step(const struct step *step)
{
	struct live_memory *memory = store_memory(step->store, step->op->pages);

	switch ((enum memory_operation)step->op->kind) {
	case OPERATION_MEMORY_ADD:
		add(step);
		break;
	case OPERATION_MEMORY_REMOVE:
		if (memory != NULL)
			store_remove_memory(step->store, memory);
		break;
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/memory.h>
#include <arch/canary.h>
#include "deferred_tables.h"
#include "device_regions.h"
#include "host.h"
#include "page_allocator.h"
#include "report.h"
#include "zone.h"

static enum mm_status validate(struct prange range)
{
	uint32_t number;

	if (!prange_is_page_aligned(range))
		return MM_NOT_ALIGNED;
	if (prange_is_empty(range))
		return MM_INVALID_ARGS;
	if (range.end.value > UINT64_C(1) << ADDRESS_BITS_MAX)
		return MM_OUT_OF_BOUND;
	for (const struct zone *zone = zones; zone != NULL; zone = zone_next(zone))
		if (prange_overlaps(zone->range, range))
			return MM_EXISTS;
	if (zone_metadata_size(range) >= prange_size(range))
		return MM_NO_MEMORY;
	if (!zone_find_numbers(prange_size(range) >> PAGE_SHIFT, &number))
		return MM_NOT_SUPPORTED;
	return MM_OK;
}

static void add(struct prange range)
{
	if (CANARY(memory_added_short))
		range.end.value -= PAGE_SIZE;

	struct paddr end = paddr(range.start.value + zone_metadata_size(range));
	struct prange metadata = prange(range.start, end);
	struct zone *zone = zone_make(range, metadata);

	/*
	 * slots_reserve finds zones by their links. Who finds the zone there by an address in it waits
	 * until its pages are what they are to be.
	 */
	ticket_lock(&zone->lock, MM_LOCK_ZONE);
	zone_link(zone);
	slots_reserve(metadata, PAGE_META);
	zone_add_free(zone, prange(metadata.end, range.end));
	ticket_unlock(&zone->lock);
}

static enum mm_status report(enum mm_operation_kind kind, enum mm_status status,
			     struct prange range)
{
	REPORT(.kind = kind, .status = status, .pages = range);
	(void)kind;
	(void)range;
	return status;
}

enum mm_status mm_memory_add(struct prange range)
{
	ASSERT_HELD(MM_HELD_MEMORY, NULL);

	enum mm_status status = validate(range);

	if (status != MM_OK)
		return report(OPERATION_MEMORY_ADD, status, range);
	/* What is mapped as a device until here stays so; what is to be from here on finds memory. */
	device_regions_lock();
	if (device_regions_overlap(range))
		status = MM_IN_USE;
	else
		add(range);
	device_regions_unlock();
	(void)report(OPERATION_MEMORY_ADD, status, range);
	if (status == MM_OK)
		mm_log("pages of memory were added", prange_size(range) >> PAGE_SHIFT);
	return status;
}

/* The zone of @range, if its metadata lies in it: the first zone's does not, or it stays. */
static struct zone *added_zone(struct prange range)
{
	for (struct zone *zone = zone_next(zones); zone != NULL; zone = zone_next(zone))
		if (zone->range.start.value == range.start.value &&
		    zone->range.end.value == range.end.value &&
		    zone->metadata.start.value == range.start.value)
			return zone;
	return NULL;
}

enum mm_status mm_memory_remove(struct prange range)
{
	ASSERT_HELD(MM_HELD_MEMORY, NULL);
	ASSERT_HELD(MM_HELD_MACHINE, NULL);

	struct zone *zone = added_zone(range);

	if (zone == NULL)
		return report(OPERATION_MEMORY_REMOVE, MM_INVALID_ARGS, range);
	(void)deferred_tables_drain();
	page_caches_drain();

	uint64_t metadata = prange_size(zone->metadata) >> PAGE_SHIFT;

	if (zone->free_pages != (zone->size >> PAGE_SHIFT) - metadata)
		return report(OPERATION_MEMORY_REMOVE, MM_BUSY, range);
	/* Its pages can be looked at still. */
	(void)report(OPERATION_MEMORY_REMOVE, MM_OK, range);
	/* Nothing is in flight: no entry names a page that is cached, but some may name pages of
	 * the zone. */
	page_caches_forget();
	zone_unlink(zone);
	usage_changed(PAGE_META, -(int64_t)metadata);
	mm_log("pages of memory were removed", prange_size(range) >> PAGE_SHIFT);
	return MM_OK;
}

#if STRATA_CHECKED

bool mm_memory_range(size_t index, struct prange *out)
{
	const struct zone *zone = zones;

	while (zone != NULL && index > 0) {
		zone = zone_next(zone);
		index--;
	}
	if (zone == NULL)
		return false;
	*out = zone->range;
	return true;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#include "device_regions.h"
#include <strata/heap.h>
#include "lock.h"

struct device_region {
	struct prange range;
	struct device_region *next;
};

/*
 * Of all lists: devices are mapped when a guest is made, and looked for when it accesses one that it
 * was not given, so spaces do not wait for each other here.
 */
static struct ticket_lock regions_lock;

/* The region that has @address, or NULL; with the lock held. */
static const struct device_region *find(const struct vm_space *space, struct paddr address)
{
	const struct device_region *region = space->devices;

	while (region != NULL && region->range.end.value <= address.value)
		region = region->next;
	return region != NULL && prange_has(region->range, address) ? region : NULL;
}

enum mm_status device_region_prepare(const struct vm_space *space, struct prange output,
				     struct device_region **out)
{
	const struct device_region *known;
	struct device_region *region;
	enum mm_status status;
	bool remembered;
	void *memory;

	*out = NULL;
	/* EL2's table maps memory this way too, and its devices have an io_mem. */
	if (space->stage != STAGE_2)
		return MM_OK;
	ticket_lock(&regions_lock);
	known = find(space, output.start);
	remembered = known != NULL && prange_contains(known->range, output);
	ticket_unlock(&regions_lock);
	if (remembered)
		return MM_OK;
	status = heap_alloc(sizeof(*region), &memory);
	if (status != MM_OK)
		return status;

	region = memory;
	*region = (struct device_region){ .range = output };
	*out = region;
	return MM_OK;
}

/* Puts @region in its place, with all that it touches made part of it. Returns those, chained. */
static struct device_region *insert(struct vm_space *space, struct device_region *region)
{
	struct device_region **link = &space->devices;
	struct device_region *merged = NULL;

	while (*link != NULL && (*link)->range.end.value < region->range.start.value)
		link = &(*link)->next;
	while (*link != NULL && (*link)->range.start.value <= region->range.end.value) {
		struct device_region *part = *link;

		if (part->range.start.value < region->range.start.value)
			region->range.start = part->range.start;
		if (part->range.end.value > region->range.end.value)
			region->range.end = part->range.end;
		*link = part->next;
		part->next = merged;
		merged = part;
	}
	region->next = *link;
	*link = region;
	return merged;
}

static void free_all(struct device_region *region)
{
	while (region != NULL) {
		struct device_region *next = region->next;

		heap_free(region);
		region = next;
	}
}

void device_region_remember(struct vm_space *space, struct device_region *region)
{
	struct device_region *merged;

	if (region == NULL)
		return;
	ticket_lock(&regions_lock);
	merged = insert(space, region);
	ticket_unlock(&regions_lock);
	free_all(merged);
}

void device_region_give_up(struct device_region *region)
{
	heap_free(region);
}

void device_regions_forget(struct vm_space *space)
{
	struct device_region *regions;

	ticket_lock(&regions_lock);
	regions = space->devices;
	space->devices = NULL;
	ticket_unlock(&regions_lock);
	free_all(regions);
}

enum mm_status vm_space_find_iomem(const struct vm_space *space, struct paddr address,
				   struct prange *region)
{
	const struct device_region *found;

	ticket_lock(&regions_lock);
	found = find(space, address);
	if (found != NULL)
		*region = found->range;
	ticket_unlock(&regions_lock);
	return found != NULL ? MM_OK : MM_NOT_MAPPED;
}

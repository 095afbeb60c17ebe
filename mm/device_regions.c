/* SPDX-License-Identifier: BSD-3-Clause */
#include "device_regions.h"
#include <strata/heap.h>
#include "lock.h"
#include "slot.h"

struct device_region {
	struct prange range;
	struct device_region *next; /* that the space remembers */
	struct device_region *next_claim;
	struct device_region **claim_link;
};

/*
 * Of all lists: devices are mapped when a guest is made, and looked for when it accesses one that it
 * was not given, so spaces do not wait for each other here. Memory is added under it as well.
 */
static struct ticket_lock regions_lock;

/* All regions, of whomever: none is memory, and none becomes it. */
static struct device_region *claims;

void device_regions_reset(void)
{
	claims = NULL;
}

/* With the lock held, as what follows. */
static void link_claim(struct device_region *region)
{
	region->next_claim = claims;
	region->claim_link = &claims;
	if (claims != NULL)
		claims->claim_link = &region->next_claim;
	claims = region;
}

static void unlink_claim(struct device_region *region)
{
	*region->claim_link = region->next_claim;
	if (region->next_claim != NULL)
		region->next_claim->claim_link = region->claim_link;
}

void device_regions_lock(void)
{
	ticket_lock(&regions_lock, MM_LOCK_DEVICE_REGIONS);
}

void device_regions_unlock(void)
{
	ticket_unlock(&regions_lock);
}

bool device_regions_overlap(struct prange range)
{
	for (const struct device_region *region = claims; region != NULL;
	     region = region->next_claim)
		if (prange_overlaps(region->range, range))
			return true;
	return false;
}

enum mm_status device_region_claim(struct prange output, struct device_region **out)
{
	struct device_region *region;
	bool is_memory;
	void *memory;
	enum mm_status status = heap_alloc(sizeof(*region), &memory);

	if (status != MM_OK)
		return status;

	region = memory;
	*region = (struct device_region){ .range = output };
	ticket_lock(&regions_lock, MM_LOCK_DEVICE_REGIONS);
	is_memory = slots_touch_memory(output);
	if (!is_memory)
		link_claim(region);
	ticket_unlock(&regions_lock);
	if (is_memory) {
		heap_free(region);
		return MM_ACCESS_DENIED;
	}
	*out = region;
	return MM_OK;
}

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
	bool remembered;

	*out = NULL;
	/* EL2's table maps memory this way too, and its devices have an io_mem. */
	if (space->stage != STAGE_2 && space->part != SPACE_IN_WINDOW)
		return MM_OK;
	ticket_lock(&regions_lock, MM_LOCK_DEVICE_REGIONS);
	known = find(space, output.start);
	remembered = known != NULL && prange_contains(known->range, output);
	ticket_unlock(&regions_lock);
	return remembered ? MM_OK : device_region_claim(output, out);
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
		unlink_claim(part);
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
	ticket_lock(&regions_lock, MM_LOCK_DEVICE_REGIONS);
	merged = insert(space, region);
	ticket_unlock(&regions_lock);
	free_all(merged);
}

void device_region_give_up(struct device_region *region)
{
	if (region == NULL)
		return;
	ticket_lock(&regions_lock, MM_LOCK_DEVICE_REGIONS);
	unlink_claim(region);
	ticket_unlock(&regions_lock);
	heap_free(region);
}

void device_regions_forget(struct vm_space *space)
{
	struct device_region *regions;

	ticket_lock(&regions_lock, MM_LOCK_DEVICE_REGIONS);
	regions = space->devices;
	space->devices = NULL;
	for (struct device_region *region = regions; region != NULL; region = region->next)
		unlink_claim(region);
	ticket_unlock(&regions_lock);
	free_all(regions);
}

enum mm_status vm_space_find_iomem(const struct vm_space *space, struct paddr address,
				   struct prange *region)
{
	const struct device_region *found;

	ticket_lock(&regions_lock, MM_LOCK_DEVICE_REGIONS);
	found = find(space, address);
	if (found != NULL)
		*region = found->range;
	ticket_unlock(&regions_lock);
	return found != NULL ? MM_OK : MM_NOT_MAPPED;
}

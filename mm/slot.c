/* SPDX-License-Identifier: BSD-3-Clause */
#include "slot.h"
#include <arch/canary.h>
#include "owner_table.h"
#include "page_allocator.h"
#include "panic.h"
#include "per_cpu.h"
#include <strata/frame.h>
#include <strata/frame_metadata.h>

uint64_t linear_map_offset;

/* The part of the section of @page that lies in @zone. */
static struct prange section_range(const struct zone *zone, struct paddr page)
{
	const uint64_t size = PAGE_SIZE << SECTION_ORDER;
	uint64_t start = page.value & ~(size - 1);

	return prange_intersection(zone->range, prange(paddr(start), paddr(start + size)));
}

void zone_section_make_ready(struct zone *zone, struct paddr page)
{
	uint8_t section = zone_section(zone, page);

	if (section & SECTION_READY)
		return;

	struct prange range = section_range(zone, page);
	struct slot *first = zone_slot(zone, range.start);
	struct slot *end = first + (prange_size(range) >> PAGE_SHIFT);
	bool reserved = (section & SECTION_RESERVED) != 0;
	enum page_usage usage =
		reserved ? (enum page_usage)(section & SECTION_FREE_ORDER) : PAGE_UNUSED;
	/* The links of a free block that begins here are in its slot already, and stay. */
	struct slot_links links = first->links;

	for (struct slot *slot = first; slot < end; slot++) {
		/* Relaxed: until the section is said to be ready, a release, nobody looks at its slots. */
		atomic_store_explicit(&slot->references, reserved ? 1 : SLOT_UNUSED,
				      memory_order_relaxed);
		slot_set_usage(slot, usage);
		slot_set_order(slot, ORDER_NONE);
		slot->children = 0;
		slot->links = (struct slot_links){ LINK_NONE, LINK_NONE };
	}
#if STRATA_CHECKED
	for (struct share_page *known = share_page_of(zone, range.start),
			       *known_end = known + (end - first);
	     known < known_end; known++)
		*known = (struct share_page){ 0 };
#endif
	if (reserved)
		section = 0;
	else if (section & SECTION_FREE_ORDER)
		first->links = links;
	zone_section_set(zone, page, section | SECTION_READY);
}

/*
 * Reserves what @range begins with of whole sections that nothing was said of yet, without making
 * their slots, and returns its size: what is set aside by the gigabyte is so at a byte per section.
 */
static uint64_t reserve_whole_sections(struct zone *zone, struct prange range,
				       enum page_usage usage)
{
	struct paddr start = range.start;
	struct prange whole = section_range(zone, start);

	while (start.value < range.end.value && prange_contains(range, whole) &&
	       zone_section(zone, start) == 0) {
		zone_section_set(zone, start, (uint8_t)(SECTION_RESERVED | usage));
		start = whole.end;
		whole = section_range(zone, start);
	}
	usage_changed(usage, (int64_t)((start.value - range.start.value) >> PAGE_SHIFT));
	return start.value - range.start.value;
}

/* The same for pages of one section. */
static void reserve_pages(struct zone *zone, struct prange range, enum page_usage usage)
{
	zone_section_make_ready(zone, range.start);
	for (struct paddr page = range.start; page.value < range.end.value;
	     page.value += PAGE_SIZE) {
		struct slot *slot = zone_slot(zone, page);

		if (slot_usage(slot) != PAGE_UNUSED)
			usage_changed(slot_usage(slot), -1);
		slot_set_usage(slot, usage);
		/* Relaxed: nobody else looks at these pages yet (slots_reserve). */
		atomic_store_explicit(&slot->references, 1, memory_order_relaxed);
		usage_changed(usage, 1);
	}
}

void slots_reserve(struct prange range, enum page_usage usage)
{
	for (struct zone *zone = zones; zone != NULL; zone = zone_next(zone)) {
		struct prange part = prange_intersection(zone->range, range);

		while (!prange_is_empty(part)) {
			part.start.value += reserve_whole_sections(zone, part, usage);
			if (prange_is_empty(part))
				break;

			struct paddr end = section_range(zone, part.start).end;

			if (end.value > part.end.value)
				end = part.end;
			reserve_pages(zone, prange(part.start, end), usage);
			part.start = end;
		}
	}
}

enum mm_status slot_lookup(struct paddr page, struct slot **out)
{
	if (!is_page_aligned(page.value))
		return MM_NOT_ALIGNED;

	struct zone *zone = zone_of(page);

	if (zone == NULL)
		return MM_OUT_OF_BOUND;
	if (!(zone_section(zone, page) & SECTION_READY)) {
		ticket_lock(&zone->lock, MM_LOCK_ZONE);
		zone_section_make_ready(zone, page);
		ticket_unlock(&zone->lock);
	}
	*out = zone_slot(zone, page);
	return MM_OK;
}

bool slots_touch_memory(struct prange range)
{
	for (const struct zone *zone = zones; zone != NULL; zone = zone_next(zone)) {
		struct prange part = prange_intersection(zone->range, range);
		struct slot *slot;

		for (struct paddr page = part.start; page.value < part.end.value;
		     page.value += PAGE_SIZE)
			if (slot_lookup(page, &slot) == MM_OK && slot_usage(slot) != PAGE_MMIO)
				return true;
	}
	return false;
}

/* One more reference; false at saturation. Relaxed: the caller already holds one. */
static bool slot_acquire(struct slot *slot)
{
	uint32_t references = atomic_load_explicit(&slot->references, memory_order_relaxed);

	do {
		MM_INVARIANT(references <= FRAME_REFERENCES_MAX &&
				     references != SLOT_UNDER_CONSTRUCTION,
			     "a reference is made from a reference", references);
		if (references >= FRAME_REFERENCES_MAX)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&slot->references, &references,
							references + 1, memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

/* At this moment; other CPUs may take references meanwhile. Relaxed: it is a first look, and decides nothing. */
static bool some_is_saturated(struct prange range)
{
	for (struct paddr page = range.start; page.value < range.end.value; page.value += PAGE_SIZE)
		if (atomic_load_explicit(&slot_of(page)->references, memory_order_relaxed) >=
		    FRAME_REFERENCES_MAX)
			return true;
	return false;
}

enum mm_status slots_acquire(struct prange range)
{
	struct paddr page;

	/* First a look, so that nobody sees counts that are taken back: only who races for the last
	 * reference does. */
	if (prange_size(range) > PAGE_SIZE && some_is_saturated(range))
		return MM_SATURATED;
	for (page = range.start; page.value < range.end.value; page.value += PAGE_SIZE)
		if (!slot_acquire(slot_of(page)))
			break;
	if (page.value == range.end.value)
		return MM_OK;
	slots_release(prange(range.start, page));
	return MM_SATURATED;
}

/*
 * One reference less; true if it was the last.
 *
 * Release: what this holder did to the page, and to its slot, comes before. The fence, an acquire, is for the
 * last one alone: what all others did came before he ends the page.
 */
static bool slot_release(struct slot *slot)
{
	uint32_t before = atomic_fetch_sub_explicit(&slot->references, 1, memory_order_release);

	MM_INVARIANT(before - 1 < FRAME_REFERENCES_MAX, "a dropped page is referenced", before);
	if (before != 1)
		return false;
	atomic_thread_fence(memory_order_acquire);
	return true;
}

/* The last holder's part, before the page goes back: what only a frame in use has ends here. Returns
 * who loses the page. */
static uint16_t slot_end_use(struct slot *slot, struct paddr page)
{
	enum page_usage usage = slot_usage(slot);

	usage_changed(usage, -1);
	if (usage != PAGE_FRAME)
		return OWNER_ID_HYPERVISOR;
	slot_drop_metadata(slot, page);
	return slot_owner(slot);
}

__attribute__((noinline)) static void end_slowly(struct slot *slot, struct paddr page)
{
	uint16_t owner = slot_end_use(slot, page);

	if (owner != OWNER_ID_HYPERVISOR)
		owner_lose_pages(owner, 1);
	page_give_back(slot, page);
}

static inline void release(struct slot *slot, struct paddr page)
{
	if (!slot_release(slot))
		return;

	struct page_cache *cache = &mm_this_cpu()->cache;

	if (slot_usage(slot) != PAGE_FRAME || slot->metadata != NULL ||
	    slot_owner(slot) != OWNER_ID_HYPERVISOR || cache->count == PAGE_CACHE_PAGES) {
		end_slowly(slot, page);
		return;
	}
	usage_changed(PAGE_FRAME, -1);
	page_cache_put(cache, slot, page);
}

__attribute__((noinline)) static void release_elsewhere(struct paddr page)
{
	release(slot_of(page), page);
}

/* The common case, a frame of the first zone, calls nothing, and so saves no register. */
void page_release(struct paddr page)
{
	if (zone_has(zones, page))
		release(zone_slot(zones, page), page);
	else
		release_elsewhere(page);
}

void slots_release(struct prange range)
{
	struct paddr free_from = range.start; /* pages from here to the current one became free */
	struct owner_tally tally = { OWNER_ID_HYPERVISOR, 0 };

	for (struct paddr page = range.start; page.value < range.end.value;
	     page.value += PAGE_SIZE) {
		struct slot *slot = slot_of(page);

		if (slot_release(slot)) {
			owner_tally_add(&tally, slot_end_use(slot, page));
			continue;
		}
		if (free_from.value < page.value)
			pages_give_back(prange(free_from, page));
		free_from.value = page.value + PAGE_SIZE;
	}
	owner_tally_end(&tally);
	if (free_from.value + PAGE_SIZE == range.end.value)
		page_give_back(slot_of(free_from), free_from);
	else if (free_from.value < range.end.value)
		pages_give_back(prange(free_from, range.end));
}

#if STRATA_CHECKED

void slots_begin_life(struct prange range)
{
	for (struct paddr page = range.start; page.value < range.end.value; page.value += PAGE_SIZE)
		share_page_born(share_page_of(zone_of(page), page));
}

#endif

void slots_publish(struct prange range, enum page_usage usage)
{
	for (struct paddr page = range.start; page.value < range.end.value; page.value += PAGE_SIZE)
		slot_publish(slot_of(page), page, usage);
	usage_changed(usage, (int64_t)(prange_size(range) >> PAGE_SHIFT));
}

void slots_unreserve(struct prange range)
{
	int64_t pages = (int64_t)(prange_size(range) >> PAGE_SHIFT);

	slots_begin_life(range);
	if (CANARY(last_page_reserved))
		range.end.value -= PAGE_SIZE;
	for (struct paddr page = range.start; page.value < range.end.value;
	     page.value += PAGE_SIZE) {
		slot_begin_frame(slot_of(page), NULL);
		slot_set_usage(slot_of(page), PAGE_FRAME);
	}
	usage_changed(PAGE_RESERVED, -pages);
	usage_changed(PAGE_FRAME, pages);
}

void slot_drop_metadata(struct slot *slot, struct paddr page)
{
	struct frame_metadata *metadata = slot->metadata;

	slot->metadata = NULL;
	if (metadata != NULL && metadata->kind->on_drop != NULL)
		metadata->kind->on_drop(metadata, page);
}

uint32_t page_number(struct paddr page)
{
	const struct zone *zone = zone_of(page);

	return zone->first_number +
	       (uint32_t)((page.value - zone->range.start.value) >> PAGE_SHIFT);
}

struct paddr page_at(uint32_t number)
{
	const struct zone *zone = zones;

	while (number - zone->first_number >= zone->size >> PAGE_SHIFT)
		zone = zone_next(zone);
	return paddr(zone->range.start.value +
		     ((uint64_t)(number - zone->first_number) << PAGE_SHIFT));
}

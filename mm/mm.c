/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/mm.h>
#include "device_regions.h"
#include "frame_list_ids.h"
#include "heap_private.h"
#include "host.h"
#include "owner_table.h"
#include "page_allocator.h"
#include "panic.h"
#include "per_cpu.h"
#include "share.h"
#include "sharing.h"
#include "vmid.h"
#include "zone.h"

static void (*panic_hook)(const char *invariant, uint64_t value) __attribute__((noreturn));

static void (*log_hook)(const char *event, uint64_t value);

void mm_log(const char *event, uint64_t value)
{
	if (log_hook != NULL)
		log_hook(event, value);
}

#if STRATA_CHECKED

static void (*held_hook)(enum mm_held what, const void *object);

void mm_assert_held(enum mm_held what, const void *object)
{
	if (held_hook != NULL)
		held_hook(what, object);
}

#endif

_Noreturn void mm_panic(const char *invariant, uint64_t value)
{
	panic_hook(invariant, value);
}

void *mm_linear(struct paddr paddr)
{
	return linear(paddr);
}

struct paddr mm_physical(const void *pointer)
{
	return physical(pointer);
}

const char *page_usage_name(enum page_usage usage)
{
	switch (usage) {
#define PAGE_USAGE_CASE(name, text)                                                                \
	case name:                                                                                 \
		return text;
		PAGE_USAGE_LIST(PAGE_USAGE_CASE)
#undef PAGE_USAGE_CASE
	case PAGE_USAGE_COUNT:
		break;
	}
	return "unknown usage";
}

const char *mm_status_name(enum mm_status status)
{
	switch (status) {
#define MM_STATUS_CASE(name, meaning)                                                              \
	case name:                                                                                 \
		return #name;
		MM_STATUS_LIST(MM_STATUS_CASE)
#undef MM_STATUS_CASE
	}
	return "unknown status";
}

struct mm_usage mm_usage(void)
{
	struct mm_usage usage = { 0 };
	uint64_t used = 0;

	for (unsigned int i = PAGE_UNUSED + 1; i < PAGE_USAGE_COUNT; i++) {
		int64_t pages = 0;

		for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++)
			pages += atomic_load_explicit(&mm_cpu_of(cpu)->usage[i],
						      memory_order_relaxed); /* per_cpu.h */
		usage.pages[i] = (uint64_t)pages;
		used += (uint64_t)pages;
	}
	usage.pages[PAGE_UNUSED] = zone_pages() - used;
	return usage;
}

static enum mm_status validate(const struct mm_config *config)
{
	uint64_t pages = 0;

	if (config->memory_count == 0 || config->panic == NULL ||
	    (config->vmid_limit != 0 && config->vmid_limit < VMID_LIMIT_MIN))
		return MM_INVALID_ARGS;
	for (size_t i = 0; i < config->memory_count; i++) {
		struct prange range = config->memory[i];

		if (prange_is_empty(range))
			return MM_INVALID_ARGS;
		if (i > 0 && config->memory[i - 1].end.value > range.start.value)
			return MM_INVALID_ARGS;
		if (!prange_is_page_aligned(range))
			return MM_NOT_ALIGNED;
		if (range.end.value > UINT64_C(1) << ADDRESS_BITS_MAX)
			return MM_OUT_OF_BOUND;
		pages += prange_size(range) >> PAGE_SHIFT;
	}
	for (size_t i = 0; i < config->reservation_count; i++) {
		const struct mm_reservation *reservation = &config->reservations[i];

		if (prange_is_empty(reservation->range))
			return MM_INVALID_ARGS;
		if (reservation->usage != PAGE_RESERVED && reservation->usage != PAGE_HYPERVISOR &&
		    reservation->usage != PAGE_MMIO)
			return MM_INVALID_ARGS;
		if (!prange_is_page_aligned(reservation->range))
			return MM_NOT_ALIGNED;
	}
	if (pages >= LINK_NONE)
		return MM_NOT_SUPPORTED;
	return is_page_aligned(config->linear_offset) ? MM_OK : MM_NOT_ALIGNED;
}

/* The table of shares in checked builds. */
static uint64_t share_table_size(const struct mm_config *config)
{
	uint64_t pages = 0;

#if STRATA_CHECKED
	for (size_t i = 0; i < config->memory_count; i++)
		pages += prange_size(config->memory[i]) >> PAGE_SHIFT;
	return shares_table_size(pages);
#else
	(void)config;
	return pages;
#endif
}

/* The metadata of all zones, in one run, and the table of shares after them. */
static uint64_t metadata_size(const struct mm_config *config)
{
	uint64_t size = share_table_size(config);

	for (size_t i = 0; i < config->memory_count; i++)
		size += zone_metadata_size(config->memory[i]);
	return size;
}

/* The lowest place for @size bytes of memory that no reservation covers. */
static bool find_place(const struct mm_config *config, uint64_t size, struct prange *out)
{
	for (size_t i = 0; i < config->memory_count; i++) {
		uint64_t start = config->memory[i].start.value;
		bool moved = true;

		while (moved && size <= config->memory[i].end.value - start) {
			moved = false;
			for (size_t j = 0; j < config->reservation_count; j++) {
				struct prange taken = config->reservations[j].range;

				if (!prange_overlaps(prange(paddr(start), paddr(start + size)),
						     taken))
					continue;
				start = taken.end.value;
				moved = true;
				if (start > config->memory[i].end.value)
					start = config->memory[i].end.value;
			}
		}
		if (!moved) {
			*out = prange(paddr(start), paddr(start + size));
			return true;
		}
	}
	return false;
}

static void make_zones(const struct mm_config *config, struct prange place)
{
	zones = NULL;
	for (size_t i = 0; i < config->memory_count; i++) {
		struct prange range = config->memory[i];

		place.end = paddr(place.start.value + zone_metadata_size(range));
		zone_link(zone_make(range, place));
		place.start = place.end;
	}
}

/* Puts what nothing covers under the allocator. */
static void free_the_rest(const struct mm_config *config, struct prange metadata)
{
	for (struct zone *zone = zones; zone != NULL; zone = zone_next(zone)) {
		uint64_t start = zone->range.start.value;

		while (start < zone->range.end.value) {
			/* The nearest thing in the way at or after start. */
			struct prange next = prange(zone->range.end, zone->range.end);

			for (size_t i = 0; i <= config->reservation_count; i++) {
				struct prange taken = i < config->reservation_count
							      ? config->reservations[i].range
							      : metadata;

				if (taken.end.value > start && taken.start.value < next.start.value)
					next = taken;
			}
			if (start < next.start.value)
				zone_add_free(zone, prange(paddr(start), next.start));
			if (start < next.end.value)
				start = next.end.value;
		}
	}
}

enum mm_status mm_init(const struct mm_config *config)
{
	struct prange metadata;
	enum mm_status status = validate(config);

	if (status != MM_OK)
		return status;
	if (!find_place(config, metadata_size(config), &metadata))
		return MM_NO_MEMORY;

	panic_hook = config->panic;
	log_hook = config->log;
	linear_map_offset = config->linear_offset;
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++)
		*mm_cpu_of(cpu) = (struct mm_cpu){ 0 };
	vmid_reset(config->vmid_limit);
	frame_list_ids_reset();
	heap_reset();
	device_regions_reset();
	owners_reset();
	sharings_reset();
#if STRATA_CHECKED
	held_hook = config->assert_held;
	shares_init(config,
		    prange(paddr(metadata.end.value - share_table_size(config)), metadata.end));
#endif
	make_zones(config, metadata);
	for (size_t i = 0; i < config->reservation_count; i++)
		slots_reserve(config->reservations[i].range, config->reservations[i].usage);
	slots_reserve(metadata, PAGE_META);
	free_the_rest(config, metadata);
	mm_log("pages of memory were taken over", zone_pages());
	return MM_OK;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "memory_map.h"
#include <inttypes.h>

/* The model keeps a few words per mapping; its needs grow with RAM, but not without end. */
#define MODEL_POOL_MIN (UINT64_C(6) << 20)
#define MODEL_POOL_MAX (UINT64_C(64) << 20)

#define RANGE_FORMAT "0x%" PRIx64 " to 0x%" PRIx64
#define RANGE_VALUES(range) (range).start.value, (range).end.value

static bool insert(struct boot_info *info, size_t at, struct prange range, struct boot_error *error)
{
	if (info->memory_count == BOOT_RANGES_MAX)
		return boot_error(error, "more than %d ranges of memory", BOOT_RANGES_MAX);
	for (size_t i = info->memory_count++; i > at; i--)
		info->memory[i] = info->memory[i - 1];
	info->memory[at] = range;
	return true;
}

static void erase(struct boot_info *info, size_t at)
{
	info->memory_count--;
	for (size_t i = at; i < info->memory_count; i++)
		info->memory[i] = info->memory[i + 1];
}

bool memory_map_add(struct boot_info *info, struct prange range, struct boot_error *error)
{
	const uint64_t limit = UINT64_C(1) << ADDRESS_BITS_MAX;
	size_t at = 0;

	if (range.start.value > range.end.value)
		return boot_error(
			error, "memory at 0x%" PRIx64 " wraps around the end of the address space",
			range.start.value);
	if (!prange_is_page_aligned(range))
		return boot_error(error, "memory " RANGE_FORMAT " is not aligned to 4 KiB",
				  RANGE_VALUES(range));
	if (range.end.value > limit)
		range.end.value = limit;
	if (prange_is_empty(range))
		return true;

	while (at < info->memory_count && info->memory[at].end.value < range.start.value)
		at++;
	for (size_t i = at; i < info->memory_count; i++) {
		if (prange_overlaps(info->memory[i], range))
			return boot_error(error,
					  "memory " RANGE_FORMAT " overlaps memory " RANGE_FORMAT,
					  RANGE_VALUES(range), RANGE_VALUES(info->memory[i]));
	}

	/* Ranges that touch become one, so that leaves are not cut where two nodes meet. */
	if (at < info->memory_count && info->memory[at].end.value == range.start.value) {
		range.start = info->memory[at].start;
		erase(info, at);
	}
	if (at < info->memory_count && info->memory[at].start.value == range.end.value) {
		range.end = info->memory[at].end;
		erase(info, at);
	}
	return insert(info, at, range, error);
}

bool memory_map_remove(struct boot_info *info, struct prange range, struct boot_error *error)
{
	for (size_t i = 0; i < info->memory_count;) {
		struct prange memory = info->memory[i];
		struct prange below = prange(memory.start, range.start);
		struct prange above = prange(range.end, memory.end);

		if (prange_is_empty(range) || !prange_overlaps(memory, range)) {
			i++;
			continue;
		}
		erase(info, i);
		if (!prange_is_empty(below) && !insert(info, i++, below, error))
			return false;
		if (!prange_is_empty(above) && !insert(info, i++, above, error))
			return false;
	}
	return true;
}

bool memory_map_reserve(struct boot_info *info, struct prange range, const char *name,
			enum page_usage usage, struct boot_error *error)
{
	struct prange pages;

	if (range.start.value > range.end.value || range.end.value > page_align_down(UINT64_MAX))
		return boot_error(error,
				  "the reserved range at 0x%" PRIx64
				  " wraps around the end of the address space",
				  range.start.value);
	if (prange_is_empty(range))
		return true;
	if (info->reserved_count == BOOT_RANGES_MAX)
		return boot_error(error, "more than %d reserved ranges", BOOT_RANGES_MAX);
	pages = prange(paddr(page_align_down(range.start.value)),
		       paddr(page_align_up(range.end.value)));
	info->reserved[info->reserved_count] = (struct boot_range){ pages, name };
	info->reservations[info->reserved_count] = (struct mm_reservation){ pages, usage };
	info->reserved_count++;
	return true;
}

bool memory_map_has(const struct boot_info *info, struct prange range)
{
	for (size_t i = 0; i < info->memory_count; i++) {
		if (prange_contains(info->memory[i], range))
			return true;
	}
	return false;
}

/* The first reservation that @range touches, or NULL. */
static const struct boot_range *reserved_in(const struct boot_info *info, struct prange range)
{
	for (size_t i = 0; i < info->reserved_count; i++) {
		if (prange_overlaps(info->reserved[i].range, range))
			return &info->reserved[i];
	}
	return NULL;
}

static uint64_t memory_size(const struct boot_info *info)
{
	uint64_t size = 0;

	for (size_t i = 0; i < info->memory_count; i++)
		size += prange_size(info->memory[i]);
	return size;
}

/* The highest @size bytes that nobody has. */
static bool find_free(const struct boot_info *info, uint64_t size, struct prange *out)
{
	for (size_t i = info->memory_count; i-- > 0;) {
		struct prange memory = info->memory[i];
		uint64_t end = memory.end.value;

		while (end - memory.start.value >= size) {
			struct prange candidate = prange(paddr(end - size), paddr(end));
			const struct boot_range *taken = reserved_in(info, candidate);

			if (!taken) {
				*out = candidate;
				return true;
			}
			if (taken->range.start.value <= memory.start.value)
				break;
			end = taken->range.start.value;
		}
	}
	return false;
}

static bool place_model_pool(struct boot_info *info, unsigned int share, struct boot_error *error)
{
	uint64_t size = page_align_down(memory_size(info) / share);

	if (size < MODEL_POOL_MIN)
		size = MODEL_POOL_MIN;
	if (size > MODEL_POOL_MAX)
		size = MODEL_POOL_MAX;
	if (!find_free(info, size, &info->model_pool))
		return boot_error(error,
				  "no %" PRIu64 " MiB of free memory in one piece for the model",
				  size >> 20);
	return memory_map_reserve(info, info->model_pool, "model", PAGE_HYPERVISOR, error);
}

static bool check_devices(const struct boot_info *info, struct boot_error *error)
{
	for (size_t i = 0; i < info->device_count; i++) {
		for (size_t j = 0; j < info->memory_count; j++) {
			if (prange_overlaps(info->devices[i].range, info->memory[j]))
				return boot_error(
					error, "device %s at 0x%" PRIx64 " lies in memory",
					info->devices[i].name, info->devices[i].range.start.value);
		}
	}
	return true;
}

bool memory_map_complete(struct boot_info *info, struct prange image, unsigned int pa_bits,
			 unsigned int model_share, struct boot_error *error)
{
	struct prange tree =
		prange(info->device_tree, paddr(info->device_tree.value + info->device_tree_size));
	struct prange beyond = prange(paddr(UINT64_C(1) << pa_bits), paddr(UINT64_MAX));

	if (!memory_map_remove(info, beyond, error))
		return false;
	if (info->memory_count == 0)
		return boot_error(error, "the device tree has no memory that this CPU can address");
	if (!memory_map_has(info, image))
		return boot_error(error, "the image, " RANGE_FORMAT ", is not in usable memory",
				  RANGE_VALUES(image));
	if (!memory_map_has(info, tree))
		return boot_error(error,
				  "the device tree, " RANGE_FORMAT ", is not in usable memory",
				  RANGE_VALUES(tree));
	if (prange_overlaps(tree, image))
		return boot_error(error, "the device tree, " RANGE_FORMAT ", overlaps the image",
				  RANGE_VALUES(tree));
	if (!prange_is_empty(info->initrd)) {
		if (!memory_map_has(info, info->initrd))
			return boot_error(error,
					  "the initrd, " RANGE_FORMAT ", is not in usable memory",
					  RANGE_VALUES(info->initrd));
		if (prange_overlaps(info->initrd, image) || prange_overlaps(info->initrd, tree))
			return boot_error(error,
					  "the initrd, " RANGE_FORMAT
					  ", overlaps the image or the device tree",
					  RANGE_VALUES(info->initrd));
	}
	if (!check_devices(info, error))
		return false;

	/* Where reservations overlap the later one says who has the page: the image is the last. */
	return memory_map_reserve(info, tree, "device tree", PAGE_RESERVED, error) &&
	       memory_map_reserve(info, info->initrd, "initrd", PAGE_RESERVED, error) &&
	       memory_map_reserve(info, image, "image", PAGE_HYPERVISOR, error) &&
	       (model_share == 0 || place_model_pool(info, model_share, error));
}

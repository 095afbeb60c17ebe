/* SPDX-License-Identifier: BSD-3-Clause */
#include "memory_map.h"
#include <inttypes.h>

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
			 struct boot_error *error)
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
	       memory_map_reserve(info, image, "image", PAGE_HYPERVISOR, error);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "model_pool.h"

#include "memory_map.h"

#include <inttypes.h>

/* The model keeps a few words per mapping; its needs grow with RAM, but not without end. */
#define MODEL_POOL_SHARE 32
#define MODEL_POOL_MIN (UINT64_C(6) << 20)
#define MODEL_POOL_MAX (UINT64_C(64) << 20)

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

bool model_pool_place(struct boot_info *info, struct boot_error *error)
{
	uint64_t size = page_align_down(memory_size(info) / MODEL_POOL_SHARE);

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

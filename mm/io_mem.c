/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/io_mem.h>
#include "device_regions.h"
#include "kvirt_area_private.h"
#include "report.h"

static enum mm_status map(struct kvirt_space *kvirt, struct prange registers, struct io_mem *out)
{
	const struct page_property device =
		page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_DEVICE);
	struct device_region *region;
	struct kvirt_area *area;
	enum mm_status status;

	if (!prange_is_page_aligned(registers))
		return MM_NOT_ALIGNED;
	if (prange_is_empty(registers))
		return MM_INVALID_ARGS;
	/* Stage 1 lets EL2 map its own memory uncounted, but not as a device. */
	status = device_region_claim(registers, &region);
	if (status != MM_OK)
		return status;
	status = kvirt_area_alloc(kvirt, prange_size(registers), &area);
	if (status != MM_OK) {
		device_region_give_up(region);
		return status;
	}

	status = kvirt_area_map_untracked(area, 0, registers, device);
	if (status != MM_OK) {
		kvirt_area_forget(area);
		device_region_give_up(region);
		return status;
	}
	*out = (struct io_mem){ .area = area, .registers = registers, .region = region };
	return MM_OK;
}

enum mm_status io_mem_new(struct kvirt_space *kvirt, struct prange registers, struct io_mem *out)
{
	enum mm_status status = map(kvirt, registers, out);

	REPORT(.kind = OPERATION_IO_MEM_NEW, .status = status, .kvirt = kvirt, .pages = registers,
	       .area = status == MM_OK ? out->area : NULL);
	return status;
}

enum mm_status io_mem_drop(struct io_mem *io_mem)
{
	enum mm_status status = kvirt_area_drop(io_mem->area);

	if (status == MM_OK)
		device_region_give_up(io_mem->region);
	return status;
}

struct iaddr io_mem_address(const struct io_mem *io_mem)
{
	return kvirt_area_range(io_mem->area).start;
}

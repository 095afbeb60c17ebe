/* SPDX-License-Identifier: BSD-3-Clause */
#include "escape_map.h"

#include <strata/cursor.h>

bool escape_is_memory(const struct boot_info *info, struct paddr address)
{
	for (size_t i = 0; i < info->memory_count; i++) {
		if (prange_has(info->memory[i], address))
			return true;
	}
	return false;
}

static enum mm_status map_counted(struct cursor *cursor, struct paddr page,
				  struct page_property property)
{
	frame_t frame;
	enum mm_status status = frame_from_in_use(page, &frame);

	if (status != MM_OK)
		return status;
	status = cursor_map(cursor, &frame, property);
	if (status != MM_OK)
		frame_drop(&frame);
	return status;
}

enum mm_status escape_map(struct guest *guest, struct paddr page)
{
	const struct page_property property =
		page_property(PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK);
	const struct irange range = irange(iaddr(0), iaddr(PAGE_SIZE));
	struct cursor cursor;
	enum mm_status status = cursor_open(&guest->space, range, CURSOR_MUTABLE, &cursor);

	if (status != MM_OK)
		return status;
	status = map_counted(&cursor, page, property);
	if (status == MM_ACCESS_DENIED)
		status = cursor_map_iomem(&cursor, page_range(page), property);
	if (status == MM_OK) {
		status = cursor_jump(&cursor, range.start);
		if (status == MM_OK)
			status = cursor_unmap(&cursor, PAGE_SIZE, NULL);
		if (status == MM_OK)
			status = MM_EXISTS;
	}
	cursor_close(&cursor);
	return status;
}

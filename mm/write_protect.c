/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/write_protect.h>

#include "protect_range.h"
#include "report.h"

static void count_writable(struct irange part, struct page_property was, void *context)
{
	uint64_t *pages = context;

	if (was.flags & (PAGE_WRITE | PAGE_DIRTY_STATE))
		*pages += irange_size(part) >> PAGE_SHIFT;
}

enum mm_status cursor_write_protect(struct cursor *cursor, uint64_t length, uint64_t *pages)
{
	const struct iaddr start = cursor_virt_addr(cursor);
	uint64_t writable = 0;
	enum mm_status status;

	REPORT_SERVICE(OPERATION_CURSOR_WRITE_PROTECT, cursor, start, length, .begins = true);
	status = protect_range(cursor, length, without_write, count_writable, &writable);
	if (status == MM_OK) {
		cursor_flush(cursor);
		if (pages != NULL)
			*pages = writable;
	}
	REPORT_SERVICE(OPERATION_CURSOR_WRITE_PROTECT, cursor, start, length, .status = status,
		       .result = writable);
	return status;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/ageing.h>

#include <arch/canary.h>

#include "protect_range.h"
#include "report.h"

static struct page_property without_accessed(struct page_property property, void *context)
{
	(void)context;
	property.flags &= (uint8_t)~PAGE_ACCESSED;
	return property;
}

static struct page_property with_accessed(struct page_property property, void *context)
{
	(void)context;
	property.flags |= PAGE_ACCESSED;
	return property;
}

struct look {
	struct iaddr start;
	uint64_t *bits; /* may be NULL */
	uint64_t pages;
};

static void collect(struct irange part, struct page_property was, void *context)
{
	struct look *look = context;

	if (!(was.flags & PAGE_ACCESSED))
		return;
	look->pages += irange_size(part) >> PAGE_SHIFT;
	if (look->bits == NULL)
		return;

	uint64_t page = (part.start.value - look->start.value) >> PAGE_SHIFT;
	uint64_t end = (part.end.value - look->start.value) >> PAGE_SHIFT;

	for (; page < end; page++)
		look->bits[page / 64] |= UINT64_C(1) << (page % 64);
}

enum mm_status cursor_age(struct cursor *cursor, uint64_t length, uint64_t *bits, uint64_t *pages)
{
	struct look look = { cursor_virt_addr(cursor), bits, 0 };
	enum mm_status status;

	REPORT_SERVICE(OPERATION_CURSOR_AGE, cursor, look.start, length, .begins = true);
	status = protect_range(cursor, length, without_accessed, collect, &look);
	if (status == MM_OK) {
		cursor_flush(cursor);
		if (pages != NULL)
			*pages = look.pages;
	}
	REPORT_SERVICE(OPERATION_CURSOR_AGE, cursor, look.start, length, .status = status,
		       .result = look.pages, .metadata = bits);
	return status;
}

enum mm_status ageing_fault(struct cursor *cursor)
{
	struct iaddr page = cursor_virt_addr(cursor);
	struct cursor_item item;
	enum mm_status status = cursor_peek(cursor, &item);

	if (status == MM_OK && !item.mapped)
		status = MM_NOT_MAPPED;
	if (CANARY(spurious_fault_refused) && status == MM_OK &&
	    (item.property.flags & PAGE_ACCESSED) != 0)
		status = MM_EXISTS;
	if (status == MM_OK)
		status = cursor_protect_next(cursor, PAGE_SIZE, with_accessed, NULL, NULL);
	return status == MM_OK ? cursor_jump(cursor, page) : status;
}

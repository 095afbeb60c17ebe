/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/migration.h>

#include "cursor_private.h"
#include "report.h"
#include "share.h"

/* The table's, and the one that the query gave: nobody else has the page. */
#define REFERENCES_IF_PRIVATE 2

static enum mm_status check(const struct cursor_item *item, const frame_t *old)
{
	if (item->property.cache != CACHE_WRITEBACK)
		return MM_NOT_SUPPORTED;
	return frame_reference_count(old) == REFERENCES_IF_PRIVATE ? MM_OK : MM_IN_USE;
}

static enum mm_status migrate(struct cursor *cursor, frame_t *new, frame_t *old)
{
	struct cursor_item item;
	frame_t held;

	if (cursor->access != CURSOR_MUTABLE)
		return MM_ACCESS_DENIED;

	enum mm_status status = cursor_query(cursor, &item, &held);

	if (status != MM_OK)
		return status;
	if (!item.mapped)
		return MM_NOT_MAPPED;
	if (!item.counted)
		return MM_ACCESS_DENIED;

	status = check(&item, &held);
	if (status == MM_OK)
		status = cursor_replace_copying(cursor, new, item.property, SHARE_CALLER());
	if (status == MM_OK)
		*old = held;
	else
		frame_drop(&held);
	return status;
}

enum mm_status cursor_migrate(struct cursor *cursor, frame_t *new, frame_t *old)
{
	const struct iaddr page = cursor_virt_addr(cursor);
	enum mm_status status;

	REPORT_SERVICE(OPERATION_CURSOR_MIGRATE, cursor, page, PAGE_SIZE, .begins = true,
		       .output = new->paddr);
	status = migrate(cursor, new, old);
	REPORT_SERVICE(OPERATION_CURSOR_MIGRATE, cursor, page, PAGE_SIZE, .status = status);
	return status;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a log: each page that it took something from has it again, and no other. */
#include "dirty_log_private.h"

struct page_property log_with_write(struct page_property property, void *context)
{
	(void)context;
	property.flags |= PAGE_WRITE;
	return property;
}

/* What could be written all the time, and says no more whether it was. */
static struct page_property without_dirty_state(struct page_property property, void *context)
{
	(void)context;
	if (property.flags & PAGE_DIRTY_STATE) {
		property.flags |= PAGE_WRITE;
		property.flags &= (uint8_t)~PAGE_DIRTY_STATE;
	}
	return property;
}

static page_property_update giving_back(const struct dirty_log *log)
{
	return log->by_hardware ? without_dirty_state : log_with_write;
}

/* Whether the log has something to give to @page. */
static bool is_owed(const struct dirty_log *log, struct iaddr page)
{
	return irange_has(log->range, page) && log_has_taken(log, page);
}

/* The end of the run that begins at @range.start, of pages that are owed alike. */
static struct iaddr run_end(const struct dirty_log *log, struct irange range)
{
	bool owed = is_owed(log, range.start);
	struct iaddr page = range.start;

	while (page.value < range.end.value && is_owed(log, page) == owed)
		page.value += PAGE_SIZE;
	return page;
}

/* The tables that are needed below a leaf of @level with @span, so that each page that is owed
 * something has it and no other. */
static size_t tables_for_owed(const struct dirty_log *log, int level, struct irange span)
{
	uint64_t below = level_size(level + 1);
	size_t tables = 1;

	if (run_end(log, span).value >= span.end.value)
		return 0;
	for (uint64_t start = span.start.value; level + 1 < LEVEL_PAGE && start < span.end.value;
	     start += below)
		tables +=
			tables_for_owed(log, level + 1, irange(iaddr(start), iaddr(start + below)));
	return tables;
}

/*
 * All that can be wrong with giving back: a property that there is not, and the tables to be had. Whether
 * a leaf changes does not depend on the flags that a CPU may set in it meanwhile, so the number is exact.
 */
static enum mm_status plan_giving_back(const struct dirty_log *log, const struct cursor *cursor,
				       size_t *tables)
{
	const enum translation_stage stage = cursor->space->stage;
	struct irange left = log->range;
	struct lookup leaf;

	while (cursor_find(cursor, left, &leaf)) {
		struct page_property was = property_decode(stage, leaf_attributes(leaf.descriptor));
		struct page_property becomes = giving_back(log)(was, NULL);
		struct irange part = irange_intersection(left, leaf.span);
		uint64_t attributes;

		left.start = part.end;
		if (!is_owed(log, part.start) && run_end(log, part).value == part.end.value)
			continue;
		if (!property_encode(cursor->space, becomes, &attributes))
			return MM_NOT_SUPPORTED;
		if (leaf.table.level < LEVEL_PAGE && !page_property_equal(was, becomes))
			*tables += tables_for_owed(log, leaf.table.level, leaf.span);
	}
	return MM_OK;
}

/* Cannot fail: @reserve has the tables. */
static void give_back(const struct dirty_log *log, struct cursor *cursor,
		      struct node_reserve *reserve)
{
	struct irange left = log->range;

	while (!irange_is_empty(left)) {
		struct iaddr end = run_end(log, left);

		if (is_owed(log, left.start)) {
			log_go_to(cursor, left.start);

			enum mm_status status = protect_range_from(
				reserve, cursor, end.value - left.start.value, giving_back(log));

			MM_INVARIANT(status == MM_OK, "write access that was planned is given",
				     left.start.value);
		}
		left.start = end;
	}
	MM_INVARIANT(reserve->count == 0, "a log's end uses the tables it planned", reserve->count);
}

static enum mm_status stop_log(struct dirty_log *log, struct cursor *cursor)
{
	struct iaddr position = cursor_virt_addr(cursor);
	struct node_reserve reserve;
	size_t tables = 0;
	enum mm_status status = log_check(log, cursor);

	if (status == MM_OK)
		status = plan_giving_back(log, cursor, &tables);
	if (status == MM_OK)
		status = node_reserve_fill(&reserve, tables);
	if (status != MM_OK)
		return status;
	give_back(log, cursor, &reserve);
	log_go_to(cursor, position);
	log_unlink(log);
	*log = (struct dirty_log){ 0 };
	return MM_OK;
}

enum mm_status dirty_log_stop(struct dirty_log *log, struct cursor *cursor)
{
	const struct iaddr position = cursor_virt_addr(cursor);
	enum mm_status status;

	REPORT_LOG(OPERATION_DIRTY_LOG_STOP, log, cursor, position, .begins = true);
	status = stop_log(log, cursor);
	REPORT_LOG(OPERATION_DIRTY_LOG_STOP, log, cursor, position, .status = status);
	return status;
}

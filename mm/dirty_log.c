/* SPDX-License-Identifier: BSD-3-Clause */
#include "dirty_log_private.h"

#include <arch/canary.h>

/* Writes go on, and the hardware says so in PAGE_WRITE, which begins clear. */
static struct page_property as_clean(struct page_property property, void *context)
{
	(void)context;
	if (property.flags & (PAGE_WRITE | PAGE_DIRTY_STATE)) {
		property.flags |= PAGE_DIRTY_STATE;
		property.flags &= (uint8_t)~PAGE_WRITE;
	}
	return property;
}

/* The same for a log that begins: dirty state that is there is somebody else's, and what no stage can
 * express refuses it before anything is written. */
static struct page_property as_clean_at_first(struct page_property property, void *context)
{
	if (property.flags & PAGE_DIRTY_STATE)
		return page_property(0, CACHE_POLICY_COUNT);
	return as_clean(property, context);
}

static void note_taken(struct irange part, struct page_property was, void *context)
{
	const struct dirty_log *log = context;

	if (was.flags & PAGE_WRITE)
		log_set_bits(log, log->taken, part);
}

/* What can be written is listed, or was mapped so meanwhile. */
static void note_written(struct irange part, struct page_property was, void *context)
{
	const struct dirty_log *log = context;

	/* The hardware's were listed when they became clean. */
	if (!(was.flags & PAGE_WRITE) || (was.flags & PAGE_DIRTY_STATE))
		return;
	log_set_bits(log, log->taken, part);
	log_set_bits(log, log->written, part);
}

static enum mm_status begin(struct dirty_log *log, struct cursor *cursor)
{
	const uint64_t length = irange_size(log->range);
	enum mm_status status;

	if (!log->by_hardware)
		return protect_range(cursor, length, without_write, note_taken, log);
	status = protect_range_to_pages(cursor, length, as_clean_at_first, note_taken, log);
	return status == MM_NOT_SUPPORTED ? MM_IN_USE : status;
}

static enum mm_status start_log(struct cursor *cursor, uint64_t length, _Atomic uint64_t *words,
				struct dirty_log *out)
{
	struct iaddr start = cursor_virt_addr(cursor);
	uint64_t list_words = DIRTY_LIST_WORDS(length >> PAGE_SHIFT);
	struct dirty_log log = { .space = cursor->space,
				 .range = irange(start, iaddr(start.value + length)),
				 .taken = words,
				 .written = words + list_words,
				 .by_hardware = cursor->space->context.hardware_flags };

	if (length == 0)
		return MM_INVALID_ARGS;
	if (length > cursor->range.end.value - start.value)
		return is_page_aligned(length) ? MM_OUT_OF_BOUND : MM_NOT_ALIGNED;
	/* Relaxed: who else looks at a bit has a cursor on its page, after this one. */
	for (uint64_t i = 0; i < 2 * list_words; i++)
		atomic_store_explicit(&words[i], 0, memory_order_relaxed);

	enum mm_status status = begin(&log, cursor);

	if (status != MM_OK)
		return status;
	cursor_flush(cursor);
	*out = log;
	log_link(out);
	return MM_OK;
}

enum mm_status dirty_log_start(struct cursor *cursor, uint64_t length, _Atomic uint64_t *words,
			       struct dirty_log *out)
{
	const struct iaddr first = cursor_virt_addr(cursor);
	enum mm_status status;

	REPORT_SERVICE(OPERATION_DIRTY_LOG_START, cursor, first, length, .begins = true,
		       .log = out);
	status = start_log(cursor, length, words, out);
	REPORT_SERVICE(OPERATION_DIRTY_LOG_START, cursor, first, length, .status = status,
		       .log = out);
	return status;
}

/* Whether write access to what is at the cursor's position, @item, is the log's to give. */
static bool is_served(const struct dirty_log *log, const struct cursor *cursor,
		      const struct cursor_item *item)
{
	struct iaddr page = cursor_virt_addr(cursor);

	if (cursor->access != CURSOR_MUTABLE || !irange_has(log->range, page) ||
	    !log_has_taken(log, page))
		return false;
	/* The hardware's can be written already, or not at all. */
	return !log->by_hardware || !item->mapped ||
	       (item->property.flags & (PAGE_WRITE | PAGE_DIRTY_STATE)) != 0;
}

static enum mm_status serve_fault(struct dirty_log *log, struct cursor *cursor)
{
	struct iaddr page = cursor_virt_addr(cursor);
	struct cursor_item item;

	if (log->space != NULL && log->space != cursor->space)
		return MM_INVALID_ARGS;

	enum mm_status status = cursor_peek(cursor, &item);

	if (status != MM_OK)
		return status;
	if (!is_served(log, cursor, &item))
		return MM_ACCESS_DENIED;
	if (!item.mapped)
		return MM_NOT_MAPPED;
	if (CANARY(spurious_fault_refused) && (item.property.flags & PAGE_WRITE) != 0)
		return MM_EXISTS;

	status = cursor_protect_next(cursor, PAGE_SIZE, log_with_write, NULL, NULL);
	if (status != MM_OK)
		return status;
	log_set_bits(log, log->written, irange(page, cursor_virt_addr(cursor)));
	log_go_to(cursor, page);
	return MM_OK;
}

enum mm_status dirty_log_fault(struct dirty_log *log, struct cursor *cursor)
{
	const struct iaddr page = cursor_virt_addr(cursor);
	enum mm_status status;

	REPORT_SERVICE(OPERATION_DIRTY_LOG_FAULT, cursor, page, PAGE_SIZE, .begins = true,
		       .log = log);
	status = serve_fault(log, cursor);
	REPORT_SERVICE(OPERATION_DIRTY_LOG_FAULT, cursor, page, PAGE_SIZE, .status = status,
		       .log = log);
	return status;
}

static struct page_property adopt(struct dirty_log *log, struct iaddr page,
				  struct page_property property)
{
	if (!irange_has(log->range, page) || !(property.flags & (PAGE_WRITE | PAGE_DIRTY_STATE)))
		return property;
	log_set_bits(log, log->taken, irange(page, iaddr(page.value + PAGE_SIZE)));
	return log->by_hardware ? as_clean(property, NULL) : without_write(property, NULL);
}

struct page_property dirty_log_adopt(struct dirty_log *log, struct iaddr page,
				     struct page_property property)
{
	const struct property_change change = { property, adopt(log, page, property) };

	REPORT(.kind = OPERATION_DIRTY_LOG_ADOPT, .space = log->space, .position = page,
	       .range = irange(page, iaddr(page.value + PAGE_SIZE)), .log = log, .changes = &change,
	       .change_count = 1);
	return change.becomes;
}

static enum mm_status take_list(struct dirty_log *log, struct cursor *cursor, uint64_t *list)
{
	struct iaddr position = cursor_virt_addr(cursor);
	enum mm_status status = log_check(log, cursor);

	if (status != MM_OK)
		return status;
	log_go_to(cursor, log->range.start);
	status = log->by_hardware ? protect_range_to_pages(cursor, irange_size(log->range),
							   as_clean, note_written, log)
				  : protect_range(cursor, irange_size(log->range), without_write,
						  note_written, log);
	log_go_to(cursor, position);
	if (status != MM_OK)
		return status;
	cursor_flush(cursor);
	/* Relaxed: who sets a bit has a cursor on its page, and this cursor has all of them. */
	for (uint64_t i = 0; i < DIRTY_LIST_WORDS(log_page_count(log)); i++)
		list[i] = atomic_exchange_explicit(&log->written[i], 0, memory_order_relaxed);
	return MM_OK;
}

enum mm_status dirty_log_take(struct dirty_log *log, struct cursor *cursor, uint64_t *list)
{
	const struct iaddr position = cursor_virt_addr(cursor);
	enum mm_status status;

	REPORT_LOG(OPERATION_DIRTY_LOG_TAKE, log, cursor, position, .begins = true);
	status = take_list(log, cursor, list);
	REPORT_LOG(OPERATION_DIRTY_LOG_TAKE, log, cursor, position, .status = status,
		   .metadata = list);
	return status;
}

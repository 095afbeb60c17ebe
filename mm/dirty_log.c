/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/dirty_log.h>

#include "cursor_private.h"
#include "lock.h"
#include "protect_range.h"

static struct page_property with_write(struct page_property property, void *context)
{
	(void)context;
	property.flags |= PAGE_WRITE;
	return property;
}

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

static struct page_property as_writable(struct page_property property, void *context)
{
	(void)context;
	if (property.flags & PAGE_DIRTY_STATE) {
		property.flags |= PAGE_WRITE;
		property.flags &= (uint8_t)~PAGE_DIRTY_STATE;
	}
	return property;
}

static uint64_t page_count(const struct dirty_log *log)
{
	return irange_size(log->range) >> PAGE_SHIFT;
}

static uint64_t page_index(const struct dirty_log *log, struct iaddr page)
{
	return (page.value - log->range.start.value) >> PAGE_SHIFT;
}

/* Neighbours' bits are changed by other CPUs at the same time. */
static void set_bits(const struct dirty_log *log, _Atomic uint64_t *bits, struct irange part)
{
	uint64_t end = page_index(log, part.end);

	for (uint64_t page = page_index(log, part.start); page < end; page++)
		atomic_fetch_or_explicit(&bits[page / 64], UINT64_C(1) << (page % 64),
					 memory_order_relaxed);
}

/*
 * Of the lists of logs of all spaces. Taken below nodes; no other is taken under it. A log is on the list
 * of its space while hardware writes it.
 */
static struct ticket_lock logs_lock;

void dirty_logs_note(struct vm_space *space, struct irange span)
{
	ticket_lock(&logs_lock);
	for (struct dirty_log *log = space->logs; log != NULL; log = log->next) {
		struct irange part = irange_intersection(log->range, span);

		if (!irange_is_empty(part))
			set_bits(log, log->written, part);
	}
	ticket_unlock(&logs_lock);
}

static void link_log(struct vm_space *space, struct dirty_log *log)
{
	ticket_lock(&logs_lock);
	log->next = space->logs;
	space->logs = log;
	ticket_unlock(&logs_lock);
}

static void unlink_log(struct vm_space *space, const struct dirty_log *log)
{
	struct dirty_log **link = &space->logs;

	ticket_lock(&logs_lock);
	while (*link != log)
		link = &(*link)->next;
	*link = log->next;
	ticket_unlock(&logs_lock);
}

static bool is_taken(const struct dirty_log *log, struct iaddr page)
{
	uint64_t index = page_index(log, page);

	return atomic_load_explicit(&log->taken[index / 64], memory_order_relaxed) >> (index % 64) &
	       1;
}

static void note_taken(struct irange part, struct page_property was, void *context)
{
	const struct dirty_log *log = context;

	if (was.flags & PAGE_WRITE)
		set_bits(log, log->taken, part);
}

/* What can be written is listed, or was mapped so meanwhile. */
static void note_written(struct irange part, struct page_property was, void *context)
{
	const struct dirty_log *log = context;

	/* The hardware's were listed when they became clean. */
	if (!(was.flags & PAGE_WRITE) || (was.flags & PAGE_DIRTY_STATE))
		return;
	set_bits(log, log->taken, part);
	set_bits(log, log->written, part);
}

static void go_to(struct cursor *cursor, struct iaddr position)
{
	enum mm_status status = cursor_jump(cursor, position);

	MM_INVARIANT(status == MM_OK, "a jump inside the range succeeds", position.value);
}

enum mm_status dirty_log_start(struct cursor *cursor, uint64_t length, _Atomic uint64_t *words,
			       struct dirty_log *out)
{
	struct iaddr start = cursor_virt_addr(cursor);
	uint64_t list_words = DIRTY_LIST_WORDS(length >> PAGE_SHIFT);
	struct dirty_log log = { .range = irange(start, iaddr(start.value + length)),
				 .taken = words,
				 .written = words + list_words,
				 .by_hardware = cursor->space->context.hardware_flags };

	if (length == 0)
		return MM_INVALID_ARGS;
	if (length > cursor->range.end.value - start.value)
		return is_page_aligned(length) ? MM_OUT_OF_BOUND : MM_NOT_ALIGNED;
	for (uint64_t i = 0; i < 2 * list_words; i++)
		atomic_store_explicit(&words[i], 0, memory_order_relaxed);

	enum mm_status status =
		log.by_hardware ? protect_range_to_pages(cursor, length, as_clean, note_taken, &log)
				: protect_range(cursor, length, without_write, note_taken, &log);

	if (status != MM_OK)
		return status;
	cursor_flush(cursor);
	*out = log;
	if (log.by_hardware)
		link_log(cursor->space, out);
	return MM_OK;
}

enum mm_status dirty_log_fault(struct dirty_log *log, struct cursor *cursor)
{
	struct iaddr page = cursor_virt_addr(cursor);
	struct cursor_item item;
	enum mm_status status = cursor_peek(cursor, &item);

	if (status != MM_OK)
		return status;
	if (cursor->access != CURSOR_MUTABLE || !irange_has(log->range, page) ||
	    !is_taken(log, page))
		return MM_ACCESS_DENIED;
	if (!item.mapped)
		return MM_NOT_MAPPED;

	status = cursor_protect_next(cursor, PAGE_SIZE, with_write, NULL, NULL);
	if (status != MM_OK)
		return status;
	set_bits(log, log->written, irange(page, cursor_virt_addr(cursor)));
	go_to(cursor, page);
	return MM_OK;
}

struct page_property dirty_log_adopt(struct dirty_log *log, struct iaddr page,
				     struct page_property property)
{
	if (!irange_has(log->range, page) || !(property.flags & PAGE_WRITE))
		return property;
	set_bits(log, log->taken, irange(page, iaddr(page.value + PAGE_SIZE)));
	return log->by_hardware ? as_clean(property, NULL) : without_write(property, NULL);
}

static enum mm_status check(const struct dirty_log *log, const struct cursor *cursor)
{
	if (irange_is_empty(log->range) || !irange_contains(cursor->range, log->range))
		return MM_OUT_OF_BOUND;
	return cursor->access == CURSOR_MUTABLE ? MM_OK : MM_ACCESS_DENIED;
}

enum mm_status dirty_log_take(struct dirty_log *log, struct cursor *cursor, uint64_t *list)
{
	struct iaddr position = cursor_virt_addr(cursor);
	enum mm_status status = check(log, cursor);

	if (status != MM_OK)
		return status;
	go_to(cursor, log->range.start);
	status = log->by_hardware ? protect_range_to_pages(cursor, irange_size(log->range),
							   as_clean, note_written, log)
				  : protect_range(cursor, irange_size(log->range), without_write,
						  note_written, log);
	go_to(cursor, position);
	if (status != MM_OK)
		return status;
	cursor_flush(cursor);
	for (uint64_t i = 0; i < DIRTY_LIST_WORDS(page_count(log)); i++)
		list[i] = atomic_exchange_explicit(&log->written[i], 0, memory_order_relaxed);
	return MM_OK;
}

/* Whether the log has write access to give to @page. */
static bool is_owed(const struct dirty_log *log, struct iaddr page)
{
	return irange_has(log->range, page) && is_taken(log, page);
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

/* The tables that are needed below a leaf of @level with @span, so that each page that is owed write
 * access has it and no other. */
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

/* All that can be wrong with giving back: a property that there is not, and the tables to be had. */
static enum mm_status plan_giving_back(const struct dirty_log *log, const struct cursor *cursor,
				       size_t *tables)
{
	const enum translation_stage stage = cursor->space->stage;
	struct irange left = log->range;
	struct lookup leaf;

	while (cursor_find(cursor, left, &leaf)) {
		struct page_property was = property_decode(stage, leaf_attributes(leaf.descriptor));
		struct irange part = irange_intersection(left, leaf.span);
		uint64_t attributes;

		left.start = part.end;
		if (!is_owed(log, part.start) && run_end(log, part).value == part.end.value)
			continue;
		if (!property_encode(cursor->space, with_write(was, NULL), &attributes))
			return MM_NOT_SUPPORTED;
		if (leaf.table.level < LEVEL_PAGE && !(was.flags & PAGE_WRITE))
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
			go_to(cursor, left.start);

			enum mm_status status = protect_range_from(
				reserve, cursor, end.value - left.start.value, with_write);

			MM_INVARIANT(status == MM_OK, "write access that was planned is given",
				     left.start.value);
		}
		left.start = end;
	}
	MM_INVARIANT(reserve->count == 0, "a log's end uses the tables it planned", reserve->count);
}

static enum mm_status stop_hardware(struct dirty_log *log, struct cursor *cursor)
{
	struct iaddr position = cursor_virt_addr(cursor);

	go_to(cursor, log->range.start);

	enum mm_status status =
		cursor_protect(cursor, irange_size(log->range), as_writable, NULL, NULL);

	go_to(cursor, position);
	if (status != MM_OK)
		return status;
	unlink_log(cursor->space, log);
	*log = (struct dirty_log){ 0 };
	return MM_OK;
}

enum mm_status dirty_log_stop(struct dirty_log *log, struct cursor *cursor)
{
	struct iaddr position = cursor_virt_addr(cursor);
	struct node_reserve reserve;
	size_t tables = 0;
	enum mm_status status = check(log, cursor);

	if (status == MM_OK && log->by_hardware)
		return stop_hardware(log, cursor);
	if (status == MM_OK)
		status = plan_giving_back(log, cursor, &tables);
	if (status == MM_OK)
		status = node_reserve_fill(&reserve, tables);
	if (status != MM_OK)
		return status;
	give_back(log, cursor, &reserve);
	go_to(cursor, position);
	*log = (struct dirty_log){ 0 };
	return MM_OK;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "dirty_log.h"

#include <strata/cursor.h>
#include "guest.h"

static bool bit_test(const uint64_t *bits, uint64_t index)
{
	return bits[index / 64] >> (index % 64) & 1;
}

static void bit_set(uint64_t *bits, uint64_t index)
{
	bits[index / 64] |= UINT64_C(1) << (index % 64);
}

/* The part of @range that is in the log, empty if there is none. */
static struct irange logged_part(const struct dirty_log *log, struct irange range)
{
	return irange_intersection(log->range, range);
}

static uint64_t page_index(const struct dirty_log *log, uint64_t page)
{
	return (page - log->range.start.value) >> PAGE_SHIFT;
}

/* FNV-1a over words: any single changed word changes the sum. */
static uint64_t page_sum(struct paddr page)
{
	const uint64_t *words = mm_linear(page);
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		sum = (sum ^ words[i]) * UINT64_C(0x100000001b3);
	return sum;
}

/* What is done with each page of the log that has a frame now, mapped or evicted. */
typedef void (*page_visit)(struct guest *guest, uint64_t index, struct paddr page);

static void remember_sum(struct guest *guest, uint64_t index, struct paddr page)
{
	bit_set(guest->dirty_log.present, index);
	guest->dirty_log.sums[index] = page_sum(page);
}

static void compare_sum(struct guest *guest, uint64_t index, struct paddr page)
{
	const struct dirty_log *log = &guest->dirty_log;

	if (bit_test(log->present, index) && !bit_test(log->written, index) &&
	    log->sums[index] != page_sum(page))
		guest->statistics.pages_not_listed++;
}

static void visit_mapped(struct guest *guest, const struct cursor_item *item, page_visit visit)
{
	const struct dirty_log *log = &guest->dirty_log;
	struct irange part = logged_part(log, item->range);
	uint64_t output = item->output.value - item->range.start.value;

	for (uint64_t page = part.start.value; page < part.end.value; page += PAGE_SIZE)
		visit(guest, page_index(log, page), paddr(output + page));
}

static enum mm_status visit_pages(struct guest *guest, struct cursor *cursor, page_visit visit)
{
	const struct dirty_log *log = &guest->dirty_log;
	enum mm_status status = cursor_jump(cursor, log->range.start);

	while (status == MM_OK && cursor_virt_addr(cursor).value < log->range.end.value) {
		struct cursor_item item;

		status = cursor_peek(cursor, &item);
		if (status != MM_OK)
			break;
		if (item.mapped)
			visit_mapped(guest, &item, visit);
		status = cursor_jump(cursor, logged_part(log, item.range).end);
	}

	for (size_t i = 0; i < guest->evicted_count; i++) {
		const struct evicted_page *evicted = &guest->evicted[i];

		if (irange_has(log->range, evicted->page))
			visit(guest, page_index(log, evicted->page.value), evicted->frame.paddr);
	}
	return status;
}

static struct page_property without_write(struct page_property property, void *context)
{
	(void)context;
	property.flags &= (uint8_t)~PAGE_WRITE;
	return property;
}

static struct page_property with_write(struct page_property property, void *context)
{
	(void)context;
	property.flags |= PAGE_WRITE;
	return property;
}

/* Changes every page of the log, mapped or evicted. */
static enum mm_status protect_pages(struct guest *guest, struct cursor *cursor,
				    page_property_update update)
{
	const struct irange range = guest->dirty_log.range;
	enum mm_status status = cursor_jump(cursor, range.start);

	while (status == MM_OK && cursor_virt_addr(cursor).value < range.end.value) {
		uint64_t left = range.end.value - cursor_virt_addr(cursor).value;

		status = cursor_protect_next(cursor, left, update, NULL, NULL);
	}

	for (size_t i = 0; i < guest->evicted_count; i++) {
		struct evicted_page *evicted = &guest->evicted[i];

		if (irange_has(range, evicted->page))
			evicted->property = update(evicted->property, NULL);
	}
	return status == MM_NOT_MAPPED ? MM_OK : status;
}

enum mm_status dirty_log_begin(struct guest *guest, struct irange range)
{
	struct cursor cursor;
	enum mm_status status = cursor_open(&guest->space, range, CURSOR_MUTABLE, &cursor);

	if (status != MM_OK)
		return status;

	guest->dirty_log = (struct dirty_log){ .running = true, .range = range };
	status = visit_pages(guest, &cursor, remember_sum);
	if (status == MM_OK)
		status = protect_pages(guest, &cursor, without_write);
	guest->dirty_log.running = status == MM_OK;
	cursor_close(&cursor);
	return status;
}

static void record(struct guest *guest, struct iaddr page)
{
	struct dirty_log *log = &guest->dirty_log;

	if (!log->running || !irange_has(log->range, page))
		return;

	uint64_t index = page_index(log, page.value);
	if (!bit_test(log->written, index))
		guest->statistics.pages_dirty++;
	bit_set(log->written, index);
}

enum mm_status dirty_log_permit_write(struct guest *guest, struct cursor *cursor)
{
	struct iaddr page = cursor_virt_addr(cursor);
	enum mm_status status = cursor_protect_next(cursor, PAGE_SIZE, with_write, NULL, NULL);

	if (status == MM_OK)
		record(guest, page);
	return status;
}

enum mm_status dirty_log_end(struct guest *guest)
{
	struct dirty_log *log = &guest->dirty_log;
	struct cursor cursor;
	enum mm_status status = cursor_open(&guest->space, log->range, CURSOR_MUTABLE, &cursor);

	if (status != MM_OK)
		return status;

	status = visit_pages(guest, &cursor, compare_sum);
	if (status == MM_OK)
		status = protect_pages(guest, &cursor, with_write);
	cursor_close(&cursor);

	guest->statistics.dirty_rounds++;
	log->running = false;
	return status;
}

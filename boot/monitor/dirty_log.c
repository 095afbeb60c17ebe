/* SPDX-License-Identifier: BSD-3-Clause */
#include "dirty_log.h"

#include <strata/cursor.h>
#include "guest.h"
#include "page_sum.h"

static bool bit_test(const uint64_t *bits, uint64_t index)
{
	return bits[index / 64] >> (index % 64) & 1;
}

static void bit_set(uint64_t *bits, uint64_t index)
{
	bits[index / 64] |= UINT64_C(1) << (index % 64);
}

/* The part of @range that is in the round, empty if there is none. */
static struct irange logged_part(const struct dirty_round *round, struct irange range)
{
	return irange_intersection(round->range, range);
}

static uint64_t page_index(const struct dirty_round *round, uint64_t page)
{
	return (page - round->range.start.value) >> PAGE_SHIFT;
}

/* What is done with each page of the round that has a frame now, mapped or evicted. */
typedef void (*page_visit)(struct guest *guest, uint64_t index, struct paddr page);

static void remember_sum(struct guest *guest, uint64_t index, struct paddr page)
{
	bit_set(guest->dirty_round.present, index);
	guest->dirty_round.sums[index] = page_sum(mm_linear(page));
}

static void compare_sum(struct guest *guest, uint64_t index, struct paddr page)
{
	const struct dirty_round *round = &guest->dirty_round;

	if (bit_test(round->present, index) && !bit_test(round->written, index) &&
	    round->sums[index] != page_sum(mm_linear(page)))
		guest->statistics.pages_not_listed++;
}

static void visit_mapped(struct guest *guest, const struct cursor_item *item, page_visit visit)
{
	const struct dirty_round *round = &guest->dirty_round;
	struct irange part = logged_part(round, item->range);
	uint64_t output = item->output.value - item->range.start.value;

	for (uint64_t page = part.start.value; page < part.end.value; page += PAGE_SIZE)
		visit(guest, page_index(round, page), paddr(output + page));
}

static enum mm_status visit_pages(struct guest *guest, struct cursor *cursor, page_visit visit)
{
	const struct dirty_round *round = &guest->dirty_round;
	enum mm_status status = cursor_jump(cursor, round->range.start);

	while (status == MM_OK && cursor_virt_addr(cursor).value < round->range.end.value) {
		struct cursor_item item;

		status = cursor_peek(cursor, &item);
		if (status != MM_OK)
			break;
		if (item.mapped)
			visit_mapped(guest, &item, visit);
		status = cursor_jump(cursor, logged_part(round, item.range).end);
	}

	for (const struct evicted_page *evicted = guest->evicted.first; evicted;
	     evicted = evicted->next) {
		if (irange_has(round->range, evicted->page))
			visit(guest, page_index(round, evicted->page.value), evicted->frame.paddr);
	}
	return status;
}

/* The evicted pages of the round will be mapped as the log wants them. */
static void adopt_evicted(struct guest *guest)
{
	for (struct evicted_page *evicted = guest->evicted.first; evicted; evicted = evicted->next)
		evicted->property =
			dirty_log_adopt(&guest->dirty_round.log, evicted->page, evicted->property);
}

enum mm_status dirty_round_begin(struct guest *guest, struct irange range)
{
	struct dirty_round *round = &guest->dirty_round;
	const bool meanwhile = guest_is_running(guest);
	struct cursor cursor;
	enum mm_status status = cursor_open(&guest->space, range, CURSOR_MUTABLE, &cursor);

	if (status != MM_OK)
		return status;

	*round = (struct dirty_round){ .range = range };
	status = dirty_log_start(&cursor, irange_size(range), round->words, &round->log);
	if (status == MM_OK) {
		round->running = true;
		guest->statistics.logs_meanwhile += meanwhile;
		adopt_evicted(guest);
		status = visit_pages(guest, &cursor, remember_sum);
	}
	cursor_close(&cursor);
	return status;
}

static uint64_t pages_on(const uint64_t *list)
{
	uint64_t pages = 0;

	for (uint64_t i = 0; i < DIRTY_ROUND_PAGES; i++)
		pages += bit_test(list, i);
	return pages;
}

static enum mm_status end(struct guest *guest, struct cursor *cursor)
{
	struct dirty_round *round = &guest->dirty_round;
	enum mm_status status = dirty_log_take(&round->log, cursor, round->written);

	if (status == MM_OK)
		status = visit_pages(guest, cursor, compare_sum);
	if (status == MM_OK)
		status = dirty_log_stop(&round->log, cursor);
	return status;
}

enum mm_status dirty_round_end(struct guest *guest)
{
	struct dirty_round *round = &guest->dirty_round;
	struct cursor cursor;
	enum mm_status status = cursor_open(&guest->space, round->range, CURSOR_MUTABLE, &cursor);

	if (status != MM_OK)
		return status;

	status = end(guest, &cursor);
	cursor_close(&cursor);
	if (status != MM_OK)
		return status;

	/* All of the round is in a region of writable pages. */
	evicted_add_flags(&guest->evicted, round->range, PAGE_WRITE);
	guest->statistics.pages_dirty += pages_on(round->written);
	guest->statistics.dirty_rounds++;
	round->running = false;
	return MM_OK;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done by an open cursor, and the acts that are one. */
#include "session.h"

#include <strata/ageing.h>
#include <strata/migration.h>
#include <strata/reclaim.h>
#include <strata/write_protect.h>

/* ---- Unmaps ------------------------------------------------------------------------------------ */

static void unmap(struct session *session)
{
	uint64_t leaves;

	called(session->worker, OPERATION_CURSOR_UNMAP,
	       cursor_unmap(&session->cursor, session_some(session), &leaves),
	       BIT(MM_OK) | BIT(MM_NO_MEMORY));
}

/* Takes a page away and watches that it stays as it is. */
static void take_page(struct session *session)
{
	struct worker *worker = session->worker;
	uint64_t ia = session_position(session);
	struct cursor_item item;
	frame_t frame;

	if (session_left(session) == 0 ||
	    !called(worker, OPERATION_CURSOR_QUERY, cursor_query(&session->cursor, &item, &frame),
		    BIT(MM_OK)) ||
	    !item.mapped || !item.counted)
		return;

	bool taken = one_in(worker, 2) && called(worker, OPERATION_CURSOR_UNMAP,
						 cursor_unmap(&session->cursor, PAGE_SIZE, NULL),
						 BIT(MM_OK) | BIT(MM_NO_MEMORY));

	if (taken) {
		cursor_flush(&session->cursor);
		called(worker, OPERATION_CURSOR_FLUSH, MM_OK, BIT(MM_OK));
	}
	hold_frame(worker, &frame, taken && !is_common(ia));
}

static void migrate(struct session *session)
{
	uint64_t ia = session_position(session);
	frame_t new, old;

	if (!fresh_frame(session->worker, &new))
		return;
	if (called(session->worker, OPERATION_CURSOR_MIGRATE,
		   cursor_migrate(&session->cursor, &new, &old),
		   BIT(MM_OK) | BIT(MM_NOT_MAPPED) | BIT(MM_OUT_OF_BOUND) | BIT(MM_IN_USE) |
			   BIT(MM_NO_MEMORY) | session_denied(ia)))
		hold_frame(session->worker, &old, true);
	else
		session_give_back(session, &new);
}

static void receive(const struct reclaimed_page *reclaimed, void *context)
{
	struct session *session = context;

	hold_frame(session->worker, &reclaimed->frame, !is_common(reclaimed->page.value));
}

static void reclaim(struct session *session)
{
	uint64_t taken;

	called(session->worker, OPERATION_CURSOR_RECLAIM,
	       cursor_reclaim(&session->cursor, session_some(session),
			      1 + below(session->worker, 4), receive, session, &taken),
	       BIT(MM_OK) | BIT(MM_NO_MEMORY));
}

/* ---- Properties -------------------------------------------------------------------------------- */

static struct page_property becomes(struct page_property was, void *context)
{
	(void)was;
	return *(const struct page_property *)context;
}

static void protect(struct session *session)
{
	struct page_property property = draw_property(session->worker);
	uint64_t leaves;

	called(session->worker, OPERATION_CURSOR_PROTECT,
	       cursor_protect(&session->cursor, session_some(session), becomes, &property, &leaves),
	       BIT(MM_OK) | BIT(MM_NO_MEMORY));
}

static void protect_next(struct session *session)
{
	struct page_property property = draw_property(session->worker);
	struct irange changed;

	called(session->worker, OPERATION_CURSOR_PROTECT_NEXT,
	       cursor_protect_next(&session->cursor, session_some(session), becomes, &property,
				   &changed),
	       BIT(MM_OK) | BIT(MM_NOT_MAPPED) | BIT(MM_NO_MEMORY));
}

static void age(struct session *session)
{
	uint64_t pages;

	called(session->worker, OPERATION_CURSOR_AGE,
	       cursor_age(&session->cursor, session_some(session), NULL, &pages),
	       BIT(MM_OK) | BIT(MM_NO_MEMORY));
}

static void write_protect(struct session *session)
{
	uint64_t pages;

	called(session->worker, OPERATION_CURSOR_WRITE_PROTECT,
	       cursor_write_protect(&session->cursor, session_some(session), &pages),
	       BIT(MM_OK) | BIT(MM_NO_MEMORY));
}

/* ---- Looks ------------------------------------------------------------------------------------- */

static void find_next(struct session *session)
{
	called(session->worker, OPERATION_CURSOR_FIND_NEXT,
	       cursor_find_next(&session->cursor, session_some(session)),
	       BIT(MM_OK) | BIT(MM_NOT_MAPPED));
}

static void flush(struct session *session)
{
	cursor_flush(&session->cursor);
	called(session->worker, OPERATION_CURSOR_FLUSH, MM_OK, BIT(MM_OK));
}

/* What this CPU holds it is not given again. */
static void open_again(struct session *session)
{
	struct cursor again;

	called(session->worker, OPERATION_CURSOR_OPEN,
	       cursor_open(&session->guest->space, session->cursor.range, CURSOR_MUTABLE, &again),
	       BIT(MM_BUSY));
}

static void operate(struct session *session, uint64_t count)
{
	static void (*const operations[])(struct session *) = {
		session_map,
		session_map,
		session_map,
		session_map_frames,
		session_map_segment,
		session_map_segment,
		session_replace,
		unmap,
		unmap,
		take_page,
		take_page,
		migrate,
		reclaim,
		protect,
		protect_next,
		age,
		write_protect,
		find_next,
		find_next,
		flush,
		open_again,
		session_look,
		session_look,
		session_look,
	};

	while (count-- > 0 && !stopped()) {
		if (one_in(session->worker, 2))
			session_jump(session);
		operations[below(session->worker, sizeof(operations) / sizeof(operations[0]))](
			session);
	}
}

static void work(struct worker *worker, struct guest_space *guest, uint64_t start, uint64_t length)
{
	struct session session;

	if (!session_open(&session, worker, guest, start, length))
		return;
	if (length == MIB(2) && one_in(worker, 3))
		session_make_block(&session);
	operate(&session, 1 + below(worker, 8));
	session_close(&session);
}

/* ---- Acts -------------------------------------------------------------------------------------- */

void act_pages(struct worker *worker)
{
	static const uint64_t starts[] = { 0, MIB(2) - 6 * PAGE_SIZE, MIB(2) - 6 * PAGE_SIZE,
					   GIB(1) - 4 * PAGE_SIZE };
	uint64_t start = starts[below(worker, sizeof(starts) / sizeof(starts[0]))] +
			 below(worker, 6) * PAGE_SIZE;

	work(worker, draw_shared(worker), start, (1 + below(worker, 6)) * PAGE_SIZE);
}

void act_blocks(struct worker *worker)
{
	uint64_t start = BLOCKS_START + below(worker, BLOCKS) * MIB(2);

	if (one_in(worker, 3))
		work(worker, draw_shared(worker), start + below(worker, 500) * PAGE_SIZE,
		     (1 + below(worker, 12)) * PAGE_SIZE);
	else
		work(worker, draw_shared(worker), start, MIB(2));
}

void act_own_pages(struct worker *worker)
{
	work(worker, draw_shared(worker), OWN_START + worker->cpu * OWN_PAGES * PAGE_SIZE,
	     OWN_PAGES * PAGE_SIZE);
}

void act_wide(struct worker *worker)
{
	work(worker, draw_shared(worker), 0, one_in(worker, 2) ? MIB(4) : WIDE_END);
}

void act_common(struct worker *worker)
{
	work(worker, draw_shared(worker), COMMON_START, COMMON_PAGES * PAGE_SIZE);
}

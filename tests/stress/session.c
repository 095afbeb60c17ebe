/* SPDX-License-Identifier: BSD-3-Clause */
/* Cursors, and what is mapped by them. */
#include "session.h"

#define MAP_STATUSES (BIT(MM_OK) | BIT(MM_EXISTS) | BIT(MM_OUT_OF_BOUND) | BIT(MM_NO_MEMORY))

bool session_open(struct session *session, struct worker *worker, struct guest_space *guest,
		  uint64_t start, uint64_t length)
{
	enum mm_status status;

	*session = (struct session){ .worker = worker, .guest = guest };
	status = cursor_open(&guest->space, irange(iaddr(start), iaddr(start + length)),
			     CURSOR_MUTABLE, &session->cursor);
	take_place(worker);
	return called(worker, OPERATION_CURSOR_OPEN, status, BIT(MM_OK));
}

void session_close(struct session *session)
{
	cursor_close(&session->cursor);
	called(session->worker, OPERATION_CURSOR_CLOSE, MM_OK, BIT(MM_OK));
}

uint64_t session_position(const struct session *session)
{
	return cursor_virt_addr(&session->cursor).value;
}

uint64_t session_left(const struct session *session)
{
	return session->cursor.range.end.value - session_position(session);
}

/* Some pages, at the most all that is left; 0: there are none. */
uint64_t session_some(struct session *session)
{
	uint64_t length = (1 + below(session->worker, 4)) * PAGE_SIZE;

	return length > session_left(session) || one_in(session->worker, 8) ? session_left(session)
									    : length;
}

void session_jump(struct session *session)
{
	uint64_t pages = irange_size(session->cursor.range) / PAGE_SIZE;
	uint64_t ia = session->cursor.range.start.value + below(session->worker, pages) * PAGE_SIZE;

	/* In a large range, where something may be; in a block's, where one can be. */
	if (pages > 512)
		ia = draw_address(session->worker);
	else if (pages == 512 && one_in(session->worker, 2))
		ia = session->cursor.range.start.value;
	called(session->worker, OPERATION_CURSOR_JUMP, cursor_jump(&session->cursor, iaddr(ia)),
	       BIT(MM_OK) | BIT(MM_OUT_OF_BOUND));
}

/* ---- Maps -------------------------------------------------------------------------------------- */

static struct page_property property_at(struct session *session, uint64_t ia)
{
	struct page_property property = draw_property(session->worker);

	for (unsigned int i = 0; i < SHARED_SPACES && is_logged(ia); i++)
		if (session->guest == &stress.shared[i] && stress.logs[i].runs)
			return dirty_log_adopt(&stress.logs[i].log, iaddr(ia), property);
	return property;
}

/* A frame that may be mapped at @ia. */
static bool frame_for(struct session *session, uint64_t ia, frame_t *out)
{
	struct worker *worker = session->worker;
	const struct frame_box *box = worker->frames[below(worker, FRAME_BOXES)];

	if (is_common(ia))
		return box->full && called(worker, OPERATION_FRAME_CLONE,
					   frame_clone(&box->frame, out), BIT(MM_OK));
	if (!fresh_frame(worker, out))
		return false;
	name_page(out->paddr, identity(session->guest->id, ia));
	return true;
}

/* What was not mapped. */
void session_give_back(struct session *session, frame_t *frame)
{
	frame_drop(frame);
	called(session->worker, OPERATION_FRAME_DROP, MM_OK, BIT(MM_OK));
}

/* A common page may be another space's. */
uint32_t session_denied(uint64_t ia)
{
	return is_common(ia) ? BIT(MM_ACCESS_DENIED) : 0;
}

void session_map(struct session *session)
{
	uint64_t ia = session_position(session);
	frame_t frame;

	if (!frame_for(session, ia, &frame))
		return;
	if (!called(session->worker, OPERATION_CURSOR_MAP,
		    cursor_map(&session->cursor, &frame, property_at(session, ia)),
		    MAP_STATUSES | session_denied(ia)))
		session_give_back(session, &frame);
}

void session_map_frames(struct session *session)
{
	const uint64_t ia = session_position(session);
	const size_t wanted = 2 + below(session->worker, 3);
	frame_t frames[4];
	size_t count = 0;

	if (is_logged(ia) || is_common(ia) || wanted * PAGE_SIZE > session_left(session) ||
	    is_common(ia + (wanted - 1) * PAGE_SIZE) || is_logged(ia + (wanted - 1) * PAGE_SIZE))
		return;
	while (count < wanted && frame_for(session, ia + count * PAGE_SIZE, &frames[count]))
		count++;
	if (count == 0)
		return;
	if (called(session->worker, OPERATION_CURSOR_MAP,
		   cursor_map_frames(&session->cursor, frames, count,
				     draw_property(session->worker)),
		   MAP_STATUSES))
		return;
	while (count-- > 0)
		session_give_back(session, &frames[count]);
}

void session_replace(struct session *session)
{
	uint64_t ia = session_position(session);
	frame_t frame;

	if (!frame_for(session, ia, &frame))
		return;
	if (!called(session->worker, OPERATION_CURSOR_REPLACE,
		    cursor_replace(&session->cursor, &frame, property_at(session, ia)),
		    BIT(MM_OK) | BIT(MM_NOT_MAPPED) | BIT(MM_OUT_OF_BOUND) | BIT(MM_NO_MEMORY) |
			    session_denied(ia)))
		session_give_back(session, &frame);
}

/* A block, or pages: one after another, all of them named. */
void session_map_segment(struct session *session)
{
	struct worker *worker = session->worker;
	const uint64_t ia = session_position(session);
	const bool block =
		ia % MIB(2) == 0 && session_left(session) >= MIB(2) && !one_in(worker, 4);
	const uint64_t pages = block ? 512 : 1 + below(worker, 8);
	struct segment segment;

	if (is_logged(ia) || is_common(ia) || is_logged(ia + (pages - 1) * PAGE_SIZE) ||
	    is_common(ia + (pages - 1) * PAGE_SIZE))
		return;
	if (!called(worker, OPERATION_SEGMENT_ALLOC,
		    segment_alloc(pages, block ? MIB(2) : PAGE_SIZE, FRAME_UNDEFINED, &segment),
		    BIT(MM_OK) | BIT(MM_NO_MEMORY)))
		return;
	for (uint64_t offset = 0; offset < pages * PAGE_SIZE; offset += PAGE_SIZE)
		name_page(paddr(segment.start.value + offset),
			  identity(session->guest->id, ia + offset));
	if (called(worker, OPERATION_CURSOR_MAP_SEGMENT,
		   cursor_map_segment(&session->cursor, &segment, draw_property(worker)),
		   MAP_STATUSES))
		return;
	segment_drop(&segment);
	called(worker, OPERATION_SEGMENT_DROP, MM_OK, BIT(MM_OK));
}

/* From nothing to a block, that what follows may split. */
void session_make_block(struct session *session)
{
	if (called(session->worker, OPERATION_CURSOR_UNMAP,
		   cursor_unmap(&session->cursor, session_left(session), NULL),
		   BIT(MM_OK) | BIT(MM_NO_MEMORY)) &&
	    called(session->worker, OPERATION_CURSOR_JUMP,
		   cursor_jump(&session->cursor, session->cursor.range.start), BIT(MM_OK)))
		session_map_segment(session);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reclaim: pages taken out of a range, those first that were not accessed since the last look
 * (strata/ageing.h).
 */
#pragma once

#include <strata/cursor.h>

/* A page that is not mapped any more, and what is needed to map it again. */
struct reclaimed_page {
	struct iaddr page;
	struct page_property property; /* when it went. PAGE_ACCESSED: not cold */
	frame_t frame;		       /* the reference of the table entry, now the receiver's */
};

/*
 * Receives @page, whose frame is the receiver's from now on: no CPU reaches it by this space any
 * more. The cursor is open: the receiver opens none on its range, and takes no reference to a page
 * of it.
 */
typedef void (*reclaim_receiver)(const struct reclaimed_page *page, void *context);

/*
 * Takes at most @wanted counted pages out of the next @length bytes and hands each to @receiver,
 * after the flush: first all whose PAGE_ACCESSED is clear, by ascending address, then the others. (Where
 * CPUs keep flags one that was cold when it was looked at may have been accessed before it went: what
 * its receiver is told has that, as it has PAGE_WRITE of a page that was written.)
 * The position stays. A block is split. A page that others hold too is taken as well:
 * frame_reference_count tells. What is not counted is left, and a page that others saturate meanwhile.
 * @taken says how many there were; fewer than @wanted if there are no more. All or nothing: the tables
 * for all splits are taken before the first page is.
 *
 * MM_ACCESS_DENIED: read-only cursor. MM_NOT_ALIGNED, MM_OUT_OF_BOUND: as cursor_find_next.
 * MM_NO_MEMORY, MM_SATURATED: no page for a table that a split needs, a page that cannot take one more
 *	reference; nothing was taken, and nothing split.
 */
MM_MUST_CHECK enum mm_status cursor_reclaim(struct cursor *cursor, uint64_t length, uint64_t wanted,
					    reclaim_receiver receiver, void *context,
					    uint64_t *taken);

/* SPDX-License-Identifier: BSD-3-Clause */
/* Handles of pages that no address is named in, in boxes that go from CPU to CPU. */
#include "stress.h"

#include <strata/unique_frame.h>

static void check_page(struct worker *worker, struct paddr page)
{
	page_says(worker, page, COMMON_WORD, "held by CPU", worker->cpu);
}

/* ---- Frames ------------------------------------------------------------------------------------ */

static struct frame_box *some_frame(struct worker *worker)
{
	return worker->frames[below(worker, FRAME_BOXES)];
}

static void fill_frame(struct worker *worker, struct frame_box *box)
{
	const struct frame_box *other = some_frame(worker);

	if (!other->full) {
		box->full = fresh_frame(worker, &box->frame);
		if (box->full)
			name_page(box->frame.paddr, COMMON_WORD);
	} else if (one_in(worker, 2)) {
		box->full = called(worker, OPERATION_FRAME_CLONE,
				   frame_clone(&other->frame, &box->frame), BIT(MM_OK));
	} else {
		box->full = called(worker, OPERATION_FRAME_FROM_IN_USE,
				   frame_from_in_use(other->frame.paddr, &box->frame), BIT(MM_OK));
	}
}

static void drop_frame(struct worker *worker, struct frame_box *box)
{
	check_page(worker, box->frame.paddr);
	frame_drop(&box->frame);
	called(worker, OPERATION_FRAME_DROP, MM_OK, BIT(MM_OK));
	box->full = false;
}

/* There and back again. */
static void make_unique(struct worker *worker, struct frame_box *box)
{
	unique_frame_t unique;

	if (!called(worker, OPERATION_UNIQUE_TRY_FROM_SHARED,
		    unique_frame_try_from_shared(&box->frame, &unique),
		    BIT(MM_OK) | BIT(MM_IN_USE) | BIT(MM_ACCESS_DENIED)))
		return;
	check_page(worker, unique.paddr);
	box->frame = unique_frame_into_shared(&unique);
	called(worker, OPERATION_UNIQUE_INTO_SHARED, MM_OK, BIT(MM_OK));
}

static void pass_raw(struct worker *worker, struct frame_box *box)
{
	struct paddr page = frame_into_raw(&box->frame);

	called(worker, OPERATION_FRAME_INTO_RAW, MM_OK, BIT(MM_OK));
	box->frame = frame_from_raw(page);
	called(worker, OPERATION_FRAME_FROM_RAW, MM_OK, BIT(MM_OK));
}

/* Release what is in the box, acquire what is in the one that comes back. */
static void pass_frame(struct worker *worker, struct frame_box **box)
{
	take_place(worker);
	*box = atomic_exchange_explicit(&stress.frame_mail[below(worker, MAILBOXES)], *box,
					memory_order_acq_rel);
	if ((*box)->full)
		check_page(worker, (*box)->frame.paddr);
}

void act_frames(struct worker *worker)
{
	for (uint64_t i = 1 + below(worker, 6); i > 0; i--) {
		struct frame_box **box = &worker->frames[below(worker, FRAME_BOXES)];

		if (one_in(worker, 3))
			pass_frame(worker, box);
		else if (!(*box)->full)
			fill_frame(worker, *box);
		else if (one_in(worker, 4))
			make_unique(worker, *box);
		else if (one_in(worker, 4))
			pass_raw(worker, *box);
		else
			drop_frame(worker, *box);
	}
}

/* ---- Segments ---------------------------------------------------------------------------------- */

static struct segment_box *empty_segment(struct worker *worker)
{
	for (unsigned int i = 0; i < SEGMENT_BOXES; i++)
		if (!worker->segments[i]->full)
			return worker->segments[i];
	return NULL;
}

static void fill_segment(struct worker *worker, struct segment_box *box)
{
	uint64_t pages = 1 + below(worker, 6);

	box->full = called(worker, OPERATION_SEGMENT_ALLOC,
			   segment_alloc(pages, PAGE_SIZE, FRAME_UNDEFINED, &box->segment),
			   BIT(MM_OK) | BIT(MM_NO_MEMORY));
	for (uint64_t i = 0; box->full && i < pages; i++)
		name_page(paddr(box->segment.start.value + i * PAGE_SIZE), COMMON_WORD);
}

static void part_segment(struct worker *worker, struct segment_box *box)
{
	struct segment_box *other = empty_segment(worker);
	uint64_t pages = segment_size(&box->segment) / PAGE_SIZE;
	uint64_t first = below(worker, pages);

	if (other == NULL)
		return;
	if (one_in(worker, 2)) {
		struct prange part = prange(paddr(box->segment.start.value + first * PAGE_SIZE),
					    box->segment.end);

		other->full =
			called(worker, OPERATION_SEGMENT_SLICE,
			       segment_slice(&box->segment, part, &other->segment), BIT(MM_OK));
	} else if (first > 0) {
		other->full =
			called(worker, OPERATION_SEGMENT_SPLIT,
			       segment_split(&box->segment, first * PAGE_SIZE, &other->segment),
			       BIT(MM_OK));
	} else {
		other->full = called(worker, OPERATION_SEGMENT_CLONE,
				     segment_clone(&box->segment, &other->segment), BIT(MM_OK));
	}
}

static void drop_segment(struct worker *worker, struct segment_box *box)
{
	check_page(worker, box->segment.start);
	segment_drop(&box->segment);
	called(worker, OPERATION_SEGMENT_DROP, MM_OK, BIT(MM_OK));
	box->full = false;
}

/* The first page becomes a frame; with the last one the segment is no more. */
static void next_page(struct worker *worker, struct segment_box *segment)
{
	struct frame_box *box = some_frame(worker);
	bool last = segment_size(&segment->segment) == PAGE_SIZE;

	if (box->full)
		return;
	box->full = segment_next(&segment->segment, &box->frame);
	called(worker, OPERATION_SEGMENT_NEXT, MM_OK, BIT(MM_OK));
	if (!box->full)
		find(worker, JUDGE_STATUS, "a segment has no first page");
	if (last)
		segment->full = false;
}

static void pass_segment(struct worker *worker, struct segment_box **box)
{
	take_place(worker);
	*box = atomic_exchange_explicit(&stress.segment_mail[below(worker, MAILBOXES)], *box,
					memory_order_acq_rel);
}

void act_segments(struct worker *worker)
{
	for (uint64_t i = 1 + below(worker, 4); i > 0; i--) {
		struct segment_box **box = &worker->segments[below(worker, SEGMENT_BOXES)];

		if (one_in(worker, 4))
			pass_segment(worker, box);
		else if (!(*box)->full)
			fill_segment(worker, *box);
		else if (one_in(worker, 3))
			part_segment(worker, *box);
		else if (one_in(worker, 3))
			next_page(worker, *box);
		else
			drop_segment(worker, *box);
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments: one counted reference to each page of a contiguous range.
 *
 * Invariant: a segment is never empty, its bounds are page aligned, and it accounts for exactly
 * one reference (C in rc = H + P + C + T) on each page it covers. Segments may overlap: a clone or
 * a slice is one more reference, dropped on its own, in any order.
 */
#pragma once

#include <strata/frame.h>

/* A handle, to be dropped once. Move it by assignment and forget the source. */
struct segment {
	struct paddr start; /* page aligned */
	struct paddr end;   /* page aligned, exclusive, > start */
#if STRATA_CHECKED
	struct share_certificate certificate;
#endif
};

/*
 * Takes @page_count free contiguous pages whose first is aligned to @alignment bytes (a power of
 * two, at least PAGE_SIZE).
 *
 * MM_INVALID_ARGS: no pages, or @alignment is not such a power. MM_NO_MEMORY: no such run is free
 * inside one free block. (Blocks are of a power of two pages, aligned to their size: a run that
 * crosses from one into the next is not looked for.)
 */
MM_MUST_CHECK enum mm_status segment_alloc(uint64_t page_count, uint64_t alignment,
					   enum frame_contents contents, struct segment *out);

/*
 * Takes the pages of @range, all of them free.
 *
 * MM_NOT_ALIGNED; MM_INVALID_ARGS: empty or reversed; MM_OUT_OF_BOUND: not all memory.
 * MM_IN_USE, MM_UNIQUE, MM_BUSY: what the first page that is not free says. No page was taken.
 */
MM_MUST_CHECK enum mm_status segment_from_unused(struct prange range, struct segment *out);

/*
 * Takes the pages of @range, all of them PAGE_RESERVED, for instance a file that a loader left
 * there. The last drop of each page makes it free memory.
 *
 * MM_NOT_ALIGNED, MM_INVALID_ARGS, MM_OUT_OF_BOUND: as segment_from_unused.
 * MM_ACCESS_DENIED: some page is not PAGE_RESERVED. No page was taken.
 */
MM_MUST_CHECK enum mm_status segment_from_reserved(struct prange range, struct segment *out);

/* MM_SATURATED: some page cannot take one more reference; no page was changed. */
MM_MUST_CHECK enum mm_status segment_clone(const struct segment *segment, struct segment *out);

/*
 * Makes @out a second reference to the pages of @sub, a page-aligned, non-empty range inside @segment.
 *
 * MM_NOT_ALIGNED, MM_OUT_OF_BOUND: @sub is not such a range.
 * MM_SATURATED: some page cannot take one more reference; no page was changed.
 *
 * Lock-free; safe against concurrent clones and drops of other handles to the same pages.
 */
MM_MUST_CHECK enum mm_status segment_slice(const struct segment *segment, struct prange sub,
					   struct segment *out);

/*
 * Divides @segment at @offset bytes: @segment keeps what lies before, @rest gets what follows.
 * Counts do not change.
 *
 * MM_NOT_ALIGNED, MM_OUT_OF_BOUND: @offset is not page aligned or not strictly inside.
 */
MM_MUST_CHECK enum mm_status segment_split(struct segment *segment, uint64_t offset,
					   struct segment *rest);

/*
 * Moves the first page out of @segment into @out: C becomes H, rc does not change. Returns false
 * once the segment has no page left; it is then void and must not be dropped.
 */
bool segment_next(struct segment *segment, frame_t *out);

/* Gives all references back; pages whose last reference this was are free. */
void segment_drop(struct segment *segment);

/* The segment becomes a bare range, to be turned back exactly once. Counts do not change. */
struct prange segment_into_raw(struct segment *segment);
struct segment segment_from_raw(struct prange range);

/* A one-page segment from a frame: H becomes C. */
struct segment segment_from_frame(frame_t *frame);

/* Bytes. */
uint64_t segment_size(const struct segment *segment);

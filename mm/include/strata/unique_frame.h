/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unique frames: pages with one exclusive owner.
 *
 * Invariant: a page in the state UNIQUE has exactly one unique handle, or is in one frame list; no
 * shared handle, table entry, segment or parked reference (H = P = C = T = 0). Nobody else can take
 * a reference: frame_from_in_use and frame_from_unused say MM_UNIQUE.
 *
 *	UNUSED ──from_unused──▶ UNIQUE ◀──try_from_shared── SHARED(1)
 *	   ▲                      │  └──────into_shared──────▶
 *	   └──drop, reset_as_unused
 */
#pragma once

#include <strata/frame.h>
#include <strata/frame_metadata.h>

/* The one handle. To be dropped once; move it by assignment and forget the source. */
typedef struct unique_frame {
	struct paddr paddr; /* page aligned */
#if STRATA_CHECKED
	struct share_certificate certificate;
#endif
} unique_frame_t;

/*
 * Takes the free page at @paddr, contents as they are, with @metadata (may be NULL).
 *
 * MM_NOT_ALIGNED, MM_OUT_OF_BOUND, MM_IN_USE, MM_UNIQUE, MM_BUSY: as frame_from_unused.
 */
MM_MUST_CHECK enum mm_status
unique_frame_from_unused(struct paddr paddr, struct frame_metadata *metadata, unique_frame_t *out);

/* Takes a free page, any page. MM_NO_MEMORY: none is free. */
MM_MUST_CHECK enum mm_status unique_frame_alloc(enum frame_contents contents,
						struct frame_metadata *metadata,
						unique_frame_t *out);

/* The frame's metadata, NULL if it has none. */
struct frame_metadata *unique_frame_metadata(const unique_frame_t *frame);

/* Gives the frame other metadata (may be NULL). The old object's on_drop runs first. */
void unique_frame_repurpose(unique_frame_t *frame, struct frame_metadata *metadata);

/* The page is shared from now on, with one reference (U to H). Metadata stays. @frame is void. */
frame_t unique_frame_into_shared(unique_frame_t *frame);

/*
 * Makes @frame, the only reference to its page, a unique one (H to U). @frame is void afterwards,
 * unless there is an error.
 *
 * MM_IN_USE: there are other references.
 * MM_ACCESS_DENIED: there are none, but the page is a space's, or a sharing's (strata/ownership.h).
 */
MM_MUST_CHECK enum mm_status unique_frame_try_from_shared(frame_t *frame, unique_frame_t *out);

/* The handle becomes a bare address, to be turned back exactly once. The page stays UNIQUE. */
struct paddr unique_frame_into_raw(unique_frame_t *frame);
unique_frame_t unique_frame_from_raw(struct paddr paddr);

/* on_drop runs, and the page is free. @frame is void afterwards. */
void unique_frame_drop(unique_frame_t *frame);

/*
 * The page is UNUSED, but withheld: the allocator does not hand it out until somebody has taken it
 * by its address (frame_from_unused, unique_frame_from_unused, segment_from_unused) and dropped it.
 * on_drop runs. @frame is void afterwards.
 */
void unique_frame_reset_as_unused(unique_frame_t *frame);

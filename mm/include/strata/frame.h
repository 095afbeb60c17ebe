/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames: counted references to 4 KiB physical pages.
 *
 * Invariant: for every page of usage PAGE_FRAME, rc = H + P + C + T: live handles, table entries
 * that map it, segments that cover it, and references parked behind a TLB flush. The page is free
 * if and only if nobody holds it, and then its usage is PAGE_UNUSED.
 *
 * A page goes through these states:
 *
 *	UNUSED ──claim──▶ under construction (rc 0) ──▶ SHARED(1) ──clone──▶ SHARED(n)
 *	   ▲                                                │  ▲                 │
 *	   └────────── the last drop gives it back ─────────┘  └──────drop───────┘
 *
 * All functions are safe against each other on any CPU. Counts are changed with C11 atomics: taking
 * a reference is relaxed (the taker already has one, or wins a compare-exchange with acquire);
 * dropping one is release, and the last drop acquires, so that everything done through any
 * reference happens before the page is free.
 */
#pragma once

#include <arch/address.h>
#include <strata/frame_metadata.h>
#include <strata/mm.h>
#include <strata/share.h>
#include <strata/status.h>

/* One counted reference (H). To be dropped once; move it by assignment and forget the source. */
typedef struct frame {
	struct paddr paddr; /* page aligned */
#if STRATA_CHECKED
	struct share_certificate certificate;
#endif
} frame_t;

#if !STRATA_CHECKED
_Static_assert(sizeof(frame_t) == 8, "a frame is an address, and nothing else");
#endif

enum frame_contents {
	FRAME_ZEROED,
	FRAME_UNDEFINED, /* whatever was there; not for memory a guest will see */
};

/*
 * Takes a free page, any page, from the allocator: rc 1, PAGE_FRAME.
 *
 * MM_NO_MEMORY: none is free.
 */
MM_MUST_CHECK enum mm_status frame_alloc(enum frame_contents contents, frame_t *out);

/*
 * Takes the free page at @paddr: rc 1, PAGE_FRAME, contents as they are.
 *
 * MM_NOT_ALIGNED, MM_OUT_OF_BOUND: not the address of a page of memory (checked in this order).
 * MM_IN_USE: the page has an owner. MM_UNIQUE: an exclusive one. MM_BUSY: it is being made or
 * destroyed at this moment.
 */
MM_MUST_CHECK enum mm_status frame_from_unused(struct paddr paddr, frame_t *out);

/* The same, with @metadata, whose kind is told when the last reference of any sort has gone
 * (strata/frame_metadata.h). On an error it is not the page's. */
MM_MUST_CHECK enum mm_status
frame_from_unused_with_metadata(struct paddr paddr, struct frame_metadata *metadata, frame_t *out);

/* The page's metadata, NULL if it has none: the same through each of its handles, and as long as one is
 * there. What type it has, its kind says. */
struct frame_metadata *frame_metadata(const frame_t *frame);

/*
 * Takes one more reference to the page at @paddr, which must be PAGE_FRAME and in use.
 *
 * MM_NOT_ALIGNED, MM_OUT_OF_BOUND: as above. MM_UNUSED, MM_UNIQUE, MM_BUSY: the page has no owner,
 * an exclusive one, is under construction. MM_ACCESS_DENIED: it is not PAGE_FRAME.
 * MM_SATURATED: it cannot take one more.
 */
MM_MUST_CHECK enum mm_status frame_from_in_use(struct paddr paddr, frame_t *out);

/* MM_SATURATED: the page cannot take one more reference. */
MM_MUST_CHECK enum mm_status frame_clone(const frame_t *frame, frame_t *out);

/* Gives the reference back; the last one frees the page. @frame is void afterwards. */
void frame_drop(frame_t *frame);

/* The reference becomes a bare address, to be turned back exactly once. Counts do not change. */
struct paddr frame_into_raw(frame_t *frame);
frame_t frame_from_raw(struct paddr paddr);

/* A second name for @frame, valid while @frame is; not to be dropped. Counts do not change. */
frame_t frame_borrow(const frame_t *frame);

/* rc at this moment: handles, table entries, segments and parked references. Others may change it. */
uint32_t frame_reference_count(const frame_t *frame);

/* What the page at @paddr is used for and how often it is referenced. */
struct page_state {
	enum page_usage usage;
	uint32_t references; /* 0 unless usage is PAGE_FRAME, and not unique, or PAGE_TABLE */
};

/* MM_NOT_ALIGNED, MM_OUT_OF_BOUND: not the address of a page of memory. */
MM_MUST_CHECK enum mm_status page_state(struct paddr paddr, struct page_state *out);

/* The largest number of references a page can have. */
#define FRAME_REFERENCES_MAX UINT32_C(0x7fffffff)

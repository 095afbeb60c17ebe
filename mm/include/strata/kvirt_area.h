/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Areas of the hypervisor's own input addresses.
 *
 *  0                          2^47                  2^47 + 2^46              2^48
 *  ├── linear map ─────────────┼── KVIRT_RANGE: areas ─┼── VM_SPACE_WINDOW ────┤
 *
 *            ┌ guard ┬───────── area ─────────┬ guard ┐
 *            │  page │ mapped where its owner │ page  │
 *            └───────┴──────── says ──────────┴───────┘
 *
 * Invariant: areas, each with the page below and the page above it, are disjoint, and only what was
 * mapped through an area is mapped in the range they come from: who runs over either edge of an
 * area faults. An area that is dropped leaves its addresses in one piece with the free ones beside it.
 *
 * A kvirt_space gives out the addresses of one range of a Stage-1 space; the host makes as many as it
 * likes, on disjoint ranges. What it must remember is on the heap: no number of areas is fixed.
 *
 * Locks: a kvirt_space has one, for the list of its areas, and no other is taken under it. Functions
 * that look at or change mappings open a cursor on the part of the area that they name, so calls on
 * different areas, or different parts, run in parallel; a drop must be the last call on its area. All
 * of those can be
 *
 *	MM_BUSY	  this CPU holds a cursor in the way (cursor_open).
 *
 * and change nothing then. What is unmapped is invalidated in every TLB, and its references are
 * dropped, when the call returns.
 */
#pragma once

#include <strata/cursor.h>

/* Addresses for areas: none of them is that of physical memory. */
#define KVIRT_RANGE irange(iaddr(UINT64_C(1) << 47), iaddr(UINT64_C(3) << 46))

struct kvirt_space;
struct kvirt_area;

/*
 * Gives areas from @range of @space, which outlives @out; nobody else may map anything there.
 *
 * MM_INVALID_ARGS: a Stage-2 space or a window space; an empty or reversed range. MM_OUT_OF_BOUND:
 * not inside the space. MM_NOT_ALIGNED. MM_EXISTS: something is mapped there. MM_BUSY: as above.
 * MM_NO_MEMORY.
 */
MM_MUST_CHECK enum mm_status kvirt_space_new(struct vm_space *space, struct irange range,
					     struct kvirt_space **out);

/* @kvirt is void afterwards. MM_BUSY: it has an area. */
MM_MUST_CHECK enum mm_status kvirt_space_destroy(struct kvirt_space *kvirt);

/*
 * Makes an area of @size bytes, nothing mapped. Addresses are used again as late as possible; looking
 * for them takes time proportional to the number of areas at worst.
 *
 * MM_INVALID_ARGS: @size is 0. MM_NOT_ALIGNED.
 * MM_OUT_OF_BOUND: with its guard pages it is larger than the whole range.
 * MM_NO_MEMORY: no free addresses that fit, or no memory to remember it.
 */
MM_MUST_CHECK enum mm_status kvirt_area_alloc(struct kvirt_space *kvirt, uint64_t size,
					      struct kvirt_area **out);

/* Unmaps everything and gives the addresses back. @area is void afterwards, unless it is MM_BUSY. */
MM_MUST_CHECK enum mm_status kvirt_area_drop(struct kvirt_area *area);

/* Its addresses, without the guard pages. */
struct irange kvirt_area_range(const struct kvirt_area *area);

/*
 * The part of an area that the following functions act on begins @offset bytes from its start. All
 * pages are mapped or none. Common to them:
 *
 * MM_NOT_ALIGNED: @offset, or a size. MM_INVALID_ARGS: the part is empty.
 * MM_OUT_OF_BOUND: it is not inside the area.
 * MM_EXISTS: something is mapped there. MM_NOT_SUPPORTED: EL2's Stage 1 cannot express @property.
 * MM_NO_MEMORY: no page for a table. MM_BUSY: as above.
 */

/* Maps the pages of @count frames, one after another. The handles' references become the table's (H to
 * P); the handles are void afterwards, unless there is an error. */
MM_MUST_CHECK enum mm_status kvirt_area_map_frames(struct kvirt_area *area, uint64_t offset,
						   frame_t *frames, size_t count,
						   struct page_property property);

/* Maps a segment, in blocks where both addresses allow it. Its references become the table's (C to P);
 * it is void afterwards, unless there is an error. */
MM_MUST_CHECK enum mm_status kvirt_area_map_segment(struct kvirt_area *area, uint64_t offset,
						    struct segment *segment,
						    struct page_property property);

/*
 * Maps physical addresses, memory or not, without counting: the caller keeps them what they are
 * until they are unmapped, and names the cache policy that every other mapping of them has (Arm ARM
 * B2.16, "Mismatched memory attributes").
 *
 * MM_OUT_OF_BOUND: also if @output ends above the CPU's physical addresses.
 */
MM_MUST_CHECK enum mm_status kvirt_area_map_untracked(struct kvirt_area *area, uint64_t offset,
						      struct prange output,
						      struct page_property property);

/*
 * Says what is mapped @offset bytes from the area's start; as cursor_query, with its reference in
 * @frame (which may be NULL) if that is counted.
 *
 * MM_NOT_ALIGNED, MM_OUT_OF_BOUND, MM_BUSY: as above. MM_SATURATED: as cursor_query.
 */
MM_MUST_CHECK enum mm_status kvirt_area_query(struct kvirt_area *area, uint64_t offset,
					      struct cursor_item *item, frame_t *frame);

/*
 * Unmaps what is mapped in @size bytes from @offset on; @leaves (may be NULL) says how many leaf
 * descriptors were removed.
 *
 * MM_NOT_ALIGNED, MM_INVALID_ARGS, MM_OUT_OF_BOUND, MM_BUSY: as above.
 * MM_NO_MEMORY: no page for a table that splitting a block needs; nothing was unmapped.
 */
MM_MUST_CHECK enum mm_status kvirt_area_unmap(struct kvirt_area *area, uint64_t offset,
					      uint64_t size, uint64_t *leaves);

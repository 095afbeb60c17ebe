/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ageing: which pages were accessed since the last look, by the Access flag (Arm ARM D8.5, "The
 * Access flag").
 *
 * A look clears the flag; the next access to a page faults (DFSC or IFSC 0b0010xx), and
 * ageing_fault sets it again. So a page counts as accessed if, and only if, it was since the last
 * look, or was mapped with PAGE_ACCESSED since: exact to the page. A block that is aged is cut
 * where it is accessed, and is a block again when all of it was, as long as there is memory for
 * tables.
 *
 * Where the space lets the hardware manage flags (vm_space_use_hardware_flags) the CPU sets it, and no
 * fault is taken; it may do so for an access that it only looks ahead to, and it sets it for a leaf as a
 * whole: of a block that is aged, one access makes all pages accessed, so there it is exact to the leaf.
 */
#pragma once

#include <strata/cursor.h>

/*
 * Looks at the next @length bytes, and moves past them: clears PAGE_ACCESSED of everything mapped
 * there and flushes, so that every access from now on is seen. @pages (may be NULL) says how many
 * pages had it. Bit n % 64 of @bits[n / 64] (may be NULL) is set if page n from the position had
 * it; bits of other pages are not touched. @bits is the caller's, a bit for each page of @length.
 *
 * MM_ACCESS_DENIED: read-only cursor. MM_NOT_ALIGNED, MM_OUT_OF_BOUND: as cursor_find_next.
 * MM_NO_MEMORY: no page for a table that the split of a block at an edge needs.
 */
MM_MUST_CHECK enum mm_status cursor_age(struct cursor *cursor, uint64_t length, uint64_t *bits,
					uint64_t *pages);

/*
 * Serves an Access flag fault at the page at the position, which stays: the page is accessed from
 * now on. MM_OK too if it was by then, as when two CPUs faulted on it. @cursor is mutable, and
 * held over this call alone, or for as long as its user likes.
 *
 * MM_ACCESS_DENIED: read-only cursor. MM_OUT_OF_BOUND: the position is at the end.
 * MM_NOT_MAPPED: nothing is mapped there: not a fault of ageing any more.
 * MM_NO_MEMORY: no page for a table that the split of a block needs.
 */
MM_MUST_CHECK enum mm_status ageing_fault(struct cursor *cursor);

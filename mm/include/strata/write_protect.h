/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Write protection: a range that nobody writes to any more.
 *
 * Once it returned, no CPU writes through a translation of before: what is read from the pages
 * afterwards stays. The space may be active on any CPU meanwhile; a guest that writes takes a
 * permission fault (EC 0x24, DFSC 0b0011xx), and whoever serves it gives PAGE_WRITE back with
 * cursor_protect_next.
 */
#pragma once

#include <strata/cursor.h>

/*
 * Takes PAGE_WRITE from everything mapped in the next @length bytes, moves past them and flushes;
 * other flags stay. A block that straddles either edge is split first. @pages (may be NULL) says
 * how many pages of PAGE_SIZE could be written before.
 *
 * MM_ACCESS_DENIED: read-only cursor. MM_NOT_ALIGNED, MM_OUT_OF_BOUND: as cursor_find_next.
 * MM_NO_MEMORY: no page for a table that a split needs.
 */
MM_MUST_CHECK enum mm_status cursor_write_protect(struct cursor *cursor, uint64_t length,
						  uint64_t *pages);

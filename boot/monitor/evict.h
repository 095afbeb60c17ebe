/* SPDX-License-Identifier: BSD-3-Clause */
/* Taking pages out of a guest's space (strata/reclaim.h) until it touches them again. */
#pragma once

#include "guest.h"

/*
 * Takes at most @wanted pages of @range out of the space: those first that were not accessed since the
 * last look. They are in the guest's list of evicted pages.
 *
 * MM_NO_MEMORY: for the records, or for a table that a split needs; nothing was taken. Others: as
 * cursor_reclaim.
 */
MM_MUST_CHECK enum mm_status evict_pages(struct guest *guest, struct irange range, uint64_t wanted);

/* As evict_pages, by a cursor at the first page, in its next @length bytes. */
MM_MUST_CHECK enum mm_status evict_at(struct guest *guest, struct cursor *cursor, uint64_t length,
				      uint64_t wanted);

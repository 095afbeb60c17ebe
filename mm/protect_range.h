/* SPDX-License-Identifier: BSD-3-Clause */
/* One change of property over a whole range, all or nothing: what the services are made of. */
#pragma once

#include <strata/cursor.h>

/* What was mapped in @part, and as what. */
typedef void (*protect_range_visit)(struct irange part, struct page_property was, void *context);

/*
 * Gives everything mapped in the next @length bytes the property that @update makes of its own,
 * and moves past them. @update is called with NULL, may be called more than once for one mapping,
 * and its answer is one that the stage can express. When nothing can fail any more, @visit is
 * called once for every part, in no order.
 *
 * MM_ACCESS_DENIED: read-only cursor. MM_NOT_ALIGNED, MM_OUT_OF_BOUND: as cursor_find_next.
 * MM_NO_MEMORY: no page for a table that a split needs.
 */
MM_MUST_CHECK enum mm_status protect_range(struct cursor *cursor, uint64_t length,
					   page_property_update update, protect_range_visit visit,
					   void *context);

/* For protect_range. */
struct page_property without_write(struct page_property property, void *context);

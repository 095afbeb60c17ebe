/* SPDX-License-Identifier: BSD-3-Clause */
/* cursor_protect, with a look at what was there: what the services are made of. */
#pragma once

#include <strata/cursor.h>
#include "node.h"

/* What was mapped in @part, and as what. */
typedef void (*protect_range_visit)(struct irange part, struct page_property was, void *context);

/*
 * As cursor_protect, but @update is called with NULL, and when nothing can fail any more @visit is
 * called once for every part that is mapped, ascending, whether it changes or not.
 */
MM_MUST_CHECK enum mm_status protect_range(struct cursor *cursor, uint64_t length,
					   page_property_update update, protect_range_visit visit,
					   void *context);

/* As protect_range, but blocks that change become pages. */
MM_MUST_CHECK enum mm_status protect_range_to_pages(struct cursor *cursor, uint64_t length,
						    page_property_update update,
						    protect_range_visit visit, void *context);

/*
 * As protect_range, but the tables that splits need come from @reserve, which has them: only for what is
 * planned already, of which nothing can be refused.
 */
MM_MUST_CHECK enum mm_status protect_range_from(struct node_reserve *reserve, struct cursor *cursor,
						uint64_t length, page_property_update update);

/* For protect_range: nobody writes any more, neither by PAGE_WRITE nor where hardware would set it. */
struct page_property without_write(struct page_property property, void *context);

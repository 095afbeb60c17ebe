/* SPDX-License-Identifier: BSD-3-Clause */
/* What several operations of the page table specification refuse alike. */
#pragma once

#include "page_table_spec.h"

/* What is right: the refusals that apply, and success only if none does. */
static inline status_set refused_or_ok(status_set refusals)
{
	return refusals != 0 ? refusals : STATUS_SET(MM_OK);
}

/* Of a range that an operation takes from the position on. */
status_set range_refusals(const struct cursor_state *cursor, struct irange range);

/* spec_property_expressible, in a space, which may let CPUs keep dirty state. */
bool is_expressible(const struct space_state *space, struct page_property property);

bool is_anything_mapped(const struct space_state *space, struct irange range);

/* MM_NO_MEMORY, where a block may have to be split at an end of @range. */
status_set may_need_tables(const struct space_state *space, struct irange range);

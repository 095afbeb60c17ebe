/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two mappings, compared and copied: what preconditions and postconditions are written in.
 *
 * Because extents are maximal (mappings.h), "the same meaning" is "the same extents".
 */
#pragma once

#include "mappings.h"

/* Every input address. */
static inline struct irange irange_all(void)
{
	return irange(iaddr(0), iaddr(UINT64_MAX));
}

/* Whether both say the same of every address: output, property, counted. */
bool mapping_equal(const struct mapping *a, const struct mapping *b);
bool mappings_equal(const struct mappings *a, const struct mappings *b);
bool mappings_equal_in(const struct mappings *a, const struct mappings *b, struct irange range);
bool mappings_equal_outside(const struct mappings *a, const struct mappings *b,
			    struct irange range);

bool mappings_empty_in(const struct mappings *mappings, struct irange range);

/* Whether all of @part is mapped as it says. */
bool mappings_contain(const struct mappings *mappings, const struct mapping *part);

/* Forgets what @to has and makes it say what @from says. False: the arena is full. */
bool mappings_copy(struct mappings *to, const struct mappings *from);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which leaves can translate a mapping: the arithmetic of blocks, with no table at hand.
 *
 * A leaf of size s (4 KiB, 2 MiB, 1 GiB) can translate an address if the s-aligned range around it
 * lies wholly in the mapping and goes to an s-aligned output.
 */
#pragma once

#include "mappings.h"

/* The fewest leaves that translate all of @mapping. */
uint64_t leaf_count_least(const struct mapping *mapping);

/*
 * The largest leaf that can translate @mapping on both sides of @edge, which it contains; false if
 * none can: every leaf there begins at @edge.
 */
bool leaf_possible_astride(const struct mapping *mapping, struct iaddr edge, struct irange *leaf);

/* Whether @part is what lies in @range of some leaf that can translate @part's start. */
bool leaf_part_possible(const struct mapping *mapping, struct irange range, struct irange part);

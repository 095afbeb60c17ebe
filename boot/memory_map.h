/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory map in struct boot_info: what is RAM, and who has which part of it.
 *
 * Invariant: memory[] is page aligned, non-empty, ascending and disjoint, and no two of its ranges
 * touch; reserved[] and reservations[] are the same list, page aligned, non-empty, in any order. A
 * function that fails leaves the map unusable.
 *
 * Nothing here touches the hardware: it runs on the host too.
 */
#pragma once

#include "boot_error.h"
#include "boot_info.h"

/* Adds RAM. Empty ranges, and what lies above 2^48, are left out. An error: @range is not page
 * aligned, is reversed, overlaps what is there, or is one too many. */
bool memory_map_add(struct boot_info *info, struct prange range, struct boot_error *error);

/* Takes @range, which is page aligned, out of the RAM. An error: a range too many is left. */
bool memory_map_remove(struct boot_info *info, struct prange range, struct boot_error *error);

/* Notes who has @range, rounded outwards to pages. An empty one is left out. An error: it is
 * reversed, ends in the last page below 2^64, or is one too many. @name is kept, not copied. */
bool memory_map_reserve(struct boot_info *info, struct prange range, const char *name,
			enum page_usage usage, struct boot_error *error);

/* Whether @range lies in one range of RAM. */
bool memory_map_has(const struct boot_info *info, struct prange range);

/*
 * Completes a map that the device tree filled: checks that the image, the tree and the initrd lie in
 * memory, apart from each other, and that no device does; leaves out RAM beyond @pa_bits; reserves
 * all three.
 */
bool memory_map_complete(struct boot_info *info, struct prange image, unsigned int pa_bits,
			 struct boot_error *error);

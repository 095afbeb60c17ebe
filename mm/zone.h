/* SPDX-License-Identifier: BSD-3-Clause */
/* Zones: making, linking and removing the description of a memory range. */
#pragma once

#include "slot.h"

/* Bytes of metadata for @range: the zone, its section table, its slots; whole pages. */
uint64_t zone_metadata_size(struct prange range);

/*
 * Makes the zone of @range, with nothing free and no slot made, at the beginning of @metadata, which
 * has zone_metadata_size(@range) bytes. Slots are left as they are: sections make theirs when they
 * are needed.
 */
struct zone *zone_make(struct prange range, struct prange metadata);

/* Puts @zone after the others, and numbers its pages. */
void zone_link(struct zone *zone);

/* Takes @zone, not the first, out again; nobody looks at zones meanwhile. */
void zone_unlink(struct zone *zone);

/* The pages of all zones. */
uint64_t zone_pages(void);

/* The lowest @pages page numbers that no zone has. False if there are none. */
bool zone_find_numbers(uint64_t pages, uint32_t *first);

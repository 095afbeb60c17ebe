/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine as a page table like any other (page_table.h): spaces of each stage and shape.
 *
 * What the table means is read from memory by the walker, never asked of the engine. Outputs are
 * addresses without memory, that nobody counts, or the pages of a segment, of which every mapping
 * holds a share.
 */
#pragma once

#include "world.h"

#include <page_table.h>

struct engine_table {
	/* What to make. */
	struct world *world;
	enum translation_stage stage;
	unsigned int ia_bits;
	bool counted; /* frames; else physical addresses that are not memory */
	bool live;    /* a part of the table that EL2 runs on; stage and ia_bits mean nothing */

	/* What was made. */
	struct vm_space *space;
	struct vm_space own;
	struct segment segment; /* if counted */
};

/* Its object is a struct engine_table. */
extern const struct page_table_interface engine_table_interface;

/* The levels, addresses and rules of @space, as the table's constants. */
struct page_table_constants engine_constants(const struct vm_space *space);

/* What @space says of the addresses in @range, from memory. False: no room. */
bool engine_view(const struct vm_space *space, struct irange range, struct mappings *out);

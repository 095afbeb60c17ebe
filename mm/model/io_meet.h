/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the sides of a transfer of @size bytes are the same memory, so that what arrives is not what was there
 * before. True also where that cannot be said; an absent side, NULL, meets nothing.
 */
#pragma once

#include "io_place.h"

/* Whether a byte is both written to @to and read from @from. */
bool io_meet(struct store *store, struct io_tables *tables, const struct vm_io_range *to,
	     const struct vm_io_range *from, uint64_t size);

/* Whether a byte that is written to @to is one of @tables, by which the transfer finds its way. */
bool io_changes_tables(struct store *store, struct io_tables *tables, const struct vm_io_range *to,
		       uint64_t size);

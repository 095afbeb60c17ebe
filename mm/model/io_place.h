/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the bytes of a range are, by the model's own mappings, and what an access there says.
 *
 *	hypervisor	where the pointer says
 *	space		by the space's mappings
 *	guest		by the guest's own tables (guest_walk.h), and then as in a space
 *	window		by the mappings of whichever Stage 1 this CPU has loaded
 *	window space	by its mappings, while it is active on this CPU
 */
#pragma once

#include "store.h"

/* One address, and what comes after it on its page. */
struct io_place {
	status_set statuses;  /* of an access; MM_OK and others: it cannot be said */
	const uint8_t *bytes; /* NULL: not to be looked at */
	uint64_t length;      /* to the end of the page */
};

/* The pages of a guest's tables that were read on the way. Who writes there changes the way. */
#define IO_TABLES_MAX 16

struct io_tables {
	const uint8_t *pages[IO_TABLES_MAX];
	unsigned int count; /* more than IO_TABLES_MAX: some were forgotten */
};

/* The address @offset bytes from the range's cursor, for @access (PAGE_READ, PAGE_WRITE or both). */
struct io_place io_place(struct store *store, const struct vm_io_range *range, uint64_t offset,
			 uint8_t access, struct io_tables *tables);

/* Whether a byte of @place, which has some, may be one of those tables'. */
bool io_is_table(const struct io_tables *tables, const struct io_place *place);

static inline uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Bytes between cursor and end; an end of 0 is that of the address space. */
static inline uint64_t io_size(const struct vm_io_range *range)
{
	return range->end - range->cursor;
}

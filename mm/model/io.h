/* SPDX-License-Identifier: BSD-3-Clause */
/* Ranges of readers and writers, as far as the model can follow them. */
#pragma once

#include "step.h"

#include <strata/vm_io.h>

/* Bytes between cursor and end; an end of 0 is that of the address space. */
uint64_t io_size(const struct vm_io_range *range);

/* How far a transfer can come, and what it says then. */
struct io_reach {
	uint64_t size;
	status_set statuses;
	bool is_known; /* false: of this memory the model does not say */
};

/* Of @size bytes from the cursor on, accessed as @access (enum page_flag) says. */
struct io_reach io_reach(struct store *store, const struct vm_io_range *range, uint8_t access,
			 uint64_t size);

/* The bytes @offset from the cursor, by the model's own mappings; as many of *@length as lie in one
 * piece. NULL: not known. */
const uint8_t *io_bytes(struct store *store, const struct vm_io_range *range, uint64_t offset,
			uint64_t *length);

/* Whether @size bytes at both cursors are equal; if not, @wrong is the offset of the first. Bytes that
 * overlap, or are not known, count as equal. */
bool io_copied(struct store *store, const struct vm_io_range *to, const struct vm_io_range *from,
	       uint64_t size, uint64_t *wrong);

/* Whether @size bytes at the cursor are elements of @element bytes, each the low bytes of @value. */
bool io_filled(struct store *store, const struct vm_io_range *to, unsigned int element,
	       uint64_t value, uint64_t size, uint64_t *wrong);

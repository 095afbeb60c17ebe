/* SPDX-License-Identifier: BSD-3-Clause */
/* Which bytes are where they should have arrived. Those that are not to be looked at count as right. */
#pragma once

#include "io_place.h"

/* Whether @size bytes at both cursors are equal; if not, @wrong is the offset of the first. */
bool io_copied(struct store *store, const struct vm_io_range *to, const struct vm_io_range *from,
	       uint64_t size, uint64_t *wrong);

/* Whether @size bytes at the cursor are elements of @element bytes, each the low bytes of @value. */
bool io_filled(struct store *store, const struct vm_io_range *to, unsigned int element,
	       uint64_t value, uint64_t size, uint64_t *wrong);

/* SPDX-License-Identifier: BSD-3-Clause */
/* Which input addresses of a table are the space's own. */
#pragma once

#include <strata/vm_space.h>

static inline struct irange space_addresses(enum vm_space_part part, unsigned int ia_bits)
{
	struct irange all = irange(iaddr(0), iaddr(UINT64_C(1) << ia_bits));

	switch (part) {
	case SPACE_BELOW_WINDOW:
		return irange(all.start, VM_SPACE_WINDOW.start);
	case SPACE_IN_WINDOW:
		return irange(VM_SPACE_WINDOW.start, all.end);
	case SPACE_WHOLE:
		break;
	}
	return all;
}

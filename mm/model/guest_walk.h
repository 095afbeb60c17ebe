/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest's own Stage 1, walked by the architecture's rules: VMSAv8-64, EL1&0, 4 KiB granule (Arm ARM
 * D8.2, D8.3), for loads and stores. vm_guest.h has the rules in which walks here are less than a CPU's.
 */
#pragma once

#include "page_table_spec.h"

#include <strata/vm_guest.h>

struct guest_walk {
	const struct vm_guest *guest;
	unsigned int pa_bits; /* of the guest's CPU */
	/* What is at an intermediate physical address; the statuses of a load there. */
	status_set (*read)(void *context, struct iaddr ipa, uint64_t *descriptor);
	void *context;
};

/*
 * Where @va leads for @access (PAGE_READ, PAGE_WRITE or both). Only with exactly MM_OK @ipa is that;
 * where a descriptor could be read or not, the statuses are those of reading it.
 */
status_set guest_walk_to(const struct guest_walk *walk, uint64_t va, uint8_t access,
			 struct iaddr *ipa);

/* SPDX-License-Identifier: BSD-3-Clause */
/* Filling a guest's regions on demand: from a fault, by the region's backing. */
#pragma once

#include "guest.h"

/*
 * Maps the page at @page of @region, where nothing is mapped or evicted, and perhaps the 2 MiB
 * around it where the region permits blocks.
 *
 * MM_NO_MEMORY: no frame or no page for a table.
 */
MM_MUST_CHECK enum mm_status guest_fill(struct guest *guest, const struct guest_region *region,
					struct iaddr page);

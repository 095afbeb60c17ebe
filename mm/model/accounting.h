/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What mappings mean for the pages they map (rc = H + P + C + T, frame.h):
 *
 *	a counted mapping	its pages are PAGE_FRAME and referenced at least once (P)
 *	...at Stage 2		and their owner permits the space to map them (strata/ownership.h)
 *	an uncounted one	at Stage 2, none of its pages is the subsystem's memory
 */
#pragma once

#include "difference.h"

#include <strata/vm_space.h>

/* Reports the first page of @mapping, counted, that is no referenced frame. */
void accounting_check_counted(const struct mapping *mapping, struct subject subject);

/*
 * Whether every page of @pages is @space's own, or of a sharing that lets it have the page: after a
 * first map no page is the hypervisor's any more. Owners are asked about as they are now.
 */
bool accounting_is_permitted(const struct vm_space *space, struct prange pages);

/* Whether @output, page aligned, touches memory of the subsystem that is not PAGE_MMIO. All pages. */
bool accounting_is_memory(struct prange output);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What mappings mean for the pages they map (rc = H + P + C + T, frame.h):
 *
 *	a counted mapping	its pages are PAGE_FRAME and referenced at least once (P)
 *	an uncounted one	at Stage 2, none of its pages is the subsystem's memory
 *	unmapped, not flushed	its pages are not free (T)
 */
#pragma once

#include "difference.h"

/*
 * Pages of longer runs are not all looked at after each operation: only the first and the last of
 * every 2 MiB, so that mapping a GiB does not cost a quarter of a million look-ups.
 */
#define ACCOUNTING_ALL_PAGES UINT64_C(1024)

enum accounting_depth {
	ACCOUNTING_SAMPLED,
	ACCOUNTING_FULL,
};

/* Reports the first page of @mapping, counted, that is no referenced frame. */
void accounting_check_counted(const struct mapping *mapping, enum accounting_depth depth,
			      struct subject subject);

/* Reports the first page of @mapping, counted until now, that is free already. */
void accounting_check_parked(const struct mapping *mapping, struct subject subject);

/* Whether @output, page aligned, touches memory of the subsystem that is not PAGE_MMIO. All pages. */
bool accounting_is_memory(struct prange output);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What mappings mean for the pages they map (rc = H + P + C + T, frame.h):
 *
 *	a counted mapping	its pages are PAGE_FRAME and referenced at least once (P)
 *	an uncounted one	at Stage 2, none of its pages is the subsystem's memory
 */
#pragma once

#include "difference.h"

/* Reports the first page of @mapping, counted, that is no referenced frame. */
void accounting_check_counted(const struct mapping *mapping, struct subject subject);

/* Whether @output, page aligned, touches memory of the subsystem that is not PAGE_MMIO. All pages. */
bool accounting_is_memory(struct prange output);

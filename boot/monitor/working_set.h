/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The working set of a part of a guest's memory, by ageing (strata/ageing.h), and the eviction of pages
 * outside of it.
 *
 * A look begins by clearing the Access flags. When it ends, pages whose flag is still clear were not
 * accessed meanwhile: some of them are evicted. A witness keeps it honest: what the guest says it uses in
 * between must have been seen.
 */
#pragma once

#include <arch/address.h>
#include <strata/status.h>
#include <stdbool.h>
#include <stdint.h>

#define WORKING_SET_PAGES 512

struct guest;

struct working_set {
	bool running;
	struct irange range; /* at most WORKING_SET_PAGES pages */
	uint64_t accessed[WORKING_SET_PAGES / 64];
	uint64_t used[WORKING_SET_PAGES / 64]; /* pages that the guest says it used */
};

/* Begins a look at @range, which lies in one region. None runs. As cursor_age. */
MM_MUST_CHECK enum mm_status working_set_begin(struct guest *guest, struct irange range);

/* The guest says that it uses the page at @page, before and after. */
void working_set_note(struct guest *guest, struct iaddr page);

/*
 * Ends the look that runs: evicts at most @wanted cold pages, and counts in the guest's statistics what
 * was accessed, and pages that were used but not seen to be. On an error it runs on. As cursor_reclaim
 * and cursor_age.
 */
MM_MUST_CHECK enum mm_status working_set_end(struct guest *guest, uint64_t wanted);

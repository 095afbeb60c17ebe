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

/* What a virtual CPU said it was using when it last called. */
struct working_set_use {
	struct iaddr page;
	bool during_look; /* @look ran when the call returned */
	uint64_t look;
};

/*
 * Virtual CPU @index calls again: what it said at its last call it used since then. That is in the look
 * that runs now if this one ran already when that call returned: others may have begun it since.
 */
void working_set_note(struct guest *guest, unsigned int index);

/* Its call returns, in the middle of its use of @page. */
void working_set_remember(struct guest *guest, unsigned int index, struct iaddr page);

/*
 * Ends the look that runs: evicts at most @wanted cold pages, and counts in the guest's statistics what
 * was accessed, and pages that were used but not seen to be. On an error it runs on. As cursor_reclaim
 * and cursor_age.
 */
MM_MUST_CHECK enum mm_status working_set_end(struct guest *guest, uint64_t wanted);

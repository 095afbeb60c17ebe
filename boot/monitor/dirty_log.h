/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A round of the dirty log (strata/dirty_log.h) of a guest, and a second witness that keeps it
 * honest: a sum over each page's bytes is taken at the beginning and at the end, and a page that
 * changed must be on the list.
 */
#pragma once

#include <strata/dirty_log.h>
#include <stdbool.h>
#include <stdint.h>

#define DIRTY_ROUND_PAGES 512

struct guest;

struct dirty_round {
	bool running;
	struct irange range; /* at most DIRTY_ROUND_PAGES pages */
	struct dirty_log log;
	_Atomic uint64_t words[DIRTY_LOG_WORDS(DIRTY_ROUND_PAGES)];
	uint64_t present[DIRTY_LIST_WORDS(DIRTY_ROUND_PAGES)]; /* there when the round began */
	uint64_t written[DIRTY_LIST_WORDS(DIRTY_ROUND_PAGES)]; /* the list, when it ends */
	uint64_t sums[DIRTY_ROUND_PAGES];		       /* of the pages present */
};

/*
 * Begins a round on @range, which lies in one region of writable pages and is at most
 * DIRTY_ROUND_PAGES long. None is running.
 *
 * MM_NO_MEMORY: no page for a table that a split needs; nothing is changed.
 */
MM_MUST_CHECK enum mm_status dirty_round_begin(struct guest *guest, struct irange range);

/* Ends the round that is running: write access is given back, and pages that changed but are not on
 * the list are counted in the guest's statistics. As dirty_log_stop. */
MM_MUST_CHECK enum mm_status dirty_round_end(struct guest *guest);

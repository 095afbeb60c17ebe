/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A dirty log: which pages of a range were written while it ran.
 *
 * It makes the range read-only; the first write to a page faults, puts the page on the list and
 * gives write access back. A second witness keeps it honest: a sum over each page's bytes is taken
 * at the beginning and at the end, and a page that changed must be on the list.
 */
#pragma once

#include <arch/address.h>
#include <strata/status.h>
#include <stdbool.h>
#include <stdint.h>

#define DIRTY_LOG_PAGES 512
#define DIRTY_LOG_WORDS (DIRTY_LOG_PAGES / 64)

struct cursor;
struct guest;

struct dirty_log {
	bool running;
	struct irange range;		   /* at most DIRTY_LOG_PAGES pages */
	uint64_t present[DIRTY_LOG_WORDS]; /* bit per page: there when the log began */
	uint64_t written[DIRTY_LOG_WORDS]; /* bit per page: the list */
	uint64_t sums[DIRTY_LOG_PAGES];	   /* of the pages present */
};

/*
 * Begins a log of @range, which lies in one region of writable pages and is at most DIRTY_LOG_PAGES
 * long. None is running. On an error some pages may already be read-only: a write to them faults
 * and is granted.
 *
 * MM_NO_MEMORY: no page for a table that a split needs.
 */
MM_MUST_CHECK enum mm_status dirty_log_begin(struct guest *guest, struct irange range);

/*
 * Lets the guest write to the page mapped at @cursor's position, which moves past it; if the log that
 * runs covers the page, it is on the list from now on. As cursor_protect_next.
 */
MM_MUST_CHECK enum mm_status dirty_log_permit_write(struct guest *guest, struct cursor *cursor);

/* Ends the log that is running: write access is given back, and pages that changed but are not on
 * the list are counted in the guest's statistics. As dirty_log_begin. */
MM_MUST_CHECK enum mm_status dirty_log_end(struct guest *guest);

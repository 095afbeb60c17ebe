/* SPDX-License-Identifier: BSD-3-Clause */
/* A space's live table as a person reads it: one line per run of equal attributes. */
#pragma once

#include <strata/vm_space.h>
#include <stdbool.h>

/* Consecutive input addresses mapped to consecutive output addresses alike. */
struct table_run {
	struct irange range;
	struct paddr output;
	struct page_property property;
	bool counted;
	uint64_t leaf_size; /* bytes translated by each leaf descriptor of the run */
};

typedef void (*table_run_visit)(const struct table_run *run, void *context);

/*
 * Calls @visit for each run of mapped addresses in @space, ascending. A change of leaf size ends a
 * run. It opens a read-only cursor on the whole space meanwhile.
 *
 * MM_BUSY: this CPU holds a cursor in the way (cursor_open).
 */
MM_MUST_CHECK enum mm_status table_runs(struct vm_space *space, table_run_visit visit,
					void *context);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The work: two guests, each summing the same file over its own memory, interleaved, while the
 * monitor moves, takes away and write-protects their pages.
 *
 *	guest IPA space (offsets from the guest's base)
 *	+0        program, read-only and executable
 *	+2 MiB    zeroed data and stack
 *	+16 GiB   the file, read-only, shared by both guests; congruent to its physical address modulo
 *	          2 MiB, so that it can be mapped by blocks
 *	+24 GiB   working area, zeroed on demand: the size of the file, at least 64 MiB
 */
#pragma once

#include <strata/ownership.h>
#include "guest.h"
#include "input.h"

#define JOB_GUESTS 2

/* A guest calls every few pages: after so many slices that it spent without a call, some 10 seconds,
 * it is not going to. */
#define JOB_SILENT_SLICES_MAX 5000

struct job_guest {
	struct guest guest;
	unsigned int silent_slices; /* spent to the end since its last call */
	bool reported;
	uint32_t sum;
	uint64_t repetitions; /* of the file in the working area, the last may be partial */
	uint64_t different;   /* of them, how many had another sum than the first */
};

struct job {
	struct job_input *input;
	struct sharing *sharing; /* the file's pages, and both guests */
	uint64_t working_pages;	 /* of each guest */
	struct job_guest guests[JOB_GUESTS];
	size_t guests_created;
	uint64_t switches; /* from one guest to another */
};

/*
 * Makes the guests, and shares the file between them; nothing is mapped yet. @input outlives the
 * job. On an error nothing is left.
 *
 * MM_NOT_SUPPORTED: the CPU's physical address size is too small for the layout above, or the file
 *	is too large for it.
 * MM_NO_MEMORY: no pages for the root tables, or none for what owns pages.
 */
MM_MUST_CHECK enum mm_status job_create(struct job *job, struct job_input *input);

/*
 * Runs both guests until they have reported their sums, or one of them cannot go on; then the other
 * stays where it is.
 *
 * MM_NO_MEMORY: no frame is left for a fault. MM_ACCESS_DENIED: a guest left its regions, or wrote
 * through a translation that should be gone. MM_BUSY: a guest only spends its time, and has not called
 * for seconds. Any other status is a defect.
 */
MM_MUST_CHECK enum mm_status job_run(struct job *job);

/* Gives everything back. No space of the job is active. */
void job_destroy(struct job *job);

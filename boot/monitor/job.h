/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The work: guests, each summing the same file over its own memory, while the monitor moves, takes away
 * and write-protects their pages. There are two at least, and one for every two CPUs that are up as far
 * as memory goes. With one CPU they have one virtual CPU each, and take turns. With more, each has two at
 * least, and as many as it takes for no CPU to be idle, up to GUEST_VCPUS_MAX: those of one guest run on
 * different CPUs, at the same time and on the same pages. A virtual CPU stays on its CPU; it takes turns
 * there if there are more of them than CPUs.
 *
 *	guest IPA space (offsets from the guest's base)
 *	+0        program, read-only and executable
 *	+2 MiB    zeroed data and stack
 *	+16 GiB   the file, read-only, shared by all guests; congruent to its physical address modulo
 *	          2 MiB, so that it can be mapped by blocks
 *	+24 GiB   working area, zeroed on demand: the size of the file, at least 64 MiB; of the third guest and
 *	          those after it, at least 16 MiB
 */
#pragma once

#include <arch/max_cpus.h>
#include <stdatomic.h>
#include <strata/ownership.h>
#include "guest.h"
#include "input.h"

#define JOB_GUESTS 2 /* at least */
#define JOB_GUESTS_MAX (STRATA_MAX_CPUS > JOB_GUESTS ? STRATA_MAX_CPUS : JOB_GUESTS)

/* A guest calls every few pages: after so many slices that its virtual CPUs spent without a call, some 10
 * seconds, it is not going to. That one of them waits for the others is a small part of a slice. */
#define JOB_SILENT_SLICES_MAX 5000
#define JOB_SLICE_SILENCE 256
#define JOB_SILENCE_MAX (JOB_SILENT_SLICES_MAX * JOB_SLICE_SILENCE)

struct job_guest {
	struct guest guest;
	char name[16];
	uint64_t working_pages;	    /* of its working area */
	_Atomic uint32_t silence;   /* since its last call */
	bool done[GUEST_VCPUS_MAX]; /* each one's CPU's own */
	/* With the guest's lock: */
	unsigned int reports; /* of virtual CPUs that are done */
	bool reported;	      /* all are */
	uint32_t sum;
	uint64_t repetitions; /* of the file in the working area, the last may be partial */
	uint64_t different;   /* of them, how many had another sum than the first */
};

struct job {
	struct job_input *input;
	struct sharing *sharing; /* the file's pages, and all guests */
	struct job_guest guests[JOB_GUESTS_MAX];
	size_t guest_count;
	size_t guests_created;
	/* While job_run runs, every CPU's: */
	_Atomic enum mm_status status; /* the first that was not MM_OK, for which all end */
	_Atomic uint64_t switches;     /* from one virtual CPU to another on the same CPU */
	_Atomic unsigned int cpus;     /* that ran one */
	unsigned int came_late;	       /* CPUs that were left out, and arrived while job_run ran */
};

/*
 * Makes the guests, and shares the file between them; nothing is mapped yet. @input outlives the
 * job, and the job does not move. On an error nothing is left.
 *
 * MM_NOT_SUPPORTED: the CPU's physical address size is too small for the layout above, or the file
 *	is too large for it.
 * MM_NO_MEMORY: no pages for the root tables, or none for what owns pages.
 */
MM_MUST_CHECK enum mm_status job_create(struct job *job, struct job_input *input);

/*
 * Runs all guests, on all CPUs, until they have reported their sums, or one of them cannot go on; then the
 * others stay where they are. On the boot CPU.
 *
 * MM_NO_MEMORY: no frame is left for a fault. MM_ACCESS_DENIED: a guest left its regions, or wrote
 * through a translation that should be gone. MM_BUSY: a guest only spends its time, and has not called
 * for seconds. Any other status is a defect.
 */
MM_MUST_CHECK enum mm_status job_run(struct job *job);

/* Of all guests. */
unsigned int job_vcpus(const struct job *job);

/* Gives everything back. No space of the job is active. */
void job_destroy(struct job *job);

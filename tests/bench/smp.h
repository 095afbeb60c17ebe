/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What operations cost when several CPUs do them at once: in instructions and waits in a release build, in
 * locks taken and waits in a checked one.
 *
 * All CPUs share QEMU's instruction clock: it is read on the boot CPU before all have begun and after all
 * have ended, and divided by what all have done. CPUs that have no part in it, or are done, are in WFI and
 * execute nothing. What handing out the work costs is measured with an empty operation, and taken off.
 *
 * QEMU runs one CPU at a time, and would let it end its work before the next one begins. So before each
 * operation every CPU sets a timer, which interrupts nobody, to a random moment near by: QEMU changes to another
 * CPU there, and all are in the middle of something, under a lock too, while others ask for it.
 */
#pragma once

#include <arch/address.h>
#include <stdbool.h>
#include <stdint.h>
#include <strata/status.h>

#define SMP_CPUS_MAX 8u
#define SMP_PAGES 60 /* that each CPU works on, of a range of 512 that eight may share */
#define SMP_ROUNDS 4 /* of all operations over all pages */
#define SMP_ROWS_MAX 10

enum smp_place {
	SMP_DISJOINT, /* each CPU has its own 2 MiB */
	SMP_SHARED,   /* one for all, in which each has its own pages */
	SMP_VISITED,  /* as disjoint, and the space is active on none of the CPUs */
	SMP_PLACES,
};

/* An operation of one CPU on its @page'th page. */
typedef void (*smp_operation)(unsigned int cpu, unsigned int page, enum smp_place place);

struct smp_row {
	const char *name;
	smp_operation operation;
	smp_operation before; /* each time, unmeasured; may be NULL */
	smp_operation after;
	bool promised; /* that on disjoint ranges, of an active space or one that is not, nobody waits, and
			* the cost stays as it is */
};

extern const struct smp_row smp_rows[SMP_ROWS_MAX];
extern const unsigned int smp_row_count; /* of those that are used */

/* One space with the tables that the rows rely on. On the boot CPU, as the next two. */
void smp_stage_start(void);
void smp_stage_end(void);

/* The space is active on the first @cpus CPUs; on none. */
void smp_activate(unsigned int cpus);
void smp_deactivate(void);

/* Work that was not done has no cost: ends the run. */
void smp_must(enum mm_status status, const char *what);

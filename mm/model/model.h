/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model, beside the subsystem.
 *
 * Promise: for every operation of ops.def made after model_start, on pages, handles, lists, owners,
 * memory, areas, spaces, cursors and the services at them, readers and writers, the model computes from
 * its own state alone what must happen, and compares: status, results, position, bytes, the references
 * and the owner of the pages concerned, and the table in memory, read back by a walker that shares no
 * code with the one that wrote it. Operations that ops.def marks as looking at a handle's own fields only
 * report nothing, and are not checked.
 *
 * It keeps its state in the arena it is given and never calls an allocator of the subsystem.
 * Checked builds only.
 */
#pragma once

#include <arch/address.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of operations, for reports (model_category_name). */
#define MODEL_CATEGORIES 12

struct model_report {
	uint64_t operations;		       /* checked */
	uint64_t categories[MODEL_CATEGORIES]; /* those, by what they are operations on */
	uint64_t full_checks;		       /* model_check_all */
	unsigned int invariants;	       /* that each of these looked at */
	uint64_t handles;		       /* that live now */
	uint64_t differences;		       /* found */
	uint64_t descriptors;		       /* read by the walker */
	uint64_t arena_used;		       /* bytes, at the most so far */
};

/*
 * Attaches to the subsystem. @arena is the model's alone from now on. @complain gets one line of
 * text (no newline) per difference and may be NULL; the first differences name the operation, the
 * expected and the actual value. When the arena is full the model reports that as a difference and
 * stops: it never claims to have checked what it did not.
 */
void model_start(void *arena, size_t size, void (*complain)(const char *text));

/*
 * Compares every table of every live space with the mappings, in full, both ways; the counts, the state
 * and the owner of every page that an operation named with what the subsystem says; and looks at each
 * invariant of invariants.def. Call it while no operation is in flight. Returns differences so far.
 */
uint64_t model_check_all(void);

struct model_report model_report(void);

/* Where the last operation of this CPU stands in the one sequence that the model makes of those of all
 * CPUs: 1 is the first since the model was started first. 0: this CPU made none. */
uint64_t model_order(void);

/* "frames" and so on. */
const char *model_category_name(unsigned int category);

/*
 * What exists now, by the model's knowledge (store.h), for whoever draws operations from it. Looked at
 * while no operation is in flight; void after model_stop.
 */
struct store;
const struct store *model_store(void);

/* For tests that change tables by hand, as another CPU could: from now on, what takes more than a
 * moment may have met such a change. */
void model_not_alone(void);

/* For tests that change a page's references behind the subsystem's back: they are what they are now. */
void model_readopt(struct paddr page);

/* Detaches. */
void model_stop(void);

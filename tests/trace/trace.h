/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trace: a world, what is in it, the steps that were made, and the first one that was wrong.
 *
 * Judges of each step: the model in lockstep, the discipline of the tables, the certificates of
 * handles, the subsystem's own invariants (a panic), and here: a refusal leaves every object that the
 * call was given, and every page, as it was.
 */
#pragma once

#include "act.h"
#include "counts.h"
#include "judge.h"
#include "stage.h"

#include <strata/statistics.h>

#define OBJECTS_MAX 12

enum world_size {
	WORLD_SMALL, /* memory runs out by itself */
	WORLD_LARGE, /* blocks, and memory that never runs out */
	WORLD_SIZES
};

struct finding {
	enum judge judge;
	unsigned int act; /* enum act; ACTS: at the end */
	char text[400];
};

struct trace {
	struct objects objects;
	bool live[OBJECT_KINDS][OBJECTS_MAX];
	const struct vm_space *kvirt_space;
	struct finding finding;
	enum mm_status status; /* of the last step */
	uint64_t performed;
	struct mm_usage before;
};

/* What there has been so far, over all worlds. */
struct coverage {
	uint64_t performed, refused, checks, events, worlds;
	uint64_t statuses[CALLS][STATUSES_COUNT];
	struct mm_statistics statistics;
};

/* A fresh world; nothing lives. False, and why in finding: it could not be made. */
bool trace_begin(struct trace *trace, enum world_size size);

/* Whether the objects are there, and the contract of the headers is kept. */
bool trace_may(const struct trace *trace, const struct step *step);

/* What lives after the step, by its status. */
void trace_note(struct trace *trace, const struct step *step);

/* Performs a step that may be; false: something was wrong, see finding. */
bool trace_perform(struct trace *trace, const struct step *step);

/* Looks at everything. */
bool trace_check(struct trace *trace);

/* A step that ends something that lives, in an order that can be; false: nothing lives. */
bool trace_next_end(const struct trace *trace, struct step *out);

/* Gives back all that lives, and compares the world with what it was. The world is gone. */
bool trace_end(struct trace *trace, struct coverage *coverage);

/* What there is, by the subsystem and by the model, on standard output: tables, cursors, lists, areas,
 * readers and writers, owners, pages and their counts. */
void trace_print_states(const struct trace *trace);

/* Leaves a world in which something was wrong. */
void trace_abandon(void);

/* The memory of a world, and what may be added to it. */
#define STAGE_BYTES (UINT64_C(40) << 20)

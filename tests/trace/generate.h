/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Draws steps: any act whose objects are there, or can be made; legal by what the world is like now,
 * or, as often as is asked for, with one number that it should not have.
 */
#pragma once

#include "trace.h"

#include "monitor/random.h"

struct generator {
	struct random random;
	enum world_size size;
	unsigned int illegal; /* in a hundred */
	bool stages[2];	      /* Stage 1, Stage 2: are drawn */
};

/* A step that may be performed now. */
void generate(struct generator *generator, const struct trace *trace, struct step *out);

/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of a generator: what numbers a step has that is legal, one that it should not have, and what
 * makes blocks. */
#pragma once

#include "generate.h"

#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

static inline uint64_t below(struct generator *generator, uint64_t limit)
{
	return limit == 0 ? 0 : random_below(&generator->random, limit);
}

static inline bool one_in(struct generator *generator, uint64_t chances)
{
	return below(generator, chances) == 0;
}

/* Bytes from the position to the end. */
static inline uint64_t left_of(const struct cursor *cursor)
{
	return cursor->range.end.value - cursor->position.value;
}

/* Numbers of @step, whose act and objects are chosen, that the world permits as far as a look at the
 * objects can tell. */
void draw_numbers(struct generator *generator, const struct trace *trace, struct step *step);

/* One of its numbers becomes one that it should not have. */
void spoil(struct generator *generator, struct step *step);

/* What makes blocks, splits and merges them: rarely met by drawing from all acts alike. */
uint16_t act_on_blocks(struct generator *generator);

/* A segment that makes a block, where one can be; first the cursor goes to such a place. */
void aim_at_block(struct generator *generator, const struct trace *trace, struct step *step);

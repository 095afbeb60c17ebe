/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Steps: one act of acts.def with the numbers of its objects and the values of its other words. A step
 * says everything, so that a log of steps can be performed again, and parts of it can: a step whose
 * objects are not there, or whose places are taken, is skipped.
 */
#pragma once

#include "objects.h"

#include <op.h>

/* The words that are numbers. */
#define NUMBERS(X)                                                                                 \
	X(ADDRESS)                                                                                 \
	X(LENGTH)                                                                                  \
	X(OFFSET)                                                                                  \
	X(PAGE)                                                                                    \
	X(COUNT)                                                                                   \
	X(ALIGNMENT)                                                                               \
	X(COLOURS)                                                                                 \
	X(COLOUR)                                                                                  \
	X(SIZE)                                                                                    \
	X(VALUE)                                                                                   \
	X(BITS)                                                                                    \
	X(FLAGS)                                                                                   \
	X(CACHE)                                                                                   \
	X(ACCESS)                                                                                  \
	X(CONTENTS)                                                                                \
	X(METADATA)

enum number {
#define NUMBER(word) NUMBER_##word,
	NUMBERS(NUMBER)
#undef NUMBER
		NUMBER_WORDS
};

enum act {
#define ACT(operation, variant, status) ACT_##operation##variant,
#define BESIDE(name, status) ACT_##name,
#include "acts.def"
	ACTS
};

struct step {
	uint16_t act; /* enum act */
	uint8_t used[OBJECT_KINDS];
	uint8_t made[OBJECT_KINDS];
	uint8_t other_space;
	uint64_t numbers[NUMBER_WORDS];
};

/* What an act is, by its words. Sets of 1 << enum object_kind, and 1 << enum number. */
struct act_words {
	const char *name;
	const char *text; /* the call */
	int operation;	  /* enum mm_operation_kind; OPERATION_COUNT: none */
	uint32_t uses, makes, ends;
	uint32_t numbers;
	bool other_space;
};

const struct act_words *act_words(enum act act);

/* Reads the words. */
void acts_init(void);

unsigned int object_count(enum object_kind kind);
/* The object, and its size in bytes. */
void *object_at(struct objects *o, enum object_kind kind, unsigned int index, size_t *size);

/* Makes the call. */
enum mm_status act_perform(struct objects *o, const struct step *step);

/* Writes the call as C; what does not fit is cut off. */
void act_print(const struct step *step, char *text, size_t size);

/* What is counted by itself: an operation, or an act beside them. */
#define CALLS (OPERATION_COUNT + ACTS)
unsigned int act_call(enum act act);
/* NULL: it is not drawn. */
const char *call_name(unsigned int call);

/* The statuses that a long trace must meet, a bit for each; and those that it may meet as well. */
uint32_t call_reaches(unsigned int call);
uint32_t call_meets_seldom(unsigned int call);

/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold of the store between operations: the sentences of invariants.def, as functions. */
#pragma once

#include "store.h"

struct invariant {
	const char *number;   /* "A3" */
	const char *function; /* "references_are_held" */
	const char *sentence; /* that holds */
};

/* Where a sentence does not hold. */
struct witness {
	struct iaddr at; /* the page, or the input address */
	uint64_t is;	 /* what was found there, and what should be; equal if there is no number */
	uint64_t should_be;
};

/* How many sentences there are. */
unsigned int invariant_count(void);

/* The sentence @index, in the order of invariants.def. */
const struct invariant *invariant_at(unsigned int index);

/* Whether it holds of @store; if not, @witness says where. (Recounting uses the records' seen.) */
bool invariant_holds(unsigned int index, struct store *store, struct witness *witness);

/* Each says whether its sentence holds of all of the store. */
#define INVARIANT(number, function, sentence)                                                      \
	bool function(struct store *store, struct witness *witness);
#include "invariants.def"

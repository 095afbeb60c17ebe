/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory as the machines see it: words of eight bytes by index, which is the address divided by
 * eight, so that no access is unaligned.
 *
 * Invariant: an index that is absent holds a word that nobody has looked at yet, of any value. What is
 * present was read or written, and every later look must find it.
 */
#pragma once

#include "arena.h"
#include "tree.h"

#include <stdbool.h>

#define WORD_BYTES UINT64_C(8)

struct word {
	RB_ENTRY(word) link;
	uint64_t index;
	uint64_t value;
};

struct words {
	RB_HEAD(word_tree, word) tree;
	struct model_pool *pool; /* of cells of struct word */
};

void words_init(struct words *words, struct model_pool *pool);
void words_clear(struct words *words);

bool words_find(const struct words *words, uint64_t index, uint64_t *value);

/* The first word at or after @index; false if there is none. Iterates, as mappings_next does. */
bool words_next(const struct words *words, uint64_t index, struct word *out);

/* False: the arena is full; nothing was changed. */
bool words_set(struct words *words, uint64_t index, uint64_t value);

void words_forget(struct words *words, uint64_t index);

/* Forgets what @to has and makes it hold what @from does. False: the arena is full. */
bool words_copy(struct words *to, const struct words *from);

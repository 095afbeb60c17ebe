/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model's own storage: an arena that is only ever cut from the front, and pools of cells of one
 * size that are cut from it and used again.
 *
 * Invariant: no cell is in use twice, and none comes from an allocator that the model judges.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct model_arena {
	unsigned char *next;
	size_t left; /* bytes */
	size_t used; /* bytes cut so far: the most that was ever in use, since nothing is put back */
};

struct free_cell {
	SLIST_ENTRY(free_cell) link;
};

struct model_pool {
	struct model_arena *arena;
	size_t cell_size; /* bytes, at least that of a struct free_cell */
	SLIST_HEAD(, free_cell) free;
};

/* @memory is the arena's from now on. */
void model_arena_init(struct model_arena *arena, void *memory, size_t size);

void model_pool_init(struct model_pool *pool, struct model_arena *arena, size_t cell_size);

/* A cell whose bytes are zero, aligned for any object, or NULL: the arena is full. */
void *model_pool_take(struct model_pool *pool);

/* @cell came from model_pool_take on the same pool. */
void model_pool_give(struct model_pool *pool, void *cell);

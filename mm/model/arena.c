/* SPDX-License-Identifier: BSD-3-Clause */
#include "arena.h"

#include <stdalign.h>
#include <string.h>

/* @size rounded up so that the next cell is aligned for any object as well. */
static size_t align_up(size_t size)
{
	return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

void model_arena_init(struct model_arena *arena, void *memory, size_t size)
{
	size_t skip = align_up((uintptr_t)memory) - (uintptr_t)memory;

	if (skip > size)
		skip = size;
	*arena = (struct model_arena){
		.next = (unsigned char *)memory + skip,
		.left = size - skip,
	};
}

void model_pool_init(struct model_pool *pool, struct model_arena *arena, size_t cell_size)
{
	pool->arena = arena;
	pool->cell_size = align_up(cell_size);
	SLIST_INIT(&pool->free);
}

void *model_pool_take(struct model_pool *pool)
{
	struct model_arena *arena = pool->arena;
	void *cell = SLIST_FIRST(&pool->free);

	if (cell != NULL) {
		SLIST_REMOVE_HEAD(&pool->free, link);
	} else {
		if (arena->left < pool->cell_size)
			return NULL;
		cell = arena->next;
		arena->next += pool->cell_size;
		arena->left -= pool->cell_size;
		arena->used += pool->cell_size;
	}
	memset(cell, 0, pool->cell_size);
	return cell;
}

void model_pool_give(struct model_pool *pool, void *cell)
{
	struct free_cell *free_cell = cell;

	SLIST_INSERT_HEAD(&pool->free, free_cell, link);
}

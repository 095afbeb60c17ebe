/* SPDX-License-Identifier: BSD-3-Clause */
#include "registry.h"
#include "list_find.h"

void registry_init(struct registry *registry, void *memory, size_t size)
{
	model_arena_init(&registry->arena, memory, size);
	model_pool_init(&registry->space_pool, &registry->arena, sizeof(struct live_space));
	model_pool_init(&registry->cursor_pool, &registry->arena, sizeof(struct open_cursor));
	model_pool_init(&registry->extent_pool, &registry->arena, sizeof(struct extent));
	model_pool_init(&registry->seen_pool, &registry->arena, sizeof(struct seen_table));
	LIST_INIT(&registry->spaces);
	LIST_INIT(&registry->cursors);
	registry->spaces_made = 0;
	for (unsigned int i = 0; i < REGISTRY_ENDED_MAX; i++)
		registry->ended[i] = NULL;
	registry->ended_next = 0;
}

void registry_begin(struct registry *registry, const void *name)
{
	for (unsigned int i = 0; i < REGISTRY_ENDED_MAX; i++) {
		if (registry->ended[i] == name)
			registry->ended[i] = NULL;
	}
}

void registry_end(struct registry *registry, const void *name)
{
	registry_begin(registry, name);
	registry->ended[registry->ended_next++ % REGISTRY_ENDED_MAX] = name;
}

bool registry_ended(const struct registry *registry, const void *name)
{
	for (unsigned int i = 0; name != NULL && i < REGISTRY_ENDED_MAX; i++) {
		if (registry->ended[i] == name)
			return true;
	}
	return false;
}

struct live_space *registry_add_space(struct registry *registry, const struct vm_space *space)
{
	struct live_space *live = model_pool_take(&registry->space_pool);

	if (live == NULL)
		return NULL;
	live->space = space;
	live->number = ++registry->spaces_made;
	live->el2 = space->el2;
	live->table = (struct walk_table){ space->stage, space->geometry, space->root, false,
					   space->part };
	live->state.stage = space->stage;
	live->state.part = space->part;
	live->state.ia_bits = space->geometry.ia_bits;
	live->state.pa_bits = space->geometry.pa_bits;
	mappings_init(&live->state.mappings, &registry->extent_pool);
	LIST_INSERT_HEAD(&registry->spaces, live, link);
	registry_begin(registry, space);
	return live;
}

struct open_cursor *registry_add_cursor(struct registry *registry, struct live_space *space,
					const struct cursor *cursor)
{
	struct open_cursor *open = model_pool_take(&registry->cursor_pool);

	if (open == NULL)
		return NULL;
	open->cursor = cursor;
	open->space = space;
	mappings_init(&open->before, &registry->extent_pool);
	LIST_INSERT_HEAD(&registry->cursors, open, link);
	return open;
}

struct live_space *registry_space(const struct registry *registry, const struct vm_space *space)
{
	struct live_space *live;

	LIST_FIND(live, &registry->spaces, space, space);
	return live;
}

struct open_cursor *registry_cursor(const struct registry *registry, const struct cursor *cursor)
{
	struct open_cursor *open;

	LIST_FIND(open, &registry->cursors, cursor, cursor);
	return open;
}

void registry_remove_cursor(struct registry *registry, struct open_cursor *cursor)
{
	mappings_clear(&cursor->before);
	LIST_REMOVE(cursor, link);
	model_pool_give(&registry->cursor_pool, cursor);
}

void registry_remove_space(struct registry *registry, struct live_space *space)
{
	struct open_cursor *holder;
	struct irange whole = walk_table_range(&space->table);

	while ((holder = registry_holder(registry, space, whole, NULL)) != NULL)
		holder->space = NULL;
	mappings_clear(&space->state.mappings);
	registry_end(registry, space->space);
	LIST_REMOVE(space, link);
	model_pool_give(&registry->space_pool, space);
}

bool registry_has_cursor(const struct registry *registry, unsigned int cpu)
{
	const struct open_cursor *cursor;

	LIST_FOREACH(cursor, &registry->cursors, link)
	{
		if (cursor->cpu == cpu)
			return true;
	}
	return false;
}

struct open_cursor *registry_holder(struct registry *registry, const struct live_space *space,
				    struct irange range, const struct open_cursor *except)
{
	struct open_cursor *open;

	LIST_FOREACH(open, &registry->cursors, link)
	{
		if (open != except && open->space == space &&
		    irange_overlaps(open->state.range, range))
			return open;
	}
	return NULL;
}

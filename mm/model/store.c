/* SPDX-License-Identifier: BSD-3-Clause */
#include "store.h"
#include "list_find.h"

static int handle_compare(const struct handle *a, const struct handle *b)
{
	return (a->id > b->id) - (a->id < b->id);
}

TREE_GENERATE(handle_tree, handle, link, handle_compare)

void store_init(struct store *store, void *memory, size_t size)
{
	struct model_arena *arena = &store->registry.arena;

	*store = (struct store){ .cpus = 0 };
	registry_init(&store->registry, memory, size);
	regions_init(&store->regions, arena);
	owners_init(&store->owners, arena);
	model_pool_init(&store->handle_pool, arena, sizeof(struct handle));
	model_pool_init(&store->list_pool, arena, sizeof(struct live_list));
	model_pool_init(&store->listed_pool, arena, sizeof(struct listed));
	model_pool_init(&store->gather_pool, arena, sizeof(struct live_gather));
	model_pool_init(&store->kvirt_pool, arena, sizeof(struct live_kvirt));
	model_pool_init(&store->area_pool, arena, sizeof(struct live_area));
	model_pool_init(&store->io_pool, arena, sizeof(struct live_io));
	model_pool_init(&store->run_pool, arena, sizeof(struct parked_run));
	RB_INIT(&store->handles);
	LIST_INIT(&store->raw);
	LIST_INIT(&store->lists);
	LIST_INIT(&store->gathers);
	TAILQ_INIT(&store->ios);
	LIST_INIT(&store->kvirts);
	LIST_INIT(&store->areas);
	LIST_INIT(&store->memory);
	LIST_INIT(&store->devices);
	LIST_INIT(&store->logs);
	model_pool_init(&store->memory_pool, arena, sizeof(struct live_memory));
	model_pool_init(&store->device_pool, arena, sizeof(struct live_device));
	model_pool_init(&store->log_pool, arena, sizeof(struct live_log));
	store->frames_before = mm_usage().pages[PAGE_FRAME];
}

static void *take(struct store *store, struct model_pool *pool)
{
	void *cell = model_pool_take(pool);

	if (cell == NULL)
		store->out_of_storage = true;
	return cell;
}

/* ---- Handles ------------------------------------------------------------------------------- */

struct handle *store_handle(const struct store *store, store_id id)
{
	struct handle wanted = { .id = id };

	return id == 0 ? NULL
		       : RB_FIND(handle_tree, (struct handle_tree *)&store->handles, &wanted);
}

void store_add_handle(struct store *store, const struct op_made *made)
{
	struct handle *handle;

	if (made->id == 0)
		return;
	if (store->first_handle == 0)
		store->first_handle = made->id;
	handle = take(store, &store->handle_pool);
	if (handle == NULL)
		return;
	handle->id = made->id;
	handle->pages = made->pages;
	handle->kind = made->kind;
	store->counts[made->kind]++;
	if (RB_INSERT(handle_tree, &store->handles, handle) != NULL)
		model_pool_give(&store->handle_pool, handle);
}

void store_remove_handle(struct store *store, struct handle *handle)
{
	store->counts[handle->kind]--;
	if (handle->raw)
		LIST_REMOVE(handle, raw_link);
	RB_REMOVE(handle_tree, &store->handles, handle);
	model_pool_give(&store->handle_pool, handle);
}

struct handle *store_raw_handle(const struct store *store, enum share_kind kind,
				struct prange pages)
{
	struct handle *handle;

	LIST_FOREACH(handle, &store->raw, raw_link)
	{
		if (handle->kind == kind && handle->pages.start.value == pages.start.value &&
		    handle->pages.end.value == pages.end.value)
			return handle;
	}
	return NULL;
}

struct handle *store_next_handle(const struct store *store, store_id after)
{
	struct handle wanted = { .id = after + 1 };

	return RB_NFIND(handle_tree, (struct handle_tree *)&store->handles, &wanted);
}

/* ---- Lists --------------------------------------------------------------------------------- */

struct live_list *store_list(const struct store *store, const void *name)
{
	struct live_list *list;

	LIST_FIND(list, &store->lists, name, name);
	return list;
}

struct live_list *store_add_list(struct store *store, const void *name)
{
	struct live_list *list = take(store, &store->list_pool);

	if (list == NULL)
		return NULL;
	list->name = name;
	list->number = ++store->lists_made;
	TAILQ_INIT(&list->frames);
	LIST_INSERT_HEAD(&store->lists, list, link);
	return list;
}

void store_remove_list(struct store *store, struct live_list *list)
{
	struct listed *listed;

	while ((listed = TAILQ_FIRST(&list->frames)) != NULL) {
		TAILQ_REMOVE(&list->frames, listed, link);
		model_pool_give(&store->listed_pool, listed);
	}
	LIST_REMOVE(list, link);
	model_pool_give(&store->list_pool, list);
}

struct listed *store_listed(const struct live_list *list, struct paddr page)
{
	struct listed *listed;

	TAILQ_FOREACH(listed, &list->frames, link)
	{
		if (listed->page.value == page.value)
			return listed;
	}
	return NULL;
}

/* ---- Gathers ------------------------------------------------------------------------------- */

struct live_gather *store_gather(const struct store *store, const void *name)
{
	struct live_gather *gather;

	LIST_FIND(gather, &store->gathers, name, name);
	return gather;
}

struct live_gather *store_add_gather(struct store *store, const void *name, const void *space)
{
	struct live_gather *gather = take(store, &store->gather_pool);

	if (gather == NULL)
		return NULL;
	gather->name = name;
	gather->space = space;
	LIST_INIT(&gather->runs);
	LIST_INSERT_HEAD(&store->gathers, gather, link);
	return gather;
}

void store_remove_gather(struct store *store, struct live_gather *gather)
{
	struct parked_run *run;

	while ((run = LIST_FIRST(&gather->runs)) != NULL) {
		LIST_REMOVE(run, link);
		model_pool_give(&store->run_pool, run);
	}
	LIST_REMOVE(gather, link);
	model_pool_give(&store->gather_pool, gather);
}

/* ---- Areas --------------------------------------------------------------------------------- */

struct live_kvirt *store_kvirt(const struct store *store, store_id name)
{
	struct live_kvirt *kvirt;

	LIST_FIND(kvirt, &store->kvirts, name, name);
	return kvirt;
}

struct live_area *store_area(const struct store *store, store_id name)
{
	struct live_area *area;

	LIST_FIND(area, &store->areas, name, name);
	return area;
}

const struct live_area *store_area_beside(const struct store *store, const struct live_area *area)
{
	const uint64_t guards = 2 * AREA_GUARD;
	const struct live_area *other;

	LIST_FOREACH(other, &store->areas, link)
	{
		if (other != area && other->space == area->space &&
		    other->range.start.value < area->range.end.value + guards &&
		    area->range.start.value < other->range.end.value + guards)
			return other;
	}
	return NULL;
}

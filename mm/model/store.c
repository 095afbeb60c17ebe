/* SPDX-License-Identifier: BSD-3-Clause */
#include "store.h"

#include <strata/vm_guest.h>

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
	model_pool_init(&store->memory_pool, arena, sizeof(struct live_memory));
	model_pool_init(&store->device_pool, arena, sizeof(struct live_device));
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

	LIST_FOREACH(list, &store->lists, link)
	{
		if (list->name == name)
			return list;
	}
	return NULL;
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

	LIST_FOREACH(gather, &store->gathers, link)
	{
		if (gather->name == name)
			return gather;
	}
	return NULL;
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

	LIST_FOREACH(kvirt, &store->kvirts, link)
	{
		if (kvirt->name == name)
			return kvirt;
	}
	return NULL;
}

struct live_area *store_area(const struct store *store, store_id name)
{
	struct live_area *area;

	LIST_FOREACH(area, &store->areas, link)
	{
		if (area->name == name)
			return area;
	}
	return NULL;
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

/* ---- Readers and writers ------------------------------------------------------------------- */

/* The entry for @name, taken out of the sequence; of a new one, that which was not used for longest. */
static struct live_io *take_io(struct store *store, store_id name)
{
	struct live_io *io;

	TAILQ_FOREACH(io, &store->ios, link)
	{
		if (io->name == name)
			break;
	}
	if (io == NULL && store->io_count == STORE_IOS_MAX)
		io = TAILQ_LAST(&store->ios, live_io_sequence);
	if (io != NULL) {
		TAILQ_REMOVE(&store->ios, io, link);
		return io;
	}
	io = take(store, &store->io_pool);
	store->io_count += io != NULL;
	return io;
}

static void give_io(struct store *store, struct live_io *io)
{
	model_pool_give(&store->io_pool, io);
	store->io_count--;
}

/* Whose tables, or which active space, say where the bytes are. */
static const struct vm_space *space_of(const struct vm_io_range *range)
{
	switch (range->kind) {
	case VM_IO_SPACE:
	case VM_IO_WINDOW_SPACE:
		return range->space;
	case VM_IO_GUEST:
		return range->guest->space;
	default:
		return NULL;
	}
}

void store_note_io(struct store *store, store_id name, const struct vm_io_range *range)
{
	const struct vm_space *space = space_of(range);
	struct live_io *io = take_io(store, name);

	if (io == NULL)
		return;
	if (space != NULL && registry_space(&store->registry, space) == NULL) {
		give_io(store, io);
		return;
	}
	io->name = name;
	io->space = space;
	io->range = *range;
	TAILQ_INSERT_HEAD(&store->ios, io, link);
}

const struct vm_io_range *store_io(const struct store *store, store_id name)
{
	const struct live_io *io;

	TAILQ_FOREACH(io, &store->ios, link)
	{
		if (io->name == name)
			return &io->range;
	}
	return NULL;
}

void store_forget_ios(struct store *store, const struct vm_space *space)
{
	struct live_io *io = TAILQ_FIRST(&store->ios);

	while (io != NULL) {
		struct live_io *next = TAILQ_NEXT(io, link);

		if (io->space == space) {
			TAILQ_REMOVE(&store->ios, io, link);
			give_io(store, io);
		}
		io = next;
	}
}

/* ---- Pages --------------------------------------------------------------------------------- */

/* What the subsystem says of pages, the first at @page, that no operation named so far. */
static void adopt(struct store *store, struct page_record *record, struct prange pages,
		  const struct page_state *state, uint32_t taken)
{
	if (state->usage == PAGE_UNUSED ||
	    (state->usage == PAGE_FRAME && taken > 0 && state->references == taken)) {
		record->state = PAGE_FREE;
	} else if (state->usage != PAGE_FRAME) {
		record->state = PAGE_OTHER;
	} else if (state->references == 0) {
		record->state = PAGE_UNIQUE_OWNER;
	} else {
		record->state = PAGE_SHARED;
		record->references = state->references - taken;
		record->before = record->references;
		owners_give(&store->owners, record, prange_size(pages) >> PAGE_SHIFT,
			    owners_adopted(&store->owners, pages.start));
	}
}

struct page_record *store_page(struct store *store, struct paddr page, uint32_t taken)
{
	bool is_known = regions_find(&store->regions, page) != NULL;
	struct page_record *record;
	struct page_state state;

	if (!is_known && page_state(page, &state) != MM_OK)
		return NULL;
	record = regions_page(&store->regions, page);
	if (record == NULL)
		store->out_of_storage = true;
	else if (!is_known)
		adopt(store, record, page_range(page), &state, taken);
	return record;
}

/* Whether the subsystem says the same of all pages of a chunk. */
static bool is_uniform(struct store *store, struct prange chunk, const struct page_state *first)
{
	const struct live_owner *owner = owners_adopted(&store->owners, chunk.start);

	for (; chunk.start.value < chunk.end.value; chunk.start.value += PAGE_SIZE) {
		struct page_state state;

		if (page_state(chunk.start, &state) != MM_OK || state.usage != first->usage ||
		    state.references != first->references ||
		    owners_adopted(&store->owners, chunk.start) != owner)
			return false;
	}
	return true;
}

struct page_record *store_pages(struct store *store, struct prange pages, uint32_t taken,
				uint64_t *count)
{
	struct page_record *record = regions_run(&store->regions, pages, count);
	struct prange chunk =
		prange(pages.start, paddr(pages.start.value + (*count << PAGE_SHIFT)));
	struct page_state state;

	if (record == NULL || *count == 1 || record->state != PAGE_OTHER) {
		*count = record == NULL ? 1 : *count;
		return *count > 1 ? record : store_page(store, pages.start, taken);
	}
	if (page_state(pages.start, &state) == MM_OK && is_uniform(store, chunk, &state)) {
		adopt(store, record, chunk, &state, taken);
		return record;
	}
	*count = 1;
	return store_page(store, pages.start, taken);
}

void store_readopt(struct store *store, struct paddr page)
{
	struct page_record *record = store_page(store, page, 0);
	struct page_state state;

	if (record == NULL || page_state(page, &state) != MM_OK)
		return;
	record->unique = 0;
	record->references = state.references;
	record->before = state.references -
			 (record->handles + record->entries + record->covers + record->parked);
	if (state.usage == PAGE_FRAME)
		record->state = state.references == 0 ? PAGE_UNIQUE_OWNER : PAGE_SHARED;
	owners_give(&store->owners, record, 1, owners_adopted(&store->owners, page));
}

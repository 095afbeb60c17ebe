/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *  chunks: a pointer for each 127 ids, NULL while none of them is in use
 *  ┌───┬───┬───┬─ ─ ─┬───┐        chunk, from the heap
 *  │ ● │ ● │ 0 │     │ 0 │        ┌────────┬─────────┬─────────┬─ ─ ─┬───────────┐
 *  └─┼─┴───┴───┴─ ─ ─┴───┘───────▶│ in use │ owner 0 │ owner 1 │     │ owner 126 │
 *                                 └────────┴─────────┴─────────┴─ ─ ─┴───────────┘
 */
#include "owner_table.h"
#include <strata/heap.h>

#define CHUNK_OWNERS 127
#define CHUNKS ((OWNER_ID_MOVING + CHUNK_OWNERS) / CHUNK_OWNERS)

struct chunk {
	size_t in_use;
	struct owner owners[CHUNK_OWNERS];
};

_Static_assert(sizeof(struct chunk) <= PAGE_SIZE, "a chunk is a page");

struct ticket_lock ownership_lock;

/*
 * Written under the lock. Release and acquire: who has a page of an owner finds the owner complete,
 * without the lock.
 */
static struct chunk *_Atomic chunks[CHUNKS];

void owners_reset(void)
{
	ownership_lock = (struct ticket_lock){ 0 };
	for (size_t i = 0; i < CHUNKS; i++)
		atomic_store_explicit(&chunks[i], NULL, memory_order_relaxed);
}

static struct chunk *chunk_at(size_t index)
{
	return atomic_load_explicit(&chunks[index], memory_order_acquire);
}

struct owner *owner_of_id(uint16_t id)
{
	struct chunk *chunk = chunk_at(id / CHUNK_OWNERS);

	if (id == OWNER_ID_HYPERVISOR || chunk == NULL || chunk->owners[id % CHUNK_OWNERS].id != id)
		return NULL;
	return &chunk->owners[id % CHUNK_OWNERS];
}

/* Ids that a chunk can give: not the first of all, nor those from OWNER_ID_MOVING on. */
static bool is_usable(size_t id)
{
	return id != OWNER_ID_HYPERVISOR && id < OWNER_ID_MOVING;
}

static struct owner *find_place(struct chunk *chunk, size_t first_id, uint16_t *id)
{
	for (size_t i = 0; i < CHUNK_OWNERS; i++)
		if (chunk->owners[i].id == OWNER_ID_HYPERVISOR && is_usable(first_id + i)) {
			*id = (uint16_t)(first_id + i);
			return &chunk->owners[i];
		}
	return NULL;
}

static enum mm_status chunk_new(size_t index, struct chunk **out)
{
	void *memory;
	enum mm_status status = heap_alloc(sizeof(struct chunk), &memory);

	if (status != MM_OK)
		return status;
	*out = memory;
	**out = (struct chunk){ .in_use = 0 };
	atomic_store_explicit(&chunks[index], *out, memory_order_release);
	return MM_OK;
}

enum mm_status owner_new(const struct vm_space *space, struct sharing *sharing, bool lent,
			 struct owner **out)
{
	struct owner *owner = NULL;
	struct chunk *chunk = NULL;
	size_t free_chunk = CHUNKS;
	uint16_t id = 0;

	/* What there is first: a new chunk only when all are full. */
	for (size_t i = 0; i < CHUNKS && owner == NULL; i++) {
		chunk = chunk_at(i);
		if (chunk != NULL && chunk->in_use < CHUNK_OWNERS)
			owner = find_place(chunk, i * CHUNK_OWNERS, &id);
		else if (chunk == NULL && free_chunk == CHUNKS)
			free_chunk = i;
	}
	if (owner == NULL) {
		if (free_chunk == CHUNKS || chunk_new(free_chunk, &chunk) != MM_OK)
			return MM_NO_MEMORY;
		owner = find_place(chunk, free_chunk * CHUNK_OWNERS, &id);
	}

	chunk->in_use++;
	owner->space = space;
	owner->sharing = sharing;
	owner->lent = lent;
	owner->id = id;
	atomic_store_explicit(&owner->pages, 1, memory_order_relaxed);
	*out = owner;
	return MM_OK;
}

static void owner_free(struct owner *owner)
{
	size_t index = owner->id / CHUNK_OWNERS;
	struct chunk *chunk = chunk_at(index);

	owner->id = OWNER_ID_HYPERVISOR;
	if (--chunk->in_use > 0)
		return;
	atomic_store_explicit(&chunks[index], NULL, memory_order_relaxed);
	heap_free(chunk);
}

/* Whether these were the last. Release, and acquire for the last: whoever frees the owner comes after
 * everybody who had a page of it. */
static bool lose_pages(struct owner *owner, uint64_t pages)
{
	if (atomic_fetch_sub_explicit(&owner->pages, pages, memory_order_release) != pages)
		return false;
	atomic_thread_fence(memory_order_acquire);
	return true;
}

void owner_lose_pages_locked(struct owner *owner, uint64_t pages)
{
	if (lose_pages(owner, pages))
		owner_free(owner);
}

void owner_lose_pages(uint16_t id, uint64_t pages)
{
	struct owner *owner = owner_of_id(id);

	if (!lose_pages(owner, pages))
		return;
	ticket_lock(&ownership_lock);
	owner_free(owner);
	ticket_unlock(&ownership_lock);
}

void owner_depart(struct owner *owner)
{
	owner->space = NULL;
	owner->sharing = NULL;
	owner_lose_pages_locked(owner, 1);
}

bool owner_is_hypervisor(struct slot *slot)
{
	uint16_t id = slot_owner(slot);

	if (id == OWNER_ID_HYPERVISOR)
		return true;

	struct owner *owner = owner_of_id(id);

	if (!owner_has_departed(owner))
		return false;
	slot_set_owner(slot, OWNER_ID_HYPERVISOR);
	owner_lose_pages_locked(owner, 1);
	return true;
}

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
#define CHUNKS ((SLOT_OWNER_LAST - SLOT_OWNER_FIRST + 1) / CHUNK_OWNERS)

struct chunk {
	size_t in_use;
	struct owner owners[CHUNK_OWNERS];
};

_Static_assert(sizeof(struct chunk) <= PAGE_SIZE, "a chunk is a page");
_Static_assert(CHUNKS *CHUNK_OWNERS == SLOT_OWNER_LAST - SLOT_OWNER_FIRST + 1,
	       "every place of a chunk has an id");

struct ticket_lock ownership_lock;

/*
 * Written under the lock. Release and acquire: who has a page of an owner finds the owner complete,
 * without the lock.
 */
static struct chunk *_Atomic chunks[CHUNKS];

/* Places in chunks that no owner has. Under the lock. */
static size_t free_places;

void owners_reset(void)
{
	ownership_lock = (struct ticket_lock){ 0 };
	free_places = 0;
	for (size_t i = 0; i < CHUNKS; i++)
		atomic_store_explicit(&chunks[i], NULL, memory_order_relaxed);
}

static struct chunk *chunk_at(size_t index)
{
	return atomic_load_explicit(&chunks[index], memory_order_acquire);
}

static size_t chunk_of(uint16_t id)
{
	return (size_t)(id - SLOT_OWNER_FIRST) / CHUNK_OWNERS;
}

struct owner *owner_of_id(uint16_t id)
{
	struct owner *owner;
	struct chunk *chunk;

	if (id < SLOT_OWNER_FIRST || id > SLOT_OWNER_LAST)
		return NULL;
	chunk = chunk_at(chunk_of(id));
	if (chunk == NULL)
		return NULL;
	owner = &chunk->owners[(id - SLOT_OWNER_FIRST) % CHUNK_OWNERS];
	return owner->id == id ? owner : NULL;
}

/* Makes @chunk that of the first ids that have none; false if all have. Under the lock. */
static bool add_chunk(struct chunk *chunk)
{
	size_t index = 0;

	while (index < CHUNKS && chunk_at(index) != NULL)
		index++;
	if (index == CHUNKS)
		return false;
	atomic_store_explicit(&chunks[index], chunk, memory_order_release);
	free_places += CHUNK_OWNERS;
	return true;
}

enum mm_status ownership_lock_for(size_t count)
{
	enum mm_status status;
	bool added, room;
	void *chunk;

	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
	if (free_places >= count)
		return MM_OK;
	ticket_unlock(&ownership_lock);

	status = heap_alloc(sizeof(struct chunk), &chunk);
	if (status != MM_OK)
		return status;
	*(struct chunk *)chunk = (struct chunk){ .in_use = 0 };
	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
	/* Meanwhile somebody else may have made room. */
	added = free_places < count && add_chunk(chunk);
	room = free_places >= count;
	if (!room)
		ticket_unlock(&ownership_lock);
	if (!added)
		heap_free(chunk);
	return room ? MM_OK : MM_NO_MEMORY;
}

struct owner *owner_new(const struct vm_space *space, struct sharing *sharing, bool lent)
{
	struct chunk *chunk;
	struct owner *owner;
	size_t index = 0;
	size_t place = 0;

	while ((chunk = chunk_at(index)) == NULL || chunk->in_use == CHUNK_OWNERS)
		index++;
	while (chunk->owners[place].id != OWNER_ID_HYPERVISOR)
		place++;
	chunk->in_use++;
	free_places--;
	owner = &chunk->owners[place];
	owner->space = space;
	owner->sharing = sharing;
	owner->lent = lent;
	owner->id = (uint16_t)(SLOT_OWNER_FIRST + index * CHUNK_OWNERS + place);
	atomic_store_explicit(&owner->pages, 1, memory_order_relaxed);
	return owner;
}

static void owner_free(struct owner *owner)
{
	size_t index = chunk_of(owner->id);
	struct chunk *chunk = chunk_at(index);

	owner->id = OWNER_ID_HYPERVISOR;
	free_places++;
	if (--chunk->in_use > 0)
		return;
	free_places -= CHUNK_OWNERS;
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
	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
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

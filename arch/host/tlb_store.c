/* SPDX-License-Identifier: BSD-3-Clause */
#include "tlb_store.h"
#include "host_memory.h"
#include <stdlib.h>
#include <string.h>

uint64_t level_size(int level)
{
	return UINT64_C(1) << (12 + 9 * (3 - level));
}

static size_t bucket_of(const struct tlb_store *store, enum tlb_kind kind, uint16_t vmid,
			uint64_t ia, int level)
{
	uint64_t key = (ia / level_size(level)) * TLB_KIND_COUNT + (uint64_t)kind;

	key = (key * 4 + (uint64_t)level) ^ ((uint64_t)vmid << 44);
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 24) & (store->bucket_count - 1);
}

static size_t source_bucket(uint64_t address)
{
	return (size_t)(((address >> 3) * UINT64_C(0x9e3779b97f4a7c15)) >> 40) &
	       (TLB_SOURCE_BUCKETS - 1);
}

static void count_sources(struct tlb_store *store, const struct tlb_entry *entry, uint32_t by)
{
	for (size_t i = 0; i < 2; i++)
		if (entry->sources[i].address != 0)
			store->source_counts[source_bucket(entry->sources[i].address)] += by;
}

static void chain(struct tlb_store *store, size_t index)
{
	struct tlb_entry *entry = &store->entries[index];
	size_t bucket = bucket_of(store, entry->kind, entry->vmid, entry->ia, entry->level);

	entry->next = store->buckets[bucket];
	store->buckets[bucket] = index + 1;
}

static void chain_all(struct tlb_store *store)
{
	if (store->bucket_count > 0)
		memset(store->buckets, 0, store->bucket_count * sizeof(*store->buckets));
	for (size_t i = 0; i < store->count; i++)
		chain(store, i);
}

struct tlb_entry *tlb_store_at(const struct tlb_store *store, enum tlb_kind kind, uint16_t vmid,
			       uint64_t ia, int level)
{
	if (store->count == 0)
		return NULL;

	uint64_t start = ia & ~(level_size(level) - 1);
	size_t next = store->buckets[bucket_of(store, kind, vmid, start, level)];

	while (next != 0) {
		struct tlb_entry *entry = &store->entries[next - 1];

		if (entry->kind == kind && entry->vmid == vmid && entry->level == level &&
		    entry->ia == start)
			return entry;
		next = entry->next;
	}
	return NULL;
}

static void grow(struct tlb_store *store)
{
	store->capacity = store->capacity == 0 ? 64 : store->capacity * 2;
	store->entries = host_reallocate(store->entries, store->capacity * sizeof(*store->entries));
	store->bucket_count = store->capacity;
	free(store->buckets);
	store->buckets = host_allocate(store->bucket_count * sizeof(*store->buckets));
	chain_all(store);
}

void tlb_store_put(struct tlb_store *store, const struct tlb_entry *entry)
{
	struct tlb_entry *old =
		tlb_store_at(store, entry->kind, entry->vmid, entry->ia, entry->level);

	if (old != NULL) {
		size_t next = old->next;

		count_sources(store, old, (uint32_t)-1);
		*old = *entry;
		old->next = next;
		count_sources(store, old, 1);
		return;
	}
	if (store->count == store->capacity)
		grow(store);
	store->entries[store->count] = *entry;
	count_sources(store, entry, 1);
	chain(store, store->count++);
}

void tlb_store_remove(struct tlb_store *store,
		      bool (*gone)(const struct tlb_entry *entry, const void *context),
		      const void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < store->count; i++) {
		if (gone(&store->entries[i], context)) {
			count_sources(store, &store->entries[i], (uint32_t)-1);
			continue;
		}
		store->entries[kept++] = store->entries[i];
	}
	if (kept == store->count)
		return;
	store->count = kept;
	chain_all(store);
}

bool tlb_store_may_know(const struct tlb_store *store, uint64_t address)
{
	return store->source_counts[source_bucket(address)] != 0;
}

void tlb_store_release(struct tlb_store *store)
{
	free(store->entries);
	free(store->buckets);
	*store = (struct tlb_store){ 0 };
}

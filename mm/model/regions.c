/* SPDX-License-Identifier: BSD-3-Clause */
#include "regions.h"

static int chunk_compare(const struct page_chunk *a, const struct page_chunk *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

TREE_GENERATE(chunk_tree, page_chunk, link, chunk_compare)

void regions_init(struct regions *regions, struct model_arena *arena)
{
	RB_INIT(&regions->chunks);
	model_pool_init(&regions->chunk_pool, arena, sizeof(struct page_chunk));
	model_pool_init(&regions->pages_pool, arena, CHUNK_PAGES * sizeof(struct page_record));
	regions->last = NULL;
}

static struct page_chunk *find_chunk(const struct regions *regions, uint64_t number)
{
	struct page_chunk *chunk = RB_ROOT(&regions->chunks);

	while (chunk != NULL && chunk->number != number)
		chunk = number < chunk->number ? RB_LEFT(chunk, link) : RB_RIGHT(chunk, link);
	return chunk;
}

static size_t index_of(struct paddr page)
{
	return (page.value >> PAGE_SHIFT) % CHUNK_PAGES;
}

static const struct page_record *record_in(const struct page_chunk *chunk, size_t index)
{
	return chunk->pages == NULL ? &chunk->all : &chunk->pages[index];
}

static struct page_chunk *chunk_of(struct regions *regions, struct paddr page)
{
	uint64_t number = page.value >> CHUNK_SHIFT;
	struct page_chunk *chunk = regions->last;

	if (chunk == NULL || chunk->number != number)
		chunk = find_chunk(regions, number);
	if (chunk == NULL) {
		chunk = model_pool_take(&regions->chunk_pool);
		if (chunk == NULL)
			return NULL;
		chunk->number = number;
		RB_INSERT(chunk_tree, &regions->chunks, chunk);
	}
	regions->last = chunk;
	return chunk;
}

struct page_record *regions_page(struct regions *regions, struct paddr page)
{
	struct page_chunk *chunk = chunk_of(regions, page);

	if (chunk == NULL)
		return NULL;
	if (chunk->pages == NULL) {
		chunk->pages = model_pool_take(&regions->pages_pool);
		if (chunk->pages == NULL)
			return NULL;
		for (size_t i = 0; i < CHUNK_PAGES; i++)
			chunk->pages[i] = chunk->all;
	}
	return &chunk->pages[index_of(page)];
}

struct page_record *regions_run(struct regions *regions, struct prange pages, uint64_t *count)
{
	const uint64_t size = UINT64_C(1) << CHUNK_SHIFT;
	struct page_chunk *chunk = chunk_of(regions, pages.start);

	*count = 1;
	if (chunk == NULL || chunk->pages != NULL || pages.start.value % size != 0 ||
	    prange_size(pages) < size)
		return regions_page(regions, pages.start);
	*count = CHUNK_PAGES;
	return &chunk->all;
}

const struct page_record *regions_find(const struct regions *regions, struct paddr page)
{
	uint64_t number = page.value >> CHUNK_SHIFT;
	const struct page_chunk *chunk = regions->last;

	if (chunk == NULL || chunk->number != number)
		chunk = find_chunk(regions, number);
	if (!is_page_aligned(page.value) || chunk == NULL)
		return NULL;

	const struct page_record *record = record_in(chunk, index_of(page));

	return record->state == PAGE_OTHER ? NULL : record;
}

bool regions_each(const struct regions *regions,
		  bool (*visit)(struct paddr page, const struct page_record *record, void *context),
		  void *context)
{
	struct page_chunk *chunk;

	RB_FOREACH(chunk, chunk_tree, (struct chunk_tree *)&regions->chunks)
	{
		for (size_t i = 0; i < CHUNK_PAGES; i++) {
			struct paddr page =
				paddr((chunk->number << CHUNK_SHIFT) + ((uint64_t)i << PAGE_SHIFT));

			const struct page_record *record = record_in(chunk, i);

			if (record->state != PAGE_OTHER && !visit(page, record, context))
				return false;
		}
	}
	return true;
}

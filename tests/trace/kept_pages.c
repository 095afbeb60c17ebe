/* SPDX-License-Identifier: BSD-3-Clause */
#include "kept_pages.h"

/* Pages of one handle, from its start and from its end; of these the bytes of so many. */
#define HANDLE_PAGES 16
#define HANDLE_BYTES_PAGES 2
#define PAGES_MAX 1024

struct page_before {
	struct paddr page;
	struct page_state state;
	struct page_owner owner;
	uint64_t bytes; /* their sum, if that is looked at */
	bool has_bytes;
	unsigned int parked; /* references that a flush of the step's cursor gives back */
};

static struct page_before kept[PAGES_MAX];
static size_t count;

void kept_pages_begin(void)
{
	count = 0;
}

static uint64_t sum_of_bytes(struct paddr page)
{
	const uint64_t *words = mm_linear(page);
	uint64_t sum = 0;

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		if (words[i] != 0)
			sum = sum_with(sum, words[i] + i);
	return sum;
}

void kept_pages_add(struct paddr page, bool bytes)
{
	struct page_before *place = &kept[count];

	if (count == PAGES_MAX || page_state(page, &place->state) != MM_OK)
		return;
	place->page = page;
	place->owner = page_owner(page);
	place->has_bytes = bytes;
	place->bytes = bytes ? sum_of_bytes(page) : 0;
	place->parked = 0;
	count++;
}

void kept_pages_of_handle(struct prange pages)
{
	uint64_t all = prange_size(pages) >> PAGE_SHIFT;

	for (uint64_t i = 0; i < all; i++)
		if (i < HANDLE_PAGES || all - i <= HANDLE_PAGES)
			kept_pages_add(paddr(pages.start.value + i * PAGE_SIZE),
				       i < HANDLE_BYTES_PAGES || all - i <= HANDLE_BYTES_PAGES);
}

void kept_pages_add_all(struct prange memory)
{
	uint64_t step = PAGE_SIZE;

	while (prange_size(memory) / step > PAGES_MAX / 2)
		step *= 2;
	for (uint64_t at = memory.start.value; at < memory.end.value; at += step)
		kept_pages_add(paddr(at), false);
}

void kept_pages_flushed(const struct tlb_gather *gather)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t run = 0; run < gather->run_count; run++)
			kept[i].parked +=
				prange_contains(gather->runs[run], page_range(kept[i].page));
	}
}

static bool same_owner(const struct page_owner *a, const struct page_owner *b)
{
	return a->kind == b->kind && a->space == b->space && a->sharing == b->sharing &&
	       a->lent == b->lent;
}

static const char *page_changed(const struct page_before *was)
{
	struct page_owner owner = page_owner(was->page);
	struct page_state is;

	if (page_state(was->page, &is) != MM_OK)
		return "a page is no memory any more";
	/* It was unlinked and waited for a flush, or was empty: what is in a space's tables is compared by itself,
	 * and one that is linked still is found out by the discipline (table_freed_reachable). */
	if (was->state.usage == PAGE_TABLE && is.usage == PAGE_UNUSED)
		return NULL;
	if (was->parked != 0 && is.references == was->state.references - was->parked)
		return NULL;
	if (is.references != was->state.references)
		return "the references of a page changed";
	if (is.usage != was->state.usage &&
	    !(was->state.usage == PAGE_UNUSED && is.usage == PAGE_META))
		return "the usage of a page changed";
	if (!same_owner(&owner, &was->owner))
		return "the owner of a page changed";
	if (was->has_bytes && sum_of_bytes(was->page) != was->bytes)
		return "the bytes of a page changed";
	return NULL;
}

const char *kept_pages_judge(void)
{
	const char *change = NULL;

	for (size_t i = 0; i < count && change == NULL; i++)
		change = page_changed(&kept[i]);
	return change;
}

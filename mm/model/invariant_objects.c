/* SPDX-License-Identifier: BSD-3-Clause */
/* S9 to S17, X4: readers, writers and handles are what they should be, and of what exists. */
#include "invariant.h"

/* ---- Readers and writers ------------------------------------------------------------------- */

bool ios_are_sound(struct store *store, struct witness *witness)
{
	const struct live_io *io;

	TAILQ_FOREACH(io, &store->ios, link)
	{
		witness->at = iaddr(io->range.cursor);
		if (io->range.kind > VM_IO_GUEST)
			return false;
		if (io->range.kind == VM_IO_HYPERVISOR && io->range.cursor == 0 &&
		    io->range.end != 0)
			return false;
		/* Whoever is not the hypervisor's own memory may fault. */
		if (io->range.kind != VM_IO_HYPERVISOR && !io->range.fallible)
			return false;
	}
	return true;
}

static const struct live_space *space_of(struct store *store, const struct live_io *io)
{
	return registry_space(&store->registry, io->space);
}

static bool is_of_space(const struct vm_io_range *range)
{
	return range->kind == VM_IO_SPACE || range->kind == VM_IO_WINDOW_SPACE ||
	       range->kind == VM_IO_GUEST;
}

bool ios_have_spaces(struct store *store, struct witness *witness)
{
	const struct live_io *io;

	TAILQ_FOREACH(io, &store->ios, link)
	{
		witness->at = iaddr(io->range.cursor);
		if (is_of_space(&io->range) && space_of(store, io) == NULL)
			return false;
	}
	return true;
}

bool ios_fit_spaces(struct store *store, struct witness *witness)
{
	const struct live_io *io;

	TAILQ_FOREACH(io, &store->ios, link)
	{
		const struct live_space *space;
		uint64_t size = io->range.end - io->range.cursor;

		witness->at = iaddr(io->range.cursor);
		if (io->range.kind != VM_IO_SPACE || size == 0)
			continue;
		space = space_of(store, io);
		if (space == NULL)
			continue; /* S10 */

		uint64_t limit = walk_table_range(&space->table).end.value;

		if (io->range.cursor >= limit || size > limit - io->range.cursor)
			return false;
	}
	return true;
}

/* ---- Handles ------------------------------------------------------------------------------- */

/* Whether @holds holds of every handle of @kind. */
static bool each_handle(struct store *store, enum share_kind kind, struct witness *witness,
			bool (*holds)(const struct store *store, const struct handle *handle))
{
	const struct handle *handle;

	STORE_EACH_HANDLE(handle, store)
	{
		witness->at = iaddr(handle->pages.start.value);
		if (handle->kind == kind && !holds(store, handle))
			return false;
	}
	return true;
}

static bool is_one_page(const struct store *store, const struct handle *handle)
{
	(void)store;
	return prange_is_page_aligned(handle->pages) && prange_size(handle->pages) == PAGE_SIZE &&
	       page_is_memory(handle->pages.start);
}

static bool is_range(const struct store *store, const struct handle *handle)
{
	(void)store;
	return prange_is_page_aligned(handle->pages) && !prange_is_empty(handle->pages) &&
	       page_is_memory(handle->pages.start) &&
	       page_is_memory(paddr(handle->pages.end.value - PAGE_SIZE));
}

static bool has_shared_pages(const struct store *store, const struct handle *handle)
{
	for (uint64_t page = handle->pages.start.value; page < handle->pages.end.value;
	     page += PAGE_SIZE) {
		const struct page_record *record = regions_find(&store->regions, paddr(page));

		if (record == NULL || record->state != PAGE_SHARED)
			return false;
	}
	return true;
}

static bool has_unique_page(const struct store *store, const struct handle *handle)
{
	const struct page_record *record = regions_find(&store->regions, handle->pages.start);

	return record != NULL && record->state == PAGE_UNIQUE_OWNER && record->list == 0 &&
	       page_record_sum(record) == 0;
}

/* An invariant that says the same of every handle of a kind. */
#define OF_EACH_HANDLE(invariant, kind, holds)                                                     \
	bool invariant(struct store *store, struct witness *witness)                               \
	{                                                                                          \
		return each_handle(store, kind, witness, holds);                                   \
	}

OF_EACH_HANDLE(frames_are_pages, SHARE_FRAME, is_one_page)
OF_EACH_HANDLE(frames_are_shared, SHARE_FRAME, has_shared_pages)
OF_EACH_HANDLE(segments_are_ranges, SHARE_SEGMENT, is_range)
OF_EACH_HANDLE(segments_are_shared, SHARE_SEGMENT, has_shared_pages)
OF_EACH_HANDLE(uniques_are_pages, SHARE_UNIQUE_FRAME, is_one_page)
OF_EACH_HANDLE(uniques_are_unique, SHARE_UNIQUE_FRAME, has_unique_page)

bool handles_are_known(struct store *store, struct witness *witness)
{
	const struct handle *handle;
	uint64_t live[3] = { 0 };

	STORE_EACH_HANDLE(handle, store)
	live[handle->kind]++;
	for (unsigned int kind = 0; kind < 3; kind++) {
		witness->is = live[kind];
		witness->should_be = store->counts[kind];
		if (witness->is != witness->should_be)
			return false;
	}
	return true;
}

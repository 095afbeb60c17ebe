/* SPDX-License-Identifier: BSD-3-Clause */
/* S9 to S18: readers, writers and handles are what they should be, and of what exists. */
#include "invariant.h"

static bool is_memory(struct paddr page)
{
	struct page_state state;

	return page_state(page, &state) == MM_OK;
}

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

static const struct live_space *space_of(const struct store *store, const struct live_io *io)
{
	return registry_space((struct registry *)&store->registry, io->space);
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
	       is_memory(handle->pages.start);
}

static bool is_range(const struct store *store, const struct handle *handle)
{
	(void)store;
	return prange_is_page_aligned(handle->pages) && !prange_is_empty(handle->pages) &&
	       is_memory(handle->pages.start) &&
	       is_memory(paddr(handle->pages.end.value - PAGE_SIZE));
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

bool frames_are_pages(struct store *store, struct witness *witness)
{
	return each_handle(store, SHARE_FRAME, witness, is_one_page);
}

bool frames_are_shared(struct store *store, struct witness *witness)
{
	return each_handle(store, SHARE_FRAME, witness, has_shared_pages);
}

bool segments_are_ranges(struct store *store, struct witness *witness)
{
	return each_handle(store, SHARE_SEGMENT, witness, is_range);
}

bool segments_are_shared(struct store *store, struct witness *witness)
{
	return each_handle(store, SHARE_SEGMENT, witness, has_shared_pages);
}

bool uniques_are_pages(struct store *store, struct witness *witness)
{
	return each_handle(store, SHARE_UNIQUE_FRAME, witness, is_one_page);
}

bool uniques_are_unique(struct store *store, struct witness *witness)
{
	return each_handle(store, SHARE_UNIQUE_FRAME, witness, has_unique_page);
}

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

static bool is_inside_kvirt(const struct store *store, const struct live_area *area)
{
	const struct live_kvirt *kvirt = store_kvirt(store, area->kvirt);

	return kvirt == NULL ||
	       irange_contains(kvirt->range, irange(iaddr(area->range.start.value - AREA_GUARD),
						    iaddr(area->range.end.value + AREA_GUARD)));
}

bool areas_exclude(struct store *store, struct witness *witness)
{
	const struct live_area *area;

	LIST_FOREACH(area, &store->areas, link)
	{
		witness->at = area->range.start;
		if (store_area_beside(store, area) != NULL || !is_inside_kvirt(store, area))
			return false;
	}
	return true;
}

/* At both ends, and that nothing is beside them. */
static bool is_memory_exactly(const struct store *store, struct prange range)
{
	struct paddr before = paddr(range.start.value - PAGE_SIZE);

	return is_memory(range.start) && is_memory(paddr(range.end.value - PAGE_SIZE)) &&
	       is_memory(range.end) == (store_memory(store, page_range(range.end)) != NULL) &&
	       (range.start.value == 0 ||
		is_memory(before) == (store_memory(store, page_range(before)) != NULL));
}

bool memory_is_disjoint(struct store *store, struct witness *witness)
{
	const struct live_memory *memory;
	const struct live_memory *other;

	LIST_FOREACH(memory, &store->memory, link)
	{
		witness->at = iaddr(memory->range.start.value);
		if (!prange_is_page_aligned(memory->range) || prange_is_empty(memory->range) ||
		    !is_memory_exactly(store, memory->range))
			return false;
		LIST_FOREACH(other, &store->memory, link)
		{
			if (other != memory && prange_overlaps(other->range, memory->range))
				return false;
		}
	}
	return true;
}

/* Whether an area has all of @range. */
static bool has_area(const struct store *store, store_id space, struct irange range)
{
	const struct live_area *area;

	LIST_FOREACH(area, &store->areas, link)
	{
		if (area->space == space && irange_contains(area->range, range))
			return true;
	}
	return false;
}

bool areas_alone_are_mapped(struct store *store, struct witness *witness)
{
	const struct live_kvirt *kvirt;

	LIST_FOREACH(kvirt, &store->kvirts, link)
	{
		const struct live_space *space = store_space(store, kvirt->space);
		struct irange left = kvirt->range;
		struct mapping mapping;

		while (space != NULL && mappings_next_in(&space->state.mappings, left, &mapping)) {
			witness->at = mapping.range.start;
			if (!has_area(store, kvirt->space, mapping.range))
				return false;
			left.start = mapping.range.end;
		}
	}
	return true;
}

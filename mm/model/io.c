/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers and writers: what a transfer may say, how far it comes, what moves, and which bytes arrive.
 *
 * A range is a cursor and an end. What can be reached from a cursor on is the model's to say where it
 * knows the memory: the hypervisor's, all of it; a space's, page by page, by its mappings. Of a guest's
 * own addresses, and of EL2's live ones, only the rules of cursors and counts are checked.
 */
#include "io.h"

#include <arch/cpu.h>
#include <string.h>

#define OK STATUS_SET(MM_OK)

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t io_size(const struct vm_io_range *range)
{
	return range->end - range->cursor;
}

/* ---- What can be reached --------------------------------------------------------------------- */

/* What this CPU holds of the space may be in the way: of this page, it is. */
static status_set busy_statuses(const struct store *store, const struct live_space *space,
				struct iaddr address, status_set else_allowed)
{
	const struct open_cursor *cursor;

	LIST_FOREACH(cursor, &store->registry.cursors, link)
	{
		if (cursor->space != space || cursor->cpu != cpu_index())
			continue;
		if (irange_has(cursor->state.range, address))
			return STATUS_SET(MM_BUSY);
		else_allowed |= STATUS_SET(MM_BUSY);
	}
	return else_allowed;
}

/* What the page at @address says to an access of @access (enum page_flag). */
static status_set page_access(const struct store *store, const struct live_space *space,
			      struct iaddr address, uint8_t access, struct mapping *mapping)
{
	const uint8_t needed = access | PAGE_ACCESSED;
	enum mm_status status = MM_OK;

	if (!mappings_find(&space->state.mappings, address, mapping))
		status = MM_PAGE_FAULT;
	else if (!mapping->counted || mapping->property.cache == CACHE_DEVICE ||
		 mapping->property.cache == CACHE_UNCACHED)
		status = MM_ACCESS_DENIED;
	else if ((mapping->property.flags & needed) != needed)
		status = MM_PAGE_FAULT;
	return busy_statuses(store, space, address, STATUS_SET(status));
}

struct io_reach io_reach(struct store *store, const struct vm_io_range *range, uint8_t access,
			 uint64_t size)
{
	struct io_reach reach = { .size = size, .statuses = OK, .is_known = true };
	const struct live_space *space;

	if (range->kind == VM_IO_HYPERVISOR)
		return reach;
	space = range->kind == VM_IO_SPACE ? registry_space(&store->registry, range->space) : NULL;
	if (space == NULL || !store_alone(store))
		return (struct io_reach){ .size = size, .is_known = false };
	for (uint64_t done = 0; done < size;) {
		struct iaddr address = iaddr(range->cursor + done);
		struct mapping mapping;
		status_set statuses = page_access(store, space, address, access, &mapping);

		if (statuses != OK) {
			reach.size = done;
			reach.statuses = statuses;
			reach.is_known = !status_in(statuses, MM_OK);
			return reach;
		}
		done += PAGE_SIZE - (address.value & (PAGE_SIZE - 1));
	}
	return reach;
}

const uint8_t *io_bytes(struct store *store, const struct vm_io_range *range, uint64_t offset,
			uint64_t *length)
{
	const struct live_space *space;
	struct mapping mapping;
	uint64_t at = range->cursor + offset;

	if (range->kind == VM_IO_HYPERVISOR)
		return (const uint8_t *)(uintptr_t)at;
	space = range->kind == VM_IO_SPACE ? registry_space(&store->registry, range->space) : NULL;
	if (space == NULL || !mappings_find(&space->state.mappings, iaddr(at), &mapping))
		return NULL;
	*length = least(*length, PAGE_SIZE - (at & (PAGE_SIZE - 1)));
	return mm_linear(mapping_output(&mapping, iaddr(at)));
}

/* ---- Which bytes ----------------------------------------------------------------------------- */

static bool overlap(const uint8_t *a, const uint8_t *b, uint64_t size)
{
	return a < b + size && b < a + size;
}

bool io_copied(struct store *store, const struct vm_io_range *to, const struct vm_io_range *from,
	       uint64_t size, uint64_t *wrong)
{
	for (uint64_t done = 0; done < size;) {
		uint64_t part = size - done;
		const uint8_t *source = io_bytes(store, from, done, &part);
		const uint8_t *target = io_bytes(store, to, done, &part);

		if (source == NULL || target == NULL)
			return true; /* not known */
		if (!overlap(source, target, size) && memcmp(source, target, part) != 0) {
			*wrong = done;
			return false;
		}
		done += part;
	}
	return true;
}

bool io_filled(struct store *store, const struct vm_io_range *to, unsigned int element,
	       uint64_t value, uint64_t size, uint64_t *wrong)
{
	for (uint64_t done = 0; done < size;) {
		uint64_t part = size - done;
		const uint8_t *target = io_bytes(store, to, done, &part);

		if (target == NULL)
			return true;
		for (uint64_t i = 0; i < part; i++) {
			if (target[i] == (uint8_t)(value >> (8 * ((done + i) % element))))
				continue;
			*wrong = done + i;
			return false;
		}
		done += part;
	}
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "io_place.h"

#include "guest_walk.h"

#include <arch/cpu.h>
#include <arch/translation.h>
#include <string.h>

#define OK STATUS_SET(MM_OK)

static uint64_t to_page_end(uint64_t address)
{
	return PAGE_SIZE - (address & (PAGE_SIZE - 1));
}

static struct io_place nowhere(status_set statuses, uint64_t address)
{
	return (struct io_place){ statuses, NULL, to_page_end(address) };
}

/* What a mapping leads to, where that is memory whose bytes the linear map has as well. */
static const uint8_t *bytes_of(const struct mapping *mapping, struct iaddr address)
{
	struct paddr output = mapping_output(mapping, address);
	struct page_state state;

	if (page_state(paddr(output.value & ~(PAGE_SIZE - 1)), &state) != MM_OK ||
	    state.usage == PAGE_MMIO)
		return NULL;
	return mm_linear(output);
}

static bool is_cached(const struct mapping *mapping)
{
	return mapping->property.cache != CACHE_DEVICE && mapping->property.cache != CACHE_UNCACHED;
}

/* ---- Spaces -------------------------------------------------------------------------------- */

/* What this CPU holds of the space may be in the way: of this page, it is. */
static status_set busy_statuses(const struct store *store, const struct live_space *space,
				struct iaddr address, status_set else_allowed)
{
	const struct open_cursor *cursor;

	if (store_may_refuse(store, cpu_index()))
		else_allowed |= STATUS_SET(MM_BUSY);
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

/* What a CPU needs that may set flags by itself, and one that may not. */
static bool permits(const struct live_space *space, struct page_property property, uint8_t access)
{
	uint8_t needed = access | PAGE_ACCESSED;

	if (space->state.hardware_flags) {
		needed = access;
		if (property.flags & PAGE_DIRTY_STATE)
			needed &= (uint8_t)~PAGE_WRITE;
	}
	return (property.flags & needed) == needed;
}

static struct io_place place_in_space(const struct store *store, const struct live_space *space,
				      struct iaddr address, uint8_t access)
{
	struct io_place place = nowhere(OK, address.value);
	struct mapping mapping;

	if (!mappings_find(&space->state.mappings, address, &mapping))
		place.statuses = STATUS_SET(MM_PAGE_FAULT);
	else if (!mapping.counted || !is_cached(&mapping))
		place.statuses = STATUS_SET(MM_ACCESS_DENIED);
	else if (!permits(space, mapping.property, access))
		place.statuses = STATUS_SET(MM_PAGE_FAULT);
	else
		place.bytes = bytes_of(&mapping, address);
	place.statuses = busy_statuses(store, space, address, place.statuses);
	return place;
}

/* ---- Guests -------------------------------------------------------------------------------- */

struct reading {
	const struct store *store;
	const struct live_space *space;
	struct io_tables *tables;
};

static void note_table(struct io_tables *tables, const uint8_t *bytes)
{
	const uint8_t *page = bytes - ((uintptr_t)bytes & (PAGE_SIZE - 1));

	for (unsigned int i = 0; i < tables->count && i < IO_TABLES_MAX; i++)
		if (tables->pages[i] == page)
			return;
	if (tables->count < IO_TABLES_MAX)
		tables->pages[tables->count] = page;
	tables->count++;
}

static status_set read_descriptor(void *context, struct iaddr ipa, uint64_t *descriptor)
{
	const struct reading *reading = context;
	struct io_place place = place_in_space(reading->store, reading->space, ipa, PAGE_READ);

	if (place.statuses != OK)
		return place.statuses;
	if (place.bytes == NULL)
		return STATUS_ANY;
	note_table(reading->tables, place.bytes);
	memcpy(descriptor, place.bytes, sizeof(*descriptor));
	return OK;
}

static struct io_place place_of_guest(struct store *store, const struct vm_guest *guest,
				      uint64_t va, uint8_t access, struct io_tables *tables)
{
	struct reading reading = { store, registry_space(&store->registry, guest->space), tables };
	struct guest_walk walk = { guest, 0, read_descriptor, &reading };
	struct iaddr ipa;
	status_set statuses;

	/* A guest's CPU may be another one, and change its tables at any moment. */
	if (reading.space == NULL || !store_alone(store))
		return nowhere(STATUS_ANY, va);
	walk.pa_bits = reading.space->state.pa_bits;
	statuses = guest_walk_to(&walk, va, access, &ipa);
	return statuses == OK ? place_in_space(store, reading.space, ipa, access)
			      : nowhere(statuses, va);
}

bool io_is_table(const struct io_tables *tables, const struct io_place *place)
{
	const uint8_t *page = place->bytes - ((uintptr_t)place->bytes & (PAGE_SIZE - 1));

	for (unsigned int i = 0; i < tables->count && i < IO_TABLES_MAX; i++)
		if (tables->pages[i] == page)
			return true;
	return tables->count > IO_TABLES_MAX;
}

/* ---- EL2's own live addresses -------------------------------------------------------------- */

/* What the MMU may still have cached is not in the mappings: where a cursor is open, a change may wait
 * for its flush. */
static bool is_held(const struct store *store, const struct live_space *space, struct iaddr address)
{
	const struct open_cursor *cursor;

	LIST_FOREACH(cursor, &store->registry.cursors, link)
	{
		if (cursor->space == space && irange_has(cursor->state.range, address))
			return true;
	}
	return false;
}

static struct io_place place_by_mmu(const struct store *store, const struct live_space *space,
				    uint64_t address, uint8_t access)
{
	const uint8_t needed = access | PAGE_ACCESSED;
	struct io_place place = nowhere(OK, address);
	struct mapping mapping;

	if (is_held(store, space, iaddr(address)) || !store_alone(store))
		return nowhere(STATUS_ANY, address);
	if (!mappings_find(&space->state.mappings, iaddr(address), &mapping) ||
	    (mapping.property.flags & needed) != needed)
		return nowhere(STATUS_SET(MM_PAGE_FAULT), address);
	place.bytes = is_cached(&mapping) ? bytes_of(&mapping, iaddr(address)) : NULL;
	/* A device, or nothing at all, may abort. */
	return place.bytes == NULL ? nowhere(STATUS_ANY, address) : place;
}

/* The space whose part of the loaded Stage 1 has @address; NULL: not known. */
static const struct live_space *loaded_space(struct store *store, uint64_t address)
{
	const struct live_space *live;

	LIST_FOREACH(live, &store->registry.spaces, link)
	{
		if (live->table.stage != STAGE_1 || !el2_stage1_is(live->table.root))
			continue;
		if (live->el2 != NULL && address < VM_SPACE_WINDOW.start.value)
			return registry_space(&store->registry, live->el2);
		return live;
	}
	return NULL;
}

static struct io_place place_in_window(struct store *store, const struct vm_io_range *range,
				       uint64_t address, uint8_t access)
{
	const struct live_space *space = range->kind == VM_IO_WINDOW_SPACE
						 ? registry_space(&store->registry, range->space)
						 : loaded_space(store, address);

	if (space == NULL)
		return nowhere(STATUS_ANY, address);
	if (range->kind == VM_IO_WINDOW_SPACE && !(space->active_cpus >> cpu_index() & 1))
		return nowhere(STATUS_SET(MM_PAGE_FAULT), address);
	return place_by_mmu(store, space, address, access);
}

struct io_place io_place(struct store *store, const struct vm_io_range *range, uint64_t offset,
			 uint8_t access, struct io_tables *tables)
{
	const uint64_t address = range->cursor + offset;
	const struct live_space *space;

	switch ((enum vm_io_kind)range->kind) {
	case VM_IO_HYPERVISOR:
		return (struct io_place){ OK, (const uint8_t *)(uintptr_t)address,
					  to_page_end(address) };
	case VM_IO_SPACE:
		space = registry_space(&store->registry, range->space);
		return space == NULL || store->unseen
			       ? nowhere(STATUS_ANY, address)
			       : place_in_space(store, space, iaddr(address), access);
	case VM_IO_GUEST:
		return place_of_guest(store, range->guest, address, access, tables);
	case VM_IO_WINDOW:
	case VM_IO_WINDOW_SPACE:
		break;
	}
	return place_in_window(store, range, address, access);
}

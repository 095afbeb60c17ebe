/* SPDX-License-Identifier: BSD-3-Clause */
/* Areas: addresses of EL2, each with an unmapped page on either side, that nobody else gets. */
#include "accounting.h"
#include "one_step.h"

#include <inttypes.h>

#define OK STATUS_SET(MM_OK)
#define NO_MEMORY STATUS_SET(MM_NO_MEMORY)

/* Registers up to which it is looked whether one is memory. */
#define REGISTERS_MAX (UINT64_C(1) << 30)

/* ---- Statuses ------------------------------------------------------------------------------ */

static status_set new_statuses(struct store *store, const struct op *op)
{
	const struct live_space *space = store_space(store, op->space);
	struct mapping mapping;
	status_set open;

	if (space == NULL)
		return STATUS_ANY;
	if (!spec_is_el2s_own(&space->state))
		return STATUS_SET(MM_INVALID_ARGS);
	open = cursor_open_statuses(store, space, op);
	if (!status_in(open, MM_OK))
		return open;
	if (mappings_next_in(&space->state.mappings, op->range, &mapping))
		return (open & ~OK) | STATUS_SET(MM_EXISTS);
	return open | NO_MEMORY;
}

/* Who gives an area back says so before the addresses are free. */
static status_set destroy_statuses(const struct store *store, const struct op *op)
{
	const struct live_area *area;

	if (store_kvirt(store, op->kvirt) == NULL)
		return OK | STATUS_SET(MM_BUSY);
	LIST_FOREACH(area, &store->areas, link)
	{
		if (area->kvirt == op->kvirt)
			return STATUS_SET(MM_BUSY);
	}
	return OK | step_race(store, STATUS_SET(MM_BUSY));
}

/* Whether @size bytes from @start on, guard pages included, are nobody's. */
static bool is_free(const struct store *store, const struct live_kvirt *kvirt, struct iaddr start,
		    uint64_t size)
{
	const struct live_area *area;

	if (size > kvirt->range.end.value - start.value)
		return false;
	LIST_FOREACH(area, &store->areas, link)
	{
		if (area->kvirt == kvirt->name &&
		    start.value < area->range.end.value + AREA_GUARD &&
		    area->range.start.value - AREA_GUARD < start.value + size)
			return false;
	}
	return true;
}

/* If there is room at all, there is some where the range begins, or where an area ends. */
static bool has_room(const struct store *store, const struct live_kvirt *kvirt, uint64_t size)
{
	const struct live_area *area;

	if (is_free(store, kvirt, kvirt->range.start, size))
		return true;
	LIST_FOREACH(area, &store->areas, link)
	{
		if (area->kvirt == kvirt->name &&
		    is_free(store, kvirt, iaddr(area->range.end.value + AREA_GUARD), size))
			return true;
	}
	return false;
}

/* Whether the range of the areas has so many addresses, if all are free. */
static bool is_large_enough(const struct live_kvirt *kvirt, uint64_t length)
{
	uint64_t all = irange_size(kvirt->range);

	return all >= 2 * AREA_GUARD && length <= all - 2 * AREA_GUARD;
}

static status_set alloc_statuses(const struct store *store, const struct op *op)
{
	const struct live_kvirt *kvirt = store_kvirt(store, op->kvirt);

	if (op->length == 0)
		return STATUS_SET(MM_INVALID_ARGS);
	if (!is_page_aligned(op->length))
		return STATUS_SET(MM_NOT_ALIGNED);
	if (kvirt == NULL)
		return OK | STATUS_SET(MM_OUT_OF_BOUND) | NO_MEMORY;
	if (!is_large_enough(kvirt, op->length))
		return STATUS_SET(MM_OUT_OF_BOUND);
	return has_room(store, kvirt, op->length + 2 * AREA_GUARD) || !store_alone(store)
		       ? OK | NO_MEMORY
		       : NO_MEMORY;
}

static bool holds_cursor(const struct store *store, const struct op *op, store_id space)
{
	const struct open_cursor *open;

	LIST_FOREACH(open, &store->registry.cursors, link)
	{
		if (open->cpu == op->cpu && (store_id)(uintptr_t)open->space->space == space)
			return true;
	}
	return false;
}

/* The area itself is an operation before this one. */
static status_set io_mem_statuses(struct store *store, const struct op *op)
{
	const struct live_kvirt *kvirt = store_kvirt(store, op->kvirt);
	const struct live_space *space = kvirt == NULL ? NULL : store_space(store, kvirt->space);
	uint64_t size = op->pages.end.value - op->pages.start.value;
	status_set statuses = OK | NO_MEMORY;

	if (!prange_is_page_aligned(op->pages))
		return STATUS_SET(MM_NOT_ALIGNED);
	if (prange_is_empty(op->pages))
		return STATUS_SET(MM_INVALID_ARGS);
	if (size > REGISTERS_MAX)
		statuses |= STATUS_SET(MM_ACCESS_DENIED);
	else if (accounting_is_memory(store, op->pages))
		return STATUS_SET(MM_ACCESS_DENIED) | NO_MEMORY;
	if (space == NULL)
		return statuses | STATUS_SET(MM_OUT_OF_BOUND) | STATUS_SET(MM_BUSY);
	if (!is_large_enough(kvirt, size))
		return (statuses & ~OK) | STATUS_SET(MM_OUT_OF_BOUND);
	if (op->pages.end.value > UINT64_C(1) << space->state.pa_bits)
		statuses = (statuses & ~OK) | STATUS_SET(MM_OUT_OF_BOUND);
	if (holds_cursor(store, op, kvirt->space) || store_may_refuse(store, op->cpu))
		statuses |= STATUS_SET(MM_BUSY);
	return statuses;
}

status_set area_statuses(struct store *store, const struct op *op)
{
	switch ((enum area_operation)op->kind) {
	case OPERATION_KVIRT_NEW:
		return new_statuses(store, op);
	case OPERATION_KVIRT_DESTROY:
		return destroy_statuses(store, op);
	case OPERATION_AREA_ALLOC:
		return alloc_statuses(store, op);
	case OPERATION_IO_MEM_NEW:
		return io_mem_statuses(store, op);
	case OPERATION_AREA_DROP:
		return OK;
	}
	return STATUS_NONE;
}

/* ---- Steps --------------------------------------------------------------------------------- */

static void begin(const struct step *step)
{
	struct live_kvirt *kvirt = model_pool_take(&step->store->kvirt_pool);

	if (kvirt == NULL) {
		step->store->out_of_storage = true;
		return;
	}
	*kvirt = (struct live_kvirt){ .name = step->op->kvirt,
				      .space = step->op->space,
				      .range = step->op->range };
	LIST_INSERT_HEAD(&step->store->kvirts, kvirt, link);
}

static void end(const struct step *step)
{
	struct live_kvirt *kvirt = store_kvirt(step->store, step->op->kvirt);

	if (kvirt == NULL)
		return;
	LIST_REMOVE(kvirt, link);
	model_pool_give(&step->store->kvirt_pool, kvirt);
}

/* Where it is, is open; how large, and that it is nobody else's (X6), is not. */
static void alloc(const struct step *step)
{
	const struct op *op = step->op;
	const struct live_kvirt *kvirt = store_kvirt(step->store, op->kvirt);
	const uint64_t start = op->range.start.value - AREA_GUARD;
	struct live_area *area = model_pool_take(&step->store->area_pool);

	if (area == NULL) {
		step->store->out_of_storage = true;
		return;
	}
	*area = (struct live_area){
		.name = op->area, .space = op->space, .kvirt = op->kvirt, .range = op->range
	};
	LIST_INSERT_HEAD(&step->store->areas, area, link);
	if (irange_size(op->range) != op->length || !irange_is_page_aligned(op->range))
		difference(step->subject, op->range.start,
			   "%" PRIu64 " bytes, %" PRIu64 " were asked for", irange_size(op->range),
			   op->length);
	if (store_area_beside(step->store, area) != NULL)
		difference(step->subject, op->range.start,
			   "the area, or its guard page, is part of another");
	if (kvirt != NULL &&
	    !irange_contains(kvirt->range,
			     irange(iaddr(start), iaddr(op->range.end.value + AREA_GUARD))))
		difference(step->subject, op->range.start,
			   "the area, or its guard page, is not in the range that it comes from");
}

/* Before somebody else gets the addresses nothing is mapped there. */
static void drop(const struct step *step)
{
	struct live_area *area = store_area(step->store, step->op->area);
	const struct live_space *space;
	struct mapping mapping;

	if (area == NULL)
		return;
	space = store_space(step->store, area->space);
	if (space != NULL && mappings_next_in(&space->state.mappings, area->range, &mapping))
		difference(step->subject, mapping.range.start,
			   "given back, model says something is mapped there");
	LIST_REMOVE(area, link);
	model_pool_give(&step->store->area_pool, area);
}

/* The whole area is the registers, as a device. */
static void map_registers(const struct step *step)
{
	const struct page_property device =
		page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_DEVICE);
	const struct live_area *area = store_area(step->store, step->op->area);
	const struct live_space *space =
		area == NULL ? NULL : store_space(step->store, area->space);
	struct mapping mapping;

	if (store_kvirt(step->store, step->op->kvirt) == NULL || (area != NULL && space == NULL))
		return; /* made before the model started */
	if (area == NULL || !mappings_find(&space->state.mappings, area->range.start, &mapping) ||
	    !irange_contains(mapping.range, area->range) || mapping.counted ||
	    irange_size(area->range) != prange_size(step->op->pages) ||
	    mapping_output(&mapping, area->range.start).value != step->op->pages.start.value ||
	    !page_property_equal(mapping.property, device))
		difference(step->subject, area == NULL ? iaddr(0) : area->range.start,
			   "model says the registers are not what the area shows");
}

void area_step(const struct step *step)
{
	switch ((enum area_operation)step->op->kind) {
	case OPERATION_KVIRT_NEW:
		begin(step);
		break;
	case OPERATION_KVIRT_DESTROY:
		end(step);
		break;
	case OPERATION_AREA_ALLOC:
		alloc(step);
		break;
	case OPERATION_AREA_DROP:
		drop(step);
		break;
	case OPERATION_IO_MEM_NEW:
		map_registers(step);
		break;
	}
}

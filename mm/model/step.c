/* SPDX-License-Identifier: BSD-3-Clause */
#include "one_step.h"

static bool handle_exists(const struct store *store, const struct op *op, enum share_kind kind)
{
	const struct handle *handle = store_handle(store, op->handle);

	return handle != NULL && handle->kind == kind && !handle->raw;
}

/* A cursor stays on the CPU that opened it (strata/mm.h). */
static bool cursor_exists(const struct store *store, const struct op *op)
{
	const struct open_cursor *cursor;

	LIST_FOREACH(cursor, &store->registry.cursors, link)
	{
		if ((store_id)(uintptr_t)cursor->cursor == op->cursor)
			return cursor->cpu == op->cpu;
	}
	return false;
}

static bool space_exists(const struct store *store, store_id id)
{
	const struct live_space *space;

	LIST_FOREACH(space, &store->registry.spaces, link)
	{
		if ((store_id)(uintptr_t)space->space == id)
			return true;
	}
	return false;
}

/* A space that lives; 0 is the hypervisor. */
static bool owner_exists(const struct store *store, store_id id)
{
	return id == 0 || space_exists(store, id);
}

static bool owners_exist(const struct store *store, const struct op *op)
{
	for (uint64_t i = 0; i < op->count; i++) {
		if (!owner_exists(store, (uintptr_t)op->members[i]))
			return false;
	}
	return owner_exists(store, op->from) && owner_exists(store, op->to);
}

/* A place is a frame of the list, or the ghost. */
static bool place_exists(const struct store *store, const struct op *op)
{
	const struct live_list *list = store_list(store, (const void *)(uintptr_t)op->list);

	return op->place.value == PLACE_GHOST.value ||
	       (list != NULL && store_listed(list, op->place) != NULL);
}

bool op_pre(const struct store *store, const struct op *op)
{
	uint64_t arguments = op_information(op->kind)->arguments;

	if ((arguments & ARG_SPACE) && !space_exists(store, op->space))
		return false;
	if ((arguments & ARG_CURSOR) && !cursor_exists(store, op))
		return false;
	if ((arguments & ARG_FRAME) && !handle_exists(store, op, SHARE_FRAME))
		return false;
	if ((arguments & ARG_UNIQUE) && !handle_exists(store, op, SHARE_UNIQUE_FRAME))
		return false;
	if ((arguments & ARG_SEGMENT) && !handle_exists(store, op, SHARE_SEGMENT))
		return false;
	if ((arguments & ARG_OWNERS) && !owners_exist(store, op))
		return false;
	if ((arguments & ARG_SHARING) &&
	    owners_sharing(&store->owners, (const void *)(uintptr_t)op->sharing) == NULL)
		return false;
	if ((arguments & ARG_KVIRT) && store_kvirt(store, op->kvirt) == NULL)
		return false;
	if ((arguments & ARG_AREA) && store_area(store, op->area) == NULL)
		return false;
	if ((arguments & ARG_PLACE) && !place_exists(store, op))
		return false;
	switch (op->kind) {
	case OPERATION_LIST_NEW: /* one that has frames is dropped first */
		return store_list(store, (const void *)(uintptr_t)op->list) == NULL ||
		       store_list(store, (const void *)(uintptr_t)op->list)->size == 0;
	case OPERATION_FRAME_FROM_RAW:
		return store_raw_handle(store, SHARE_FRAME, op->pages) != NULL;
	case OPERATION_UNIQUE_FROM_RAW:
		return store_raw_handle(store, SHARE_UNIQUE_FRAME, op->pages) != NULL;
	case OPERATION_SEGMENT_FROM_RAW:
		return store_raw_handle(store, SHARE_SEGMENT, op->pages) != NULL;
	default:
		return true;
	}
}

status_set op_statuses(struct store *store, const struct op *op)
{
	switch (op_information(op->kind)->category) {
	case CATEGORY_SPACE:
		return space_statuses(store, op);
	case CATEGORY_CURSOR:
		return cursor_statuses(store, op);
	case CATEGORY_FRAME:
		return frame_statuses(store, op);
	case CATEGORY_UNIQUE:
		return unique_statuses(store, op);
	case CATEGORY_SEGMENT:
		return segment_statuses(store, op);
	case CATEGORY_LIST:
		return list_statuses(store, op);
	case CATEGORY_AREA:
		return area_statuses(store, op);
	case CATEGORY_SERVICE:
		return service_statuses(store, op);
	case CATEGORY_IO:
		return io_statuses(store, op);
	case CATEGORY_OWNER:
		return owner_statuses(store, op);
	case CATEGORY_MEMORY:
		return memory_statuses(store, op);
	default:
		return STATUS_SET(MM_OK);
	}
}

void op_step(struct store *store, const struct op *op, const struct op_outcome *observed,
	     struct op_outcome *expected)
{
	struct step step = {
		.store = store,
		.op = op,
		.observed = observed,
		.expected = expected,
		.subject = { .operation = op_information(op->kind)->function },
	};

	*expected = (struct op_outcome){ .status = observed->status, .place = PLACE_GHOST };
	switch (op_information(op->kind)->category) {
	case CATEGORY_CURSOR:
		cursor_step(&step);
		break;
	case CATEGORY_FLUSH:
		step.subject.operation = "flush";
		flush_step(&step);
		break;
	case CATEGORY_FRAME:
		frame_step(&step);
		break;
	case CATEGORY_UNIQUE:
		unique_step(&step);
		break;
	case CATEGORY_SEGMENT:
		segment_step(&step);
		break;
	case CATEGORY_AREA:
		area_step(&step);
		break;
	case CATEGORY_OWNER:
		owner_step(&step);
		break;
	case CATEGORY_MEMORY:
		memory_step(&step);
		break;
	case CATEGORY_LIST:
		list_step(&step);
		break;
	default:
		break;
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared frames: each handle is one reference. */
#include "one_step.h"

#define OK STATUS_SET(MM_OK)

/* From outside, one under construction for longer looks the same. */
static status_set unique_status(const struct page_record *record)
{
	bool known = record->unique != 0 || record->list != 0;

	return STATUS_SET(MM_UNIQUE) | (known ? 0 : STATUS_SET(MM_BUSY));
}

status_set page_from_unused_statuses(struct store *store, struct paddr page)
{
	enum mm_status status = step_page_status(store, page);
	const struct page_record *record;
	struct page_state now;

	if (status != MM_OK)
		return STATUS_SET(status);
	record = regions_find(&store->regions, page);
	if (record != NULL && record->state == PAGE_SHARED)
		return STATUS_SET(MM_IN_USE) |
		       step_race(store, OK | STATUS_SET(MM_UNIQUE) | STATUS_SET(MM_BUSY));
	if (record != NULL && record->state == PAGE_UNIQUE_OWNER)
		return unique_status(record) |
		       step_race(store, OK | STATUS_SET(MM_IN_USE) | STATUS_SET(MM_BUSY));
	/* Nobody's as far as frames go; if it is something else, that is what it is now. */
	if (page_state(page, &now) == MM_OK && now.usage != PAGE_UNUSED && now.usage != PAGE_FRAME)
		return STATUS_SET(MM_IN_USE) |
		       step_race(store, OK | STATUS_SET(MM_UNIQUE) | STATUS_SET(MM_BUSY));
	if (record == NULL && now.usage == PAGE_FRAME) /* before the model, or just now */
		return OK | STATUS_SET(MM_IN_USE) | STATUS_SET(MM_UNIQUE);
	return OK | step_race(store,
			      STATUS_SET(MM_IN_USE) | STATUS_SET(MM_UNIQUE) | STATUS_SET(MM_BUSY));
}

static status_set from_in_use_statuses(struct store *store, struct paddr page)
{
	const status_set race =
		step_race(store, OK | STATUS_SET(MM_UNUSED) | STATUS_SET(MM_UNIQUE) |
					 STATUS_SET(MM_BUSY) | STATUS_SET(MM_ACCESS_DENIED));
	enum mm_status status = step_page_status(store, page);
	const struct page_record *record;
	struct page_state now;

	if (status != MM_OK)
		return STATUS_SET(status);
	record = regions_find(&store->regions, page);
	if (record == NULL || record->state == PAGE_FREE) {
		if (page_state(page, &now) != MM_OK || now.usage == PAGE_UNUSED)
			return STATUS_SET(MM_UNUSED) | race;
		if (now.usage != PAGE_FRAME)
			/* Reserved pages have an owner that nobody knows; the state is not fixed. */
			return STATUS_SET(MM_ACCESS_DENIED) | STATUS_SET(MM_BUSY) | race;
		return OK | STATUS_SET(MM_UNIQUE) | race;
	}
	if (record->state == PAGE_UNIQUE_OWNER)
		return unique_status(record) | race;
	if (record->references >= FRAME_REFERENCES_MAX)
		return STATUS_SET(MM_SATURATED);
	return OK | race;
}

status_set frame_statuses(struct store *store, const struct op *op)
{
	switch ((enum frame_operation)op->kind) {
	case OPERATION_FRAME_ALLOC:
		return OK | STATUS_SET(MM_NO_MEMORY);
	case OPERATION_FRAME_FROM_UNUSED:
		return page_from_unused_statuses(store, op->pages.start);
	case OPERATION_FRAME_FROM_IN_USE:
		return from_in_use_statuses(store, op->pages.start);
	case OPERATION_FRAME_CLONE:
		return acquire_statuses(store, op->handle_pages);
	case OPERATION_FRAME_DROP:
	case OPERATION_FRAME_INTO_RAW:
	case OPERATION_FRAME_FROM_RAW:
	case OPERATION_FRAME_BORROW:
	case OPERATION_FRAME_REFERENCE_COUNT:
		return OK;
	}
	return STATUS_NONE;
}

static void begin(const struct step *step, struct prange page)
{
	step_begin_shared(step, page, step_new(step, 0, SHARE_FRAME));
	step_made(step, 0, SHARE_FRAME, page);
}

static void join(const struct step *step, struct prange page)
{
	step_move(step, page, COUNT_NOTHING, step_new(step, 0, SHARE_FRAME));
	step_made(step, 0, SHARE_FRAME, page);
}

/* What another CPU does between the look and its report, nobody knows. */
static void count(const struct step *step)
{
	const struct page_record *record =
		regions_find(&step->store->regions, step->op->handle_pages.start);
	bool known = record != NULL && record->state == PAGE_SHARED && store_alone(step->store);

	step->expected->result = known ? record->references : step->observed->result;
}

static void borrow(const struct step *step)
{
	const struct handle *handle = store_handle(step->store, step->op->handle);

	step->expected->result =
		handle != NULL ? handle->pages.start.value : step->op->handle_pages.start.value;
}

void frame_step(const struct step *step)
{
	const struct op *op = step->op;

	switch ((enum frame_operation)op->kind) {
	case OPERATION_FRAME_ALLOC: /* which page is open */
		begin(step, step->observed->made[0].pages);
		break;
	case OPERATION_FRAME_FROM_UNUSED:
		begin(step, op->pages);
		break;
	case OPERATION_FRAME_FROM_IN_USE:
		join(step, op->pages);
		break;
	case OPERATION_FRAME_CLONE:
		join(step, op->handle_pages);
		break;
	case OPERATION_FRAME_DROP:
		step_move(step, op->handle_pages, step_given(step), COUNT_NOTHING);
		step_end_handle(step);
		break;
	case OPERATION_FRAME_INTO_RAW:
		step_into_raw(step);
		break;
	case OPERATION_FRAME_FROM_RAW:
		step_from_raw(step, SHARE_FRAME);
		break;
	case OPERATION_FRAME_BORROW:
		borrow(step);
		break;
	case OPERATION_FRAME_REFERENCE_COUNT:
		count(step);
		break;
	}
}

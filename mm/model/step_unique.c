/* SPDX-License-Identifier: BSD-3-Clause */
/* Unique frames: the page has one owner and no reference. */
#include "one_step.h"

#include <inttypes.h>

status_set unique_statuses(struct store *store, const struct op *op)
{
	const struct page_record *record;

	switch ((enum unique_operation)op->kind) {
	case OPERATION_UNIQUE_ALLOC:
		return STATUS_SET(MM_OK) | STATUS_SET(MM_NO_MEMORY);
	case OPERATION_UNIQUE_FROM_UNUSED:
		return page_from_unused_statuses(store, op->pages.start);
	case OPERATION_UNIQUE_TRY_FROM_SHARED:
		record = store_page(store, op->handle_pages.start, 0);
		/* rc = 1 leaves room for one handle, and nothing else. */
		if (record == NULL || record->state != PAGE_SHARED)
			return STATUS_SET(MM_OK) | STATUS_SET(MM_IN_USE) |
			       STATUS_SET(MM_ACCESS_DENIED);
		if (record->references != 1)
			return STATUS_SET(MM_IN_USE);
		if (owner_is_open(record->owner))
			return STATUS_SET(MM_OK) | STATUS_SET(MM_ACCESS_DENIED) |
			       step_race(store, STATUS_SET(MM_IN_USE));
		/* Only what is the hypervisor's can be unique. */
		if (!owner_is_hypervisor(record->owner))
			return STATUS_SET(MM_ACCESS_DENIED) |
			       step_race(store, STATUS_SET(MM_IN_USE));
		return STATUS_SET(MM_OK) |
		       step_race(store, STATUS_SET(MM_IN_USE) | STATUS_SET(MM_ACCESS_DENIED));
	case OPERATION_UNIQUE_DROP:
	case OPERATION_UNIQUE_RESET_AS_UNUSED:
	case OPERATION_UNIQUE_INTO_SHARED:
	case OPERATION_UNIQUE_INTO_RAW:
	case OPERATION_UNIQUE_FROM_RAW:
	case OPERATION_UNIQUE_REPURPOSE:
	case OPERATION_UNIQUE_METADATA:
		return STATUS_SET(MM_OK);
	}
	return STATUS_NONE;
}

/* @as: what the page was until now. */
static void begin_unique(const struct step *step, struct prange page, enum page_knowledge as)
{
	struct page_record *record = store_page(step->store, page.start, 0);

	if (record == NULL)
		return;
	/* Named for the first time by this very operation: then it is as it says already. */
	bool is_new =
		record->state == PAGE_UNIQUE_OWNER && record->unique == 0 && record->list == 0;

	if (record->state == PAGE_OTHER)
		is_new = true;
	if (!is_new && record->state != as)
		difference(step->subject, iaddr(page.start.value),
			   "made unique, model says it has %" PRIu32 " references",
			   record->references);
	step_replace_record(step, record, 1,
			    (struct page_record){ .state = PAGE_UNIQUE_OWNER, .unique = 1 });
	record->metadata = step->op->metadata;
	step_made(step, 0, SHARE_UNIQUE_FRAME, page);
}

static void into_shared(const struct step *step)
{
	struct paddr page = step->op->handle_pages.start;
	struct page_record *record = store_page(step->store, page, 0);

	if (record != NULL) {
		const void *metadata = record->metadata;

		if (record->state != PAGE_UNIQUE_OWNER && record->before != 1)
			difference(step->subject, iaddr(page.value),
				   "model says the page is not unique");
		step_replace_record(step, record, 1,
				    (struct page_record){ .state = PAGE_SHARED,
							  .references = 1,
							  .handles = 1,
							  .metadata = metadata });
	}
	step_end_handle(step);
	step_made(step, 0, SHARE_FRAME, step->op->handle_pages);
}

static void try_from_shared(const struct step *step)
{
	struct page_record *record = store_page(step->store, step->op->handle_pages.start, 0);
	enum page_count given = step_given(step);
	struct page_record others;

	if (record == NULL)
		return;
	/* What is left of the counts is nothing, unless the page was others' too (S17). */
	others = *record;
	if (given == COUNT_HANDLES && others.handles > 0)
		others.handles--;
	else if (others.before > 0)
		others.before--;
	step_end_handle(step);
	begin_unique(step, step->op->handle_pages, PAGE_SHARED);
	others.state = PAGE_UNIQUE_OWNER;
	others.unique = 1;
	others.references = 0;
	others.owner = record->owner; /* it has left whoever had it */
	*record = others;
}

void unique_step(const struct step *step)
{
	const struct op *op = step->op;
	struct page_record *record;

	switch ((enum unique_operation)op->kind) {
	case OPERATION_UNIQUE_ALLOC:
		begin_unique(step, step->observed->made[0].pages, PAGE_FREE);
		break;
	case OPERATION_UNIQUE_FROM_UNUSED:
		begin_unique(step, op->pages, PAGE_FREE);
		break;
	case OPERATION_UNIQUE_DROP:
		step_end_unique(step, op->handle_pages.start);
		step_end_handle(step);
		break;
	case OPERATION_UNIQUE_RESET_AS_UNUSED:
		step_end_unique(step, op->handle_pages.start);
		step_end_handle(step);
		record = store_page(step->store, op->handle_pages.start, 0);
		if (record != NULL)
			record->withheld = 1;
		break;
	case OPERATION_UNIQUE_INTO_SHARED:
		into_shared(step);
		break;
	case OPERATION_UNIQUE_TRY_FROM_SHARED:
		try_from_shared(step);
		break;
	case OPERATION_UNIQUE_INTO_RAW:
		step_into_raw(step);
		break;
	case OPERATION_UNIQUE_FROM_RAW:
		step_from_raw(step, SHARE_UNIQUE_FRAME);
		break;
	case OPERATION_UNIQUE_REPURPOSE:
		record = store_page(step->store, op->handle_pages.start, 0);
		if (record != NULL)
			record->metadata = op->metadata;
		break;
	case OPERATION_UNIQUE_METADATA:
		record = store_page(step->store, op->handle_pages.start, 0);
		if (record != NULL && store_handle(step->store, op->handle) != NULL)
			step->expected->metadata = record->metadata;
		break;
	}
}

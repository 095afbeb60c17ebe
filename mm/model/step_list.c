/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of unique frames: a sequence of pages. The list owns them (L), and nobody else does.
 *
 * A place is a frame of the list, or the ghost, past the last and before the first. A place is named by
 * its page, so a cursor of the subsystem is no object here: it is a place that its user remembers.
 */
#include "one_step.h"

static struct paddr place_of(const struct listed *listed)
{
	return listed == NULL ? PLACE_GHOST : listed->page;
}

static struct live_list *list_of(const struct store *store, store_id id)
{
	return store_list(store, (const void *)(uintptr_t)id);
}

status_set list_statuses(struct store *store, const struct op *op)
{
	const struct page_record *record;

	switch ((enum list_operation)op->kind) {
	case OPERATION_LIST_PUSH_FRONT:
	case OPERATION_LIST_PUSH_BACK:
	case OPERATION_LIST_CURSOR_INSERT_BEFORE:
		record = store_page(store, op->handle_pages.start, 0);
		if (record != NULL && record->metadata != NULL)
			return STATUS_SET(MM_IN_USE);
		return STATUS_SET(MM_OK) | STATUS_SET(MM_NO_MEMORY);
	case OPERATION_LIST_NEW:
	case OPERATION_LIST_DROP:
	case OPERATION_LIST_SIZE:
	case OPERATION_LIST_IS_EMPTY:
	case OPERATION_LIST_CONTAINS:
	case OPERATION_LIST_POP_FRONT:
	case OPERATION_LIST_POP_BACK:
	case OPERATION_LIST_CURSOR_FRONT:
	case OPERATION_LIST_CURSOR_BACK:
	case OPERATION_LIST_CURSOR_AT:
	case OPERATION_LIST_CURSOR_CURRENT:
	case OPERATION_LIST_CURSOR_MOVE_NEXT:
	case OPERATION_LIST_CURSOR_MOVE_PREV:
	case OPERATION_LIST_CURSOR_TAKE:
		return STATUS_SET(MM_OK);
	}
	return STATUS_NONE;
}

/* Before @next; NULL: after the last. */
static void insert(const struct step *step, struct live_list *list, struct listed *next)
{
	struct paddr page = step->op->handle_pages.start;
	struct page_record *record = store_page(step->store, page, 0);
	struct listed *listed = model_pool_take(&step->store->listed_pool);

	if (record == NULL || listed == NULL) {
		step->store->out_of_storage = true;
		return;
	}
	if (record->state != PAGE_UNIQUE_OWNER || record->list != 0)
		difference(step->subject, iaddr(page.value), "model says the page is not unique");
	*record = (struct page_record){ .state = PAGE_UNIQUE_OWNER, .list = list->number };
	step_end_handle(step);
	listed->page = page;
	if (next == NULL)
		TAILQ_INSERT_TAIL(&list->frames, listed, link);
	else
		TAILQ_INSERT_BEFORE(next, listed, link);
	list->size++;
}

/* NULL: the list is empty, or the place is the ghost. */
static void take(const struct step *step, struct live_list *list, struct listed *listed)
{
	struct page_record *record;

	if (listed == NULL)
		return;

	struct paddr page = listed->page;

	step->expected->answer = true;
	TAILQ_REMOVE(&list->frames, listed, link);
	model_pool_give(&step->store->listed_pool, listed);
	list->size--;
	record = store_page(step->store, page, 0);
	if (record != NULL)
		*record = (struct page_record){ .state = PAGE_UNIQUE_OWNER, .unique = 1 };
	step_made(step, 0, SHARE_UNIQUE_FRAME, page_range(page));
}

static void drop(const struct step *step, struct live_list *list)
{
	struct listed *listed;

	TAILQ_FOREACH(listed, &list->frames, link)
	step_end_unique(step, listed->page);
	store_remove_list(step->store, list);
	store_add_list(step->store, (const void *)(uintptr_t)step->op->list);
}

static void move(const struct step *step, const struct live_list *list)
{
	bool next = step->op->kind == OPERATION_LIST_CURSOR_MOVE_NEXT;
	const struct listed *at = store_listed(list, step->op->place);

	if (at == NULL)
		at = next ? TAILQ_FIRST(&list->frames) : TAILQ_LAST(&list->frames, listed_sequence);
	else
		at = next ? TAILQ_NEXT(at, link) : TAILQ_PREV(at, listed_sequence, link);
	step->expected->place = place_of(at);
}

void list_step(const struct step *step)
{
	const struct op *op = step->op;
	struct live_list *list = list_of(step->store, op->list);
	struct listed *at;

	if (list == NULL)
		list = store_add_list(step->store, (const void *)(uintptr_t)op->list);
	if (list == NULL)
		return;
	at = store_listed(list, op->place);
	switch ((enum list_operation)op->kind) {
	case OPERATION_LIST_NEW: /* it is there, and empty */
		break;
	case OPERATION_LIST_DROP:
		drop(step, list);
		break;
	case OPERATION_LIST_CONTAINS:
		step->expected->answer = at != NULL;
		break;
	case OPERATION_LIST_PUSH_FRONT:
		insert(step, list, TAILQ_FIRST(&list->frames));
		break;
	case OPERATION_LIST_PUSH_BACK:
		insert(step, list, NULL);
		break;
	case OPERATION_LIST_CURSOR_INSERT_BEFORE:
		insert(step, list, at);
		break;
	case OPERATION_LIST_POP_FRONT:
		take(step, list, TAILQ_FIRST(&list->frames));
		break;
	case OPERATION_LIST_POP_BACK:
		take(step, list, TAILQ_LAST(&list->frames, listed_sequence));
		break;
	case OPERATION_LIST_CURSOR_TAKE:
		step->expected->place = place_of(at == NULL ? NULL : TAILQ_NEXT(at, link));
		take(step, list, at);
		break;
	case OPERATION_LIST_CURSOR_FRONT:
		step->expected->place = place_of(TAILQ_FIRST(&list->frames));
		break;
	case OPERATION_LIST_CURSOR_BACK:
		step->expected->place = place_of(TAILQ_LAST(&list->frames, listed_sequence));
		break;
	case OPERATION_LIST_CURSOR_AT:
		step->expected->answer = at != NULL;
		step->expected->place = place_of(at);
		break;
	case OPERATION_LIST_CURSOR_MOVE_NEXT:
	case OPERATION_LIST_CURSOR_MOVE_PREV:
		move(step, list);
		break;
	case OPERATION_LIST_SIZE:
		step->expected->result = list->size;
		break;
	case OPERATION_LIST_IS_EMPTY:
		step->expected->answer = list->size == 0;
		break;
	case OPERATION_LIST_CURSOR_CURRENT:
		step->expected->answer = at != NULL;
		step->expected->place = place_of(at);
		break;
	}
}

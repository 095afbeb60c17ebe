/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flushes: what is parked behind them (T), and that nothing leaves before its translation is gone.
 *
 *	issue		pages lose a table entry, P becomes T; their translation may still be cached
 *	dispatch	what was issued is invalidated on every CPU: no translation is left
 *	sync		T ends, for pages that were dispatched; a page that nobody else has is free
 */
#include "one_step.h"

#include <inttypes.h>

static void issue(const struct step *step, struct live_gather *gather)
{
	struct parked_run *run = model_pool_take(&step->store->run_pool);

	if (run == NULL) {
		step->store->out_of_storage = true;
		return;
	}
	run->pages = step->op->pages;
	run->dispatched = step->op->dispatched;
	LIST_INSERT_HEAD(&gather->runs, run, link);
	gather->issued_pages += prange_size(run->pages) >> PAGE_SHIFT;
	step_move(step, run->pages, COUNT_ENTRIES, COUNT_PARKED);
}

/* A run of the gather that has @page. A page may be parked twice: the run that was dispatched first. */
static struct parked_run *run_of(const struct live_gather *gather, struct paddr page)
{
	struct parked_run *run;
	struct parked_run *found = NULL;

	LIST_FOREACH(run, &gather->runs, link)
	{
		if (page.value - run->pages.start.value >= prange_size(run->pages))
			continue;
		if (run->dispatched)
			return run;
		found = run;
	}
	return found;
}

/* Takes @part, which begins in @run, out of it; returns how far it goes. */
static struct paddr cut(const struct step *step, struct parked_run *run, struct prange part)
{
	struct prange whole = run->pages;

	if (whole.end.value < part.end.value)
		part.end = whole.end;
	if (whole.start.value < part.start.value && part.end.value < whole.end.value) {
		struct parked_run *upper = model_pool_take(&step->store->run_pool);

		if (upper == NULL) {
			step->store->out_of_storage = true;
			return part.end;
		}
		upper->pages = prange(part.end, whole.end);
		upper->dispatched = run->dispatched;
		LIST_INSERT_AFTER(run, upper, link);
		run->pages.end = part.start;
	} else if (whole.start.value < part.start.value) {
		run->pages.end = part.start;
	} else if (part.end.value < whole.end.value) {
		run->pages.start = part.end;
	} else {
		LIST_REMOVE(run, link);
		model_pool_give(&step->store->run_pool, run);
	}
	return part.end;
}

static void sync(const struct step *step, struct live_gather *gather)
{
	struct prange left = step->op->pages;

	while (left.start.value < left.end.value) {
		struct parked_run *run = run_of(gather, left.start);

		if (run == NULL) {
			difference(step->subject, iaddr(left.start.value),
				   "dropped by a flush, model says it is not parked there");
			return;
		}
		if (!run->dispatched)
			difference(step->subject, iaddr(left.start.value),
				   "dropped while a CPU may still have its translation");
		left.start = cut(step, run, left);
	}
	step_move(step, step->op->pages, COUNT_PARKED, COUNT_NOTHING);
}

/* None is refused. */
status_set flush_statuses(const struct op *op)
{
	switch ((enum flush_operation)op->kind) {
	case OPERATION_CURSOR_FLUSH:
	case OPERATION_FLUSH_ISSUE:
	case OPERATION_FLUSH_DISPATCH:
	case OPERATION_FLUSH_SYNC:
		return STATUS_SET(MM_OK);
	}
	return STATUS_NONE;
}

void flush_step(const struct step *step)
{
	const struct op *op = step->op;
	const void *name = (const void *)(uintptr_t)op->gather;
	struct live_gather *gather = store_gather(step->store, name);
	struct parked_run *run;

	if (gather == NULL && op->kind == OPERATION_FLUSH_ISSUE)
		gather = store_add_gather(step->store, name, (const void *)(uintptr_t)op->space);
	if (gather == NULL) {
		if (op->kind == OPERATION_FLUSH_SYNC)
			difference(step->subject, iaddr(op->pages.start.value),
				   "dropped by a flush, model says it is not parked");
		return;
	}
	switch ((enum flush_operation)op->kind) {
	case OPERATION_FLUSH_ISSUE:
		gather->space = (const void *)(uintptr_t)op->space;
		issue(step, gather);
		break;
	case OPERATION_FLUSH_DISPATCH:
		LIST_FOREACH(run, &gather->runs, link)
		run->dispatched = true;
		break;
	case OPERATION_FLUSH_SYNC:
		sync(step, gather);
		break;
	case OPERATION_CURSOR_FLUSH: /* these three: what it leaves is looked at (check_cursor.c) */
		break;
	}
	if (gather->issued_pages == 0 && LIST_EMPTY(&gather->runs))
		store_remove_gather(step->store, gather);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "one_step.h"

#include <inttypes.h>

static const char *const count_names[] = { "",	      "unnamed", "handle", "table entry",
					   "segment", "parked" };

static uint32_t *count_in(struct page_record *record, enum page_count count)
{
	switch (count) {
	case COUNT_BEFORE:
		return &record->before;
	case COUNT_HANDLES:
		return &record->handles;
	case COUNT_ENTRIES:
		return &record->entries;
	case COUNT_COVERS:
		return &record->covers;
	case COUNT_PARKED:
		return &record->parked;
	case COUNT_NOTHING:
		break;
	}
	return NULL;
}

/* One reference less of that count. What was mapped before the model began is not known as such. */
static bool take_out(struct page_record *record, enum page_count from)
{
	uint32_t *count = count_in(record, from);

	if (*count == 0 && from == COUNT_ENTRIES)
		count = &record->before;
	if (*count == 0)
		return false;
	(*count)--;
	return true;
}

void step_replace_record(const struct step *step, struct page_record *record, uint64_t count,
			 struct page_record value)
{
	owners_give(&step->store->owners, record, count, NULL);
	*record = value;
}

/* @record: of the page at @page and perhaps of others like it, @count in all. */
static void move(const struct step *step, struct page_record *record, uint64_t count,
		 struct paddr page, enum page_count from, enum page_count to)
{
	if (record->state != PAGE_SHARED) {
		difference(step->subject, iaddr(page.value),
			   "model says the page is %s, so no reference to it can be %s",
			   record->state == PAGE_UNIQUE_OWNER ? "unique" : "no frame in use",
			   from == COUNT_NOTHING ? "taken" : "given up");
		return;
	}
	if (from == COUNT_NOTHING) {
		record->references++;
	} else if (!take_out(record, from)) {
		difference(step->subject, iaddr(page.value), "model knows of no %s reference to it",
			   count_names[from]);
		return;
	}
	if (to != COUNT_NOTHING) {
		(*count_in(record, to))++;
	} else if (--record->references == 0) {
		step_replace_record(step, record, count,
				    (struct page_record){ .state = PAGE_FREE });
	}
}

void step_move(const struct step *step, struct prange pages, enum page_count from,
	       enum page_count to)
{
	uint64_t count;

	for (; pages.start.value < pages.end.value; pages.start.value += count << PAGE_SHIFT) {
		struct page_record *record =
			store_pages(step->store, pages, from == COUNT_NOTHING ? 1 : 0, &count);

		if (record != NULL)
			move(step, record, count, pages.start, from, to);
	}
}

void step_begin_shared(const struct step *step, struct prange pages, enum page_count as)
{
	uint64_t count;

	for (; pages.start.value < pages.end.value; pages.start.value += count << PAGE_SHIFT) {
		struct page_record *record = store_pages(step->store, pages, 1, &count);

		if (record == NULL)
			continue;
		if (record->state == PAGE_SHARED || record->state == PAGE_UNIQUE_OWNER)
			difference(step->subject, iaddr(pages.start.value),
				   "taken as free, model says it has %" PRIu32 " references",
				   record->references);
		step_replace_record(step, record, count,
				    (struct page_record){ .state = PAGE_SHARED, .references = 1 });
		(*count_in(record, as))++;
	}
}

void step_end_unique(const struct step *step, struct paddr page)
{
	struct page_record *record = store_page(step->store, page, 0);

	if (record == NULL)
		return;
	if (record->state != PAGE_UNIQUE_OWNER)
		difference(step->subject, iaddr(page.value), "model says the page is not unique");
	step_replace_record(step, record, 1, (struct page_record){ .state = PAGE_FREE });
}

static enum page_count count_of(enum share_kind kind)
{
	return kind == SHARE_SEGMENT ? COUNT_COVERS : COUNT_HANDLES;
}

enum page_count step_given(const struct step *step)
{
	const struct handle *handle = store_handle(step->store, step->op->handle);

	return handle == NULL ? COUNT_BEFORE : count_of(handle->kind);
}

enum page_count step_new(const struct step *step, unsigned int index, enum share_kind kind)
{
	return step->observed->made[index].id == 0 ? COUNT_BEFORE : count_of(kind);
}

void step_made(const struct step *step, unsigned int index, enum share_kind kind,
	       struct prange pages)
{
	struct op_made *made = &step->expected->made[index];

	*made = (struct op_made){ step->observed->made[index].id, kind, pages };
	if (made->id != 0 && store_handle(step->store, made->id) != NULL)
		difference(step->subject, iaddr(pages.start.value),
			   "the new handle has the id of one that lives");
	store_add_handle(step->store, made);
}

void step_end_handle(const struct step *step)
{
	struct handle *handle = store_handle(step->store, step->op->handle);

	if (handle != NULL)
		store_remove_handle(step->store, handle);
}

void step_into_raw(const struct step *step)
{
	struct handle *handle = store_handle(step->store, step->op->handle);

	if (handle == NULL)
		return;
	handle->raw = true;
	LIST_INSERT_HEAD(&step->store->raw, handle, raw_link);
}

void step_from_raw(const struct step *step, enum share_kind kind)
{
	struct handle *raw = store_raw_handle(step->store, kind, step->op->pages);

	/* Who had no name may get one, and the other way round. */
	enum page_count was = raw == NULL ? COUNT_BEFORE : count_of(kind);

	if (kind != SHARE_UNIQUE_FRAME && was != step_new(step, 0, kind))
		step_move(step, step->op->pages, was, step_new(step, 0, kind));
	if (raw != NULL)
		store_remove_handle(step->store, raw);
	step_made(step, 0, kind, step->op->pages);
}

status_set step_race(const struct store *store, status_set statuses)
{
	return store_alone(store) ? 0 : statuses;
}

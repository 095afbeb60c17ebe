/* SPDX-License-Identifier: BSD-3-Clause */
/* One step, while it is made: what the step_ files, one for each category, share. */
#pragma once

#include "step.h"

struct step {
	struct store *store;
	const struct op *op;
	const struct op_outcome *observed;
	struct op_outcome *expected;
	struct subject subject;
};

/* Which of a page's counts; COUNT_NOTHING is outside of all of them. */
enum page_count {
	COUNT_NOTHING,
	COUNT_BEFORE,  /* B: of handles that nobody can name */
	COUNT_HANDLES, /* H */
	COUNT_ENTRIES, /* P */
	COUNT_COVERS,  /* C */
	COUNT_PARKED,  /* T */
};

/*
 * Moves one reference to each page of @pages from one count to the other. From COUNT_NOTHING it is one
 * that was not there before, to COUNT_NOTHING one that is not there afterwards: a page that has none
 * left is free. Tells a reference that is not there.
 */
void step_move(const struct step *step, struct prange pages, enum page_count from,
	       enum page_count to);

/* Makes pages that nobody has shared, with one reference each; tells those that somebody has. */
void step_begin_shared(const struct step *step, struct prange pages, enum page_count as);

/* @record, of @count pages that are alike, becomes @value; whoever owned them loses them. */
void step_replace_record(const struct step *step, struct page_record *record, uint64_t count,
			 struct page_record value);

/* Makes the page nobody's; tells other owners. */
void step_end_unique(const struct step *step, struct paddr page);

/* What counts the handle that the operation was given, and the one that it makes: H, C, or B. */
enum page_count step_given(const struct step *step);
enum page_count step_new(const struct step *step, unsigned int index, enum share_kind kind);

/* Takes the made handle @index of what was observed, which is for @pages, as the one expected. */
void step_made(const struct step *step, unsigned int index, enum share_kind kind,
	       struct prange pages);

/* Ends the handle that the operation was given; tells one that does not live. */
void step_end_handle(const struct step *step);

/* The handle that the operation was given forgets its id; and one to op->pages gets a new one. */
void step_into_raw(const struct step *step);
void step_from_raw(const struct step *step, enum share_kind kind);

/* What was asked for an address that may be no page at all; MM_OK: it is one of memory. */
enum mm_status step_page_status(const struct store *store, struct paddr page);

/* Statuses that somebody else's operation, in flight on another CPU, may cause. */
status_set step_race(const struct store *store, status_set statuses);

/* The statuses of taking the page at @page, which should be free; also for unique frames. */
status_set page_from_unused_statuses(struct store *store, struct paddr page);

/* The statuses of one more reference to each of @pages: some may not be able to take it. */
status_set acquire_statuses(const struct store *store, struct prange pages);

status_set frame_statuses(struct store *store, const struct op *op);
void frame_step(const struct step *step);
status_set unique_statuses(struct store *store, const struct op *op);
void unique_step(const struct step *step);
status_set segment_statuses(struct store *store, const struct op *op);
void segment_step(const struct step *step);
status_set list_statuses(struct store *store, const struct op *op);
void list_step(const struct step *step);
status_set memory_statuses(const struct store *store, const struct op *op);
void memory_step(const struct step *step);
status_set owner_statuses(struct store *store, const struct op *op);
void owner_step(const struct step *step);
status_set area_statuses(struct store *store, const struct op *op);
void area_step(const struct step *step);
/* Of opening a cursor on op->range, whatever the operation. */
status_set cursor_open_statuses(struct store *store, const struct live_space *space,
				const struct op *op);
status_set service_statuses(struct store *store, const struct op *op);
/* Of a change of properties in @range, whatever they are now: as of none. */
status_set property_statuses(const struct open_cursor *cursor, struct irange range);
/* Of a dirty log's, at @cursor. @log is NULL if it does not run. */
status_set log_start_statuses(const struct open_cursor *cursor, const struct op *op);
status_set log_fault_statuses(const struct open_cursor *cursor, const struct live_log *log);
status_set log_take_statuses(const struct open_cursor *cursor, const struct live_log *log);
status_set log_stop_statuses(const struct open_cursor *cursor, const struct live_log *log);
status_set io_statuses(struct store *store, const struct op *op);
status_set space_statuses(struct store *store, const struct op *op);
status_set cursor_statuses(struct store *store, const struct op *op);
void cursor_step(const struct step *step);
status_set flush_statuses(const struct op *op);
void flush_step(const struct step *step);

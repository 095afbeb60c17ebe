/* SPDX-License-Identifier: BSD-3-Clause */
/* One operation on an open cursor, while it is checked. */
#pragma once

#include "checker.h"
#include "step.h"

struct cursor_check {
	struct checker *checker;
	const struct mm_operation *operation;
	struct op op; /* the same */
	struct live_space *space;
	struct open_cursor *open;
	struct subject subject;
	struct irange affected; /* where the table is compared afterwards */
};

/* Whether the status is right and says that the state makes its step. */
static inline bool check_succeeded(const struct cursor_check *check)
{
	status_set allowed = op_statuses(&check->checker->store, &check->op);

	return check_status(check->subject, check->operation, allowed) &&
	       check->operation->status == MM_OK;
}

/* The same, of operations that are followed where they did what they may not (follow.h). */
static inline bool check_done(const struct cursor_check *check)
{
	check_status(check->subject, check->operation,
		     op_statuses(&check->checker->store, &check->op));
	return check->operation->status == MM_OK;
}

/*
 * Steps the store's counts for what the operation mapped or handed out, and compares the references of
 * those pages.
 */
void check_references(struct cursor_check *check);

/* The same for a space that is not known: what it maps is held by nobody that can be named. */
void check_references_elsewhere(struct checker *checker, const struct mm_operation *operation);

/* The operations that change the table. Each steps the state and says what is affected. */
void check_map(struct cursor_check *check);
void check_replace(struct cursor_check *check);
void check_unmap(struct cursor_check *check);
void check_protect(struct cursor_check *check);
void check_protect_next(struct cursor_check *check);

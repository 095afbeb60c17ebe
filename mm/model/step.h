/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The store machine: when an operation may be asked for, which statuses it may have, and what it does.
 *
 *	op_pre		its objects live, and are the caller's to ask with: what the headers want of him.
 *			Without that nothing is promised, and nobody may ask: a difference, whatever the
 *			status. It is asked of every report before anything else (lockstep.c).
 *	op_statuses	the statuses that are right for it now, of every row of ops.def; STATUS_ANY for
 *			objects that the store does not know. An operation that can only be refused is
 *			legal, and changes nothing.
 *	op_step		on success: the one change of the store, and what is returned
 *
 * Everything here depends on the store and the operation alone (and, for pages that are no frames, on
 * what page_state says that they are). Each category has its file, step_<category>.c.
 */
#pragma once

#include "difference.h"
#include "store.h"

/* NULL: it may be asked for; else what it lacks. What the store does not know lacks nothing. */
const char *op_pre(const struct store *store, const struct op *op);

status_set op_statuses(struct store *store, const struct op *op);

/*
 * Makes the step that @observed, of a status in op_statuses, says was made; @expected becomes what the
 * machine says that it is. What can not be is told as a difference.
 */
void op_step(struct store *store, const struct op *op, const struct op_outcome *observed,
	     struct op_outcome *expected);

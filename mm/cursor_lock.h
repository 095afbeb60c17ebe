/* SPDX-License-Identifier: BSD-3-Clause */
/* The locking protocol of cursors: strata/cursor.h says it in words. */
#pragma once

#include "cursor_private.h"

struct covering {
	struct table table;
	struct irange span;
};

/* Finds the covering node of @range, at @deepest_level or nearer the root, and locks it and what lies
 * below. False, with nothing locked, if this CPU holds one of the nodes already. */
bool cursor_lock(const struct vm_space *space, struct irange range, int deepest_level,
		 struct covering *covering);

/* Makes a cursor, with nothing gathered, of a range that is locked. */
void cursor_begin(struct cursor *cursor, struct vm_space *space, struct irange range,
		  enum cursor_access access, const struct covering *covering);

void cursor_unlock(struct cursor *cursor);

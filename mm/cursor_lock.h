/* SPDX-License-Identifier: BSD-3-Clause */
/* The locking protocol of cursors: strata/cursor.h says it in words. */
#pragma once

#include "cursor_private.h"

/* Finds the covering node of @cursor's range, at @deepest_level or nearer the root, and locks it and
 * what lies below. False, with nothing locked, if this CPU holds one of the nodes already. */
bool cursor_lock(struct cursor *cursor, int deepest_level);

void cursor_unlock(struct cursor *cursor);

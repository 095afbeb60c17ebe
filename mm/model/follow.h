/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * After a difference: the store becomes what the subsystem was seen to be, where one operation shows
 * it. So what is wrong is told once and not at each operation that comes after; and the invariants,
 * which hold of whatever the steps make, can be asked of what is there (check_consequences).
 */
#pragma once

#include "store.h"

#include <strata/frame.h>

/* The page has that usage and those references. Who holds it is as it was. */
void follow_page(struct store *store, struct paddr page, const struct page_state *now);

/* The page's owner is whom the subsystem names; how many pages each was given is as it was. */
void follow_owner(struct store *store, struct paddr page);

/* A handle that was made is to those pages. */
void follow_made(struct store *store, const struct op_made *made);

/* Whether the page bears the number of the list that the operation is on. */
void follow_listed(struct store *store, const struct op *op, bool listed);

/* A frame was met in the list that the operation is on. */
void follow_place(struct store *store, const struct op *op, struct paddr place);

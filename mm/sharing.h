/* SPDX-License-Identifier: BSD-3-Clause */
/* Sharings, for who holds the ownership lock. */
#pragma once

#include "owner_table.h"

struct sharing {
	struct sharing *next; /* all of them */
	struct sharing *previous;
	struct owner *shared; /* who has the pages that are shared in it */
	struct owner *lent;   /* and those that are lent */
	uint16_t owner;	      /* the id of a space, or OWNER_ID_HYPERVISOR */
	size_t member_count;
	uint16_t members[]; /* ids of spaces */
};

/* Start: there are none. */
void sharings_reset(void);

/* Whether @space may map the pages of @sharing that are shared, or @lent. */
bool sharing_permits(const struct sharing *sharing, bool lent, const struct owner *space);

/* @space is about to depart: no sharing knows it any more. */
void sharings_forget(const struct owner *space);

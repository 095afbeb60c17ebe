/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a space may map pages: what the store says of all their owners together. */
#pragma once

#include "store.h"

/* Whether a space may map pages that it claimed, if they were the hypervisor's. */
enum permission {
	PERMITTED,
	NOT_PERMITTED,
	OPEN, /* another CPU's change may be on its way here, or the page is from before the model */
};

/* @settled: no other CPU's change is. */
enum permission owners_permission(const struct store *store, const struct live_owner *space,
				  struct prange pages, bool settled);

/* Whether some page, @page, is the hypervisor's still. */
bool owners_unclaimed(const struct store *store, struct prange pages, struct paddr *page);

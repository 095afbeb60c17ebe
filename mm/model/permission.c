/* SPDX-License-Identifier: BSD-3-Clause */
#include "permission.h"

/* Of a page that no operation named so far, what the subsystem says. */
static const struct live_owner *owner_of(const struct store *store, struct paddr page)
{
	const struct page_record *record = regions_find(&store->regions, page);

	return record != NULL ? record->owner : owners_adopted(&store->owners, page);
}

enum permission owners_permission(const struct store *store, const struct live_owner *space,
				  struct prange pages, bool settled)
{
	enum permission all = PERMITTED;

	for (; pages.start.value < pages.end.value; pages.start.value += PAGE_SIZE) {
		const struct live_owner *owner = owner_of(store, pages.start);

		if (owner_is_open(owner) || owner_is_open(space)) {
			all = OPEN;
		} else if (owner_is_hypervisor(owner)) {
			/* Unless another CPU claimed it, and did not say so yet. */
			if (!settled)
				all = OPEN;
		} else if (!owner_permits(owner, space)) {
			if (settled || !owner_may_share(&store->owners, owner, space))
				return NOT_PERMITTED;
			all = OPEN;
		}
	}
	return all;
}

bool owners_unclaimed(const struct store *store, struct prange pages, struct paddr *page)
{
	for (; pages.start.value < pages.end.value; pages.start.value += PAGE_SIZE) {
		const struct page_record *record = regions_find(&store->regions, pages.start);

		*page = pages.start;
		if (record != NULL && owner_is_hypervisor(record->owner))
			return true;
	}
	return false;
}

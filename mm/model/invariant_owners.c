/* SPDX-License-Identifier: BSD-3-Clause */
/* O1 to O3, X5: who has pages exists, has what it was given, and lets map it whom it may. */
#include "invariant.h"
#include "permission.h"

static bool is_owner(const struct owners *owners, const struct live_owner *owner)
{
	const struct live_owner *other;

	LIST_FOREACH(other, &owners->owners, link)
	{
		if (other == owner)
			return true;
	}
	return owner == &owners->elsewhere;
}

struct look {
	const struct owners *owners;
	const struct live_owner *last; /* that was looked for, and found */
	struct witness *witness;
};

static bool owner_has_frame(struct paddr page, const struct page_record *record, void *context)
{
	struct look *look = context;

	look->witness->at = iaddr(page.value);
	if (record->owner == NULL)
		return true;
	if (record->owner != look->last && !is_owner(look->owners, record->owner))
		return false;
	look->last = record->owner;
	return record->state == PAGE_SHARED;
}

bool owners_have_frames(struct store *store, struct witness *witness)
{
	struct look look = { .owners = &store->owners, .witness = witness };

	return regions_each(&store->regions, owner_has_frame, &look);
}

static bool see_page(struct paddr page, const struct page_record *record, void *context)
{
	(void)page;
	(void)context;
	if (record->owner != NULL)
		record->owner->seen++;
	return true;
}

/* The pages of each are counted anew; O1 says that they have no other. */
bool owners_are_counted(struct store *store, struct witness *witness)
{
	struct live_owner *owner;

	LIST_FOREACH(owner, &store->owners.owners, link)
	owner->seen = 0;
	store->owners.elsewhere.seen = 0;
	regions_each(&store->regions, see_page, NULL);
	LIST_FOREACH(owner, &store->owners.owners, link)
	{
		witness->at = iaddr(0);
		witness->is = owner->pages;
		witness->should_be = owner->seen;
		if (witness->is != witness->should_be)
			return false;
	}
	witness->is = store->owners.elsewhere.pages;
	witness->should_be = store->owners.elsewhere.seen;
	return witness->is == witness->should_be;
}

static bool is_living_space(const struct store *store, const struct live_owner *owner)
{
	const struct live_space *space;

	if (owner == &store->owners.elsewhere)
		return true;
	LIST_FOREACH(space, &store->registry.spaces, link)
	{
		if (space->owner == owner)
			return owner->state == OWNER_LIVES && owner->sharing == NULL;
	}
	return false;
}

static unsigned int times_in(const struct live_sharing *sharing, const struct live_owner *space)
{
	const struct sharing_member *member;
	unsigned int times = sharing->maker == space;

	LIST_FOREACH(member, &sharing->members, link)
	times += member->space == space;
	return times;
}

bool sharings_are_sound(struct store *store, struct witness *witness)
{
	const struct live_sharing *sharing;
	const struct sharing_member *member;

	witness->at = iaddr(0);
	LIST_FOREACH(sharing, &store->owners.sharings, link)
	{
		if (sharing->maker != NULL && !is_living_space(store, sharing->maker))
			return false;
		LIST_FOREACH(member, &sharing->members, link)
		{
			if (!is_living_space(store, member->space) ||
			    (member->space != &store->owners.elsewhere &&
			     times_in(sharing, member->space) != 1))
				return false;
		}
	}
	return true;
}

bool owners_permit(struct store *store, struct witness *witness)
{
	const struct live_space *space;

	LIST_FOREACH(space, &store->registry.spaces, link)
	{
		struct iaddr from = iaddr(0);
		struct mapping mapping;
		struct paddr unclaimed;

		while (space->owner != NULL &&
		       mappings_next(&space->state.mappings, from, &mapping)) {
			struct prange pages =
				prange(mapping.output, mapping_output(&mapping, mapping.range.end));

			witness->at = mapping.range.start;
			from = mapping.range.end;
			if (mapping.counted &&
			    (owners_permission(store, space->owner, pages, true) == NOT_PERMITTED ||
			     owners_unclaimed(store, pages, &unclaimed)))
				return false;
		}
	}
	return true;
}

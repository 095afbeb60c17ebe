/* SPDX-License-Identifier: BSD-3-Clause */
#include "owners.h"
#include "list_find.h"

#include "regions.h"

void owners_init(struct owners *owners, struct model_arena *arena)
{
	model_pool_init(&owners->owner_pool, arena, sizeof(struct live_owner));
	model_pool_init(&owners->sharing_pool, arena, sizeof(struct live_sharing));
	model_pool_init(&owners->member_pool, arena, sizeof(struct sharing_member));
	LIST_INIT(&owners->owners);
	LIST_INIT(&owners->sharings);
	owners->elsewhere = (struct live_owner){ .state = OWNER_ELSEWHERE };
}

static struct live_owner *add_owner(struct owners *owners, struct live_owner is)
{
	struct live_owner *owner = model_pool_take(&owners->owner_pool);

	if (owner == NULL)
		return NULL;
	*owner = is;
	LIST_INSERT_HEAD(&owners->owners, owner, link);
	return owner;
}

static void remove_owner(struct owners *owners, struct live_owner *owner)
{
	LIST_REMOVE(owner, link);
	model_pool_give(&owners->owner_pool, owner);
}

struct live_owner *owners_add_space(struct owners *owners, const struct vm_space *space)
{
	return add_owner(owners, (struct live_owner){ .space = space });
}

struct live_sharing *owners_add_sharing(struct owners *owners, const void *name,
					struct live_owner *maker)
{
	struct live_sharing *sharing = model_pool_take(&owners->sharing_pool);

	if (sharing == NULL)
		return NULL;
	sharing->name = name;
	sharing->maker = maker;
	LIST_INIT(&sharing->members);
	sharing->shared = add_owner(owners, (struct live_owner){ .sharing = sharing });
	sharing->lent = add_owner(owners, (struct live_owner){ .sharing = sharing, .lent = true });
	if (sharing->shared == NULL || sharing->lent == NULL)
		return NULL;
	LIST_INSERT_HEAD(&owners->sharings, sharing, link);
	return sharing;
}

bool owners_add_member(struct owners *owners, struct live_sharing *sharing,
		       const struct live_owner *space)
{
	struct sharing_member *member = model_pool_take(&owners->member_pool);

	if (member == NULL)
		return false;
	member->space = space;
	LIST_INSERT_HEAD(&sharing->members, member, link);
	return true;
}

struct live_owner *owners_of_space(const struct owners *owners, const struct vm_space *space)
{
	struct live_owner *owner;

	LIST_FOREACH(owner, &owners->owners, link)
	{
		if (owner->space == space && owner->sharing == NULL &&
		    owner->state != OWNER_DEPARTED)
			return owner;
	}
	return NULL;
}

struct live_sharing *owners_sharing(const struct owners *owners, const void *name)
{
	struct live_sharing *sharing;

	LIST_FIND(sharing, &owners->sharings, name, name);
	return sharing;
}

bool sharing_has(const struct live_sharing *sharing, const struct live_owner *space)
{
	const struct sharing_member *member;

	LIST_FOREACH(member, &sharing->members, link)
	{
		if (member->space == space)
			return true;
	}
	return false;
}

static void remove_members(struct owners *owners, struct live_sharing *sharing,
			   const struct live_owner *space)
{
	struct sharing_member *member = LIST_FIRST(&sharing->members);

	while (member != NULL) {
		struct sharing_member *next = LIST_NEXT(member, link);

		if (space == NULL || member->space == space) {
			LIST_REMOVE(member, link);
			model_pool_give(&owners->member_pool, member);
		}
		member = next;
	}
}

void owners_depart(struct owners *owners, struct live_owner *space)
{
	struct live_sharing *sharing;

	LIST_FOREACH(sharing, &owners->sharings, link)
	{
		if (sharing->maker == space)
			sharing->maker = NULL;
		remove_members(owners, sharing, space);
	}
	space->state = OWNER_DEPARTED;
	if (space->pages == 0)
		remove_owner(owners, space);
}

void owners_remove_sharing(struct owners *owners, struct live_sharing *sharing)
{
	remove_members(owners, sharing, NULL);
	remove_owner(owners, sharing->shared);
	remove_owner(owners, sharing->lent);
	LIST_REMOVE(sharing, link);
	model_pool_give(&owners->sharing_pool, sharing);
}

void owners_give(struct owners *owners, struct page_record *record, uint64_t count,
		 struct live_owner *owner)
{
	struct live_owner *before = record->owner;

	if (owner != NULL)
		owner->pages += count;
	record->owner = owner;
	if (before == NULL)
		return;
	before->pages -= count;
	if (before->pages == 0 && before->state == OWNER_DEPARTED)
		remove_owner(owners, before);
}

bool owner_permits(const struct live_owner *owner, const struct live_owner *space)
{
	if (owner_is_hypervisor(owner) || owner == space)
		return owner == space;
	return owner->sharing != NULL && (sharing_has(owner->sharing, space) ||
					  (!owner->lent && owner->sharing->maker == space));
}

bool owner_may_share(const struct owners *owners, const struct live_owner *owner,
		     const struct live_owner *space)
{
	const struct live_sharing *sharing;

	LIST_FOREACH(sharing, &owners->sharings, link)
	{
		if (sharing->maker == owner && sharing_has(sharing, space))
			return true;
	}
	return false;
}

/* ---- What the subsystem says --------------------------------------------------------------- */

struct live_owner *owners_adopted(const struct owners *owners, struct paddr page)
{
	struct page_owner said = page_owner(page);
	struct live_owner *owner = NULL;

	if (said.kind == OWNER_SPACE) {
		owner = owners_of_space(owners, said.space);
	} else if (said.kind == OWNER_SHARING) {
		struct live_sharing *sharing = owners_sharing(owners, said.sharing);

		if (sharing != NULL)
			owner = said.lent ? sharing->lent : sharing->shared;
	} else {
		return NULL;
	}
	return owner == NULL ? (struct live_owner *)&owners->elsewhere : owner;
}

bool owners_agree(const struct live_owner *owner, const struct page_owner *said)
{
	if (owner_is_open(owner))
		return true;
	if (owner_is_hypervisor(owner))
		return said->kind == OWNER_HYPERVISOR;
	if (owner->sharing != NULL)
		return said->kind == OWNER_SHARING && said->sharing == owner->sharing->name &&
		       said->lent == owner->lent;
	return said->kind == OWNER_SPACE && said->space == owner->space;
}

bool owners_may_agree(const struct owners *owners, const struct live_owner *owner,
		      const struct page_owner *said)
{
	const struct live_sharing *sharing;

	/* Claimed, or shared. */
	if (owner_is_hypervisor(owner))
		return said->kind != OWNER_DEVICE;
	if (owner->sharing != NULL || said->kind != OWNER_SHARING || said->lent)
		return false;
	sharing = owners_sharing(owners, said->sharing);
	return sharing != NULL && sharing->maker == owner;
}

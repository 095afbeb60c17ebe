/* SPDX-License-Identifier: BSD-3-Clause */
#include "sharing.h"
#include <arch/canary.h>
#include <strata/heap.h>
#include "cursor_private.h"
#include "owner_claim.h"

/* All sharings: a space that departs is looked for in each. Under the ownership lock. */
static struct sharing *sharings;

void sharings_reset(void)
{
	sharings = NULL;
}

static bool has_member(const struct sharing *sharing, uint16_t id)
{
	for (size_t i = 0; i < sharing->member_count; i++)
		if (sharing->members[i] == id)
			return true;
	return false;
}

bool sharing_permits(const struct sharing *sharing, bool lent, const struct owner *space)
{
	return (!lent && sharing->owner == space->id) || has_member(sharing, space->id);
}

void sharings_forget(const struct owner *space)
{
	for (struct sharing *sharing = sharings; sharing != NULL; sharing = sharing->next) {
		if (sharing->owner == space->id)
			sharing->owner = OWNER_ID_HYPERVISOR;
		for (size_t i = 0; i < sharing->member_count; i++)
			if (sharing->members[i] == space->id) {
				sharing->members[i] = sharing->members[--sharing->member_count];
				break;
			}
	}
}

static uint16_t id_of(const struct vm_space *space)
{
	return space == NULL || space_owner(space) == NULL ? OWNER_ID_HYPERVISOR
							   : space_owner(space)->id;
}

/* Takes the members over, which live on during the call; false if they are no set, or not all of
 * them spaces that own. */
static bool add_members(struct sharing *sharing, const struct vm_space *const *members,
			size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint16_t id = id_of(members[i]);

		if (id == OWNER_ID_HYPERVISOR || id == sharing->owner ||
		    (has_member(sharing, id) && !CANARY(member_taken_twice)))
			return false;
		sharing->members[sharing->member_count++] = id;
	}
	return true;
}

static void link_sharing(struct sharing *sharing)
{
	sharing->previous = NULL;
	sharing->next = sharings;
	if (sharings != NULL)
		sharings->previous = sharing;
	sharings = sharing;
}

static void unlink_sharing(struct sharing *sharing)
{
	if (sharing->previous != NULL)
		sharing->previous->next = sharing->next;
	else
		sharings = sharing->next;
	if (sharing->next != NULL)
		sharing->next->previous = sharing->previous;
}

static enum mm_status make(const struct vm_space *owner, const struct vm_space *const *members,
			   size_t count, struct sharing **out)
{
	struct sharing *sharing;
	enum mm_status status;
	void *memory;

	if (owner != NULL && space_owner(owner) == NULL)
		return MM_INVALID_ARGS;
	/* More than there are owners: so many members cannot all be different. */
	if (count > OWNER_ID_MOVING - SLOT_OWNER_FIRST)
		return MM_INVALID_ARGS;
	status = heap_alloc(sizeof(*sharing) + count * sizeof(sharing->members[0]), &memory);
	if (status != MM_OK)
		return status;

	sharing = memory;
	*sharing = (struct sharing){ .owner = id_of(owner) };
	status = add_members(sharing, members, count) ? ownership_lock_for(2) : MM_INVALID_ARGS;
	if (status != MM_OK) {
		heap_free(sharing);
		return status;
	}

	sharing->shared = owner_new(NULL, sharing, false);
	sharing->lent = owner_new(NULL, sharing, true);
	link_sharing(sharing);
	ticket_unlock(&ownership_lock);
	*out = sharing;
	return MM_OK;
}

enum mm_status sharing_new(const struct vm_space *owner, const struct vm_space *const *members,
			   size_t count, struct sharing **out)
{
	struct sharing *sharing = NULL;
	enum mm_status status = make(owner, members, count, &sharing);

	if (status == MM_OK)
		*out = sharing;
	REPORT(.kind = OPERATION_SHARING_NEW, .status = status, .from = owner, .sharing = sharing,
	       .members = members, .member_count = count);
	return status;
}

static bool has_pages(const struct owner *owner)
{
	return atomic_load_explicit(&owner->pages, memory_order_acquire) > 1;
}

enum mm_status sharing_destroy(struct sharing *sharing)
{
	enum mm_status status = MM_OK;

	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
	if ((has_pages(sharing->shared) || has_pages(sharing->lent)) &&
	    !CANARY(destroyed_with_pages)) {
		status = MM_BUSY;
	} else {
		unlink_sharing(sharing);
		owner_depart(sharing->shared);
		owner_depart(sharing->lent);
	}
	ticket_unlock(&ownership_lock);
	REPORT(.kind = OPERATION_SHARING_DESTROY, .status = status, .sharing = sharing);
	if (status == MM_OK)
		heap_free(sharing);
	return status;
}

const struct vm_space *sharing_owner(const struct sharing *sharing)
{
	const struct vm_space *space = NULL;

	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
	if (sharing->owner != OWNER_ID_HYPERVISOR)
		space = owner_of_id(sharing->owner)->space;
	ticket_unlock(&ownership_lock);
	return space;
}

bool sharing_has_member(const struct sharing *sharing, const struct vm_space *space)
{
	bool member;

	ticket_lock(&ownership_lock, MM_LOCK_OWNERSHIP);
	member = id_of(space) != OWNER_ID_HYPERVISOR && has_member(sharing, id_of(space));
	ticket_unlock(&ownership_lock);
	return member;
}

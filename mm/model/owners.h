/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whom pages belong to, as the model follows it: an owner for each space that can have pages, two for
 * each sharing, and the hypervisor, who is NULL and has what nobody was given.
 *
 * Invariant: a page's record names one owner, which exists; an owner has as many pages as name it.
 *
 *	OWNER_LIVES	until its space's end is reported
 *	OWNER_ENDS	it claims no more; its pages become the hypervisor's, at a moment that is reported
 *			after it (OWNER_END)
 *	OWNER_DEPARTED	they are; it is forgotten when none is left
 *
 * A space from before the model began is nobody's in particular: what it has is OWNER_ELSEWHERE's,
 * which is not judged.
 */
#pragma once

#include "arena.h"

#include <arch/address.h>
#include <stdbool.h>
#include <strata/ownership.h>
#include <sys/queue.h>

struct page_record;

enum owner_state {
	OWNER_LIVES,
	OWNER_ENDS,
	OWNER_DEPARTED,
	OWNER_ELSEWHERE,
};

struct live_owner {
	LIST_ENTRY(live_owner) link;
	const struct vm_space *space; /* a name; NULL: it is a sharing's */
	const struct live_sharing *sharing;
	bool lent; /* of a sharing: the pages that are lent, else those that are shared */
	enum owner_state state;
	uint64_t pages; /* that it has, by the steps */
	uint64_t seen;	/* while they are counted anew */
};

struct sharing_member {
	LIST_ENTRY(sharing_member) link;
	const struct live_owner *space;
};

struct live_sharing {
	LIST_ENTRY(live_sharing) link;
	const void *name;
	struct live_owner *maker; /* a space's, or NULL: the hypervisor */
	struct live_owner *shared;
	struct live_owner *lent;
	LIST_HEAD(, sharing_member) members;
};

struct owners {
	struct model_pool owner_pool;
	struct model_pool sharing_pool;
	struct model_pool member_pool;
	LIST_HEAD(, live_owner) owners;
	LIST_HEAD(, live_sharing) sharings;
	struct live_owner elsewhere;
};

/* There is none but the hypervisor. */
void owners_init(struct owners *owners, struct model_arena *arena);

/* NULL: the arena is full. */
struct live_owner *owners_add_space(struct owners *owners, const struct vm_space *space);
struct live_sharing *owners_add_sharing(struct owners *owners, const void *name,
					struct live_owner *maker);
/* False: the arena is full. */
bool owners_add_member(struct owners *owners, struct live_sharing *sharing,
		       const struct live_owner *space);

/* The owner that a space is or was, until it has departed; NULL: there is none. */
struct live_owner *owners_of_space(const struct owners *owners, const struct vm_space *space);
struct live_sharing *owners_sharing(const struct owners *owners, const void *name);

bool sharing_has(const struct live_sharing *sharing, const struct live_owner *space);

/* What it has is the hypervisor's, and no sharing knows it any more. */
void owners_depart(struct owners *owners, struct live_owner *space);
/* No page is in it. */
void owners_remove_sharing(struct owners *owners, struct live_sharing *sharing);

/* The owner of @count pages that are alike is @owner from now on. */
void owners_give(struct owners *owners, struct page_record *record, uint64_t count,
		 struct live_owner *owner);

/* Whether what @owner has is the hypervisor's. */
static inline bool owner_is_hypervisor(const struct live_owner *owner)
{
	return owner == NULL || owner->state == OWNER_DEPARTED;
}

/* Whether nobody can say whose the pages of @owner are: it is about to end, or is from before the model. */
static inline bool owner_is_open(const struct live_owner *owner)
{
	return owner != NULL && (owner->state == OWNER_ENDS || owner->state == OWNER_ELSEWHERE);
}

/* Whether @space, as the owner that it is, may map what @owner has. */
bool owner_permits(const struct live_owner *owner, const struct live_owner *space);

/* What the subsystem says of a page, in the store's words. */
struct live_owner *owners_adopted(const struct owners *owners, struct paddr page);

/* Whether the subsystem says that a page that is held has @owner. */
bool owners_agree(const struct live_owner *owner, const struct page_owner *said);

/* What can be meant by @said where another CPU changed the owner, and did not say so yet. */
bool owners_may_agree(const struct owners *owners, const struct live_owner *owner,
		      const struct page_owner *said);

/* Whether @owner's pages may have been shared with @space, by another CPU that did not say so yet. */
bool owner_may_share(const struct owners *owners, const struct live_owner *owner,
		     const struct live_owner *space);

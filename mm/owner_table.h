/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owners: who can have pages, and the numbers that slots call them by.
 *
 * Invariant: while a page is a frame that is not unique, its slot's owner is OWNER_ID_HYPERVISOR, or
 * the id of an owner that counts it. An id is given out again only when its owner has departed and no
 * page says it any more; what is of a departed owner counts as the hypervisor's.
 *
 * An owner's id on a page is written under ownership_lock, but for two cases: it becomes that of the
 * only space that maps the page by a compare-exchange from OWNER_ID_HYPERVISOR (owner_claim.h), and
 * a page that nobody holds is made anew. So what is not the hypervisor's stands still under the lock.
 * A page is counted before it says the id: once it does, another CPU may take it away at any moment.
 */
#pragma once

#include <strata/ownership.h>
#include "slot.h"

#define OWNER_ID_HYPERVISOR UINT16_C(0)
/* On its way to another owner: ownership_lock is held until it has one. */
#define OWNER_ID_MOVING SLOT_OWNER_MOVING

struct owner {
	/* Pages that say this id, or are about to, and one more until the owner departs. */
	_Atomic uint64_t pages;
	const struct vm_space *space; /* both NULL: departed */
	struct sharing *sharing;
	uint16_t id; /* OWNER_ID_HYPERVISOR: this place is free */
	bool lent;
};

extern MM_PRIVATE struct ticket_lock ownership_lock;

/* Start: there are no owners. */
void owners_reset(void);

/*
 * Takes the lock, with room for @count (1 or 2) more owners: memory is allocated before, and what is
 * made under the lock cannot fail. MM_NO_MEMORY: there is none, or no id is left; the lock is not taken.
 */
MM_MUST_CHECK enum mm_status ownership_lock_for(size_t count);

/* Makes an owner without pages: of @space, or of @sharing for pages that it shares or has @lent. The
 * caller took the lock with room for it. */
struct owner *owner_new(const struct vm_space *space, struct sharing *sharing, bool lent);

/* Its pages are the hypervisor's; it lives on, nameless, until the last of them is freed. The caller holds
 * the lock. */
void owner_depart(struct owner *owner);

/* The owner with an id that a page says: the page is held, or the lock is. NULL: there is none. */
struct owner *owner_of_id(uint16_t id);

static inline bool owner_has_departed(const struct owner *owner)
{
	return owner->space == NULL && owner->sharing == NULL;
}

/* Before a page says the owner's id. Relaxed: that is said under the lock, or with a release. */
static inline void owner_add_pages(struct owner *owner, uint64_t pages)
{
	atomic_fetch_add_explicit(&owner->pages, pages, memory_order_relaxed);
}

/* @pages pages that were counted and say the id of somebody else after all. The owner has not departed, so
 * these are not the last. */
static inline void owner_take_back_pages(struct owner *owner, uint64_t pages)
{
	atomic_fetch_sub_explicit(&owner->pages, pages, memory_order_relaxed);
}

/* @pages pages that say @id do so no more. Takes the lock if they were the last of a departed owner. */
void owner_lose_pages(uint16_t id, uint64_t pages);

/* As owner_lose_pages; the caller holds the lock. */
void owner_lose_pages_locked(struct owner *owner, uint64_t pages);

/* Relaxed: an id is a name; what it names is looked at under the lock. */
static inline uint16_t slot_owner(const struct slot *slot)
{
	return atomic_load_explicit(&slot->owner, memory_order_relaxed);
}

static inline void slot_set_owner(struct slot *slot, uint16_t id)
{
	atomic_store_explicit(&slot->owner, id, memory_order_relaxed);
}

/* Whether the page is the hypervisor's; if a departed owner's, it says so afterwards. The caller has a
 * reference and holds the lock. */
bool owner_is_hypervisor(struct slot *slot);

/* Freed pages by owner, so that a run of pages of one owner is counted once. */
struct owner_tally {
	uint16_t id;
	uint64_t pages;
};

static inline void owner_tally_end(const struct owner_tally *tally)
{
	if (tally->id != OWNER_ID_HYPERVISOR)
		owner_lose_pages(tally->id, tally->pages);
}

static inline void owner_tally_add(struct owner_tally *tally, uint16_t id)
{
	if (id != tally->id) {
		owner_tally_end(tally);
		*tally = (struct owner_tally){ id, 0 };
	}
	tally->pages++;
}

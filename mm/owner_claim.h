/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Claims: what a map asks of the owners of the pages it is about to map.
 *
 * A page of the hypervisor's becomes the space's own by its first map; a page that the space has, or
 * has access to, stays as it is; any other is refused. The caller has a reference to each page: what a
 * claim found out holds until the reference goes, since access narrows only where nobody else has one.
 * Claiming is the last thing that can fail, so that nothing is ever given back.
 */
#pragma once

#include "owner_table.h"
#include "report.h"

/* What owns the pages that are mapped into @space; NULL: the hypervisor, which claims nothing. */
static inline struct owner *space_owner(const struct vm_space *space)
{
	return space->owner;
}

/* From the hypervisor to @owner, a space; false if somebody was faster. */
static inline bool owner_claim_free_page(struct owner *owner, struct slot *slot)
{
	uint16_t id = OWNER_ID_HYPERVISOR;

	owner_add_pages(owner, 1);
	/* Release: who takes the page from the owner finds it counted. Of all that find it the
	 * hypervisor's one wins. */
	if (atomic_compare_exchange_strong_explicit(&slot->owner, &id, owner->id,
						    memory_order_release, memory_order_relaxed))
		return true;
	owner_take_back_pages(owner, 1);
	return false;
}

/* A claim is reported where it changed an owner, or was refused. */
#define REPORT_CLAIM(owner, result, pages_)                                                        \
	REPORT(.kind = OPERATION_OWNER_CLAIM, .status = (result), .to = (owner)->space,            \
	       .pages = (pages_))

/* As owner_claim_page, for a page that somebody had before. */
MM_MUST_CHECK enum mm_status owner_claim_owned_page(struct owner *owner, struct paddr page);

/* MM_ACCESS_DENIED: the page is another's. */
MM_MUST_CHECK static inline enum mm_status owner_claim_page(struct owner *owner, struct paddr page)
{
	struct slot *slot;
	uint16_t id;

	if (owner == NULL)
		return MM_OK;
	slot = slot_of(page);
	id = slot_owner(slot);
	/* Mapped again, which costs no more than this. */
	if (id == owner->id)
		return MM_OK;
	if (id == OWNER_ID_HYPERVISOR && owner_claim_free_page(owner, slot)) {
		REPORT_CLAIM(owner, MM_OK, page_range(page));
		return MM_OK;
	}
	return owner_claim_owned_page(owner, page);
}

/* All pages or none. MM_ACCESS_DENIED: some page is another's; @denied says which frame's is. */
MM_MUST_CHECK enum mm_status owner_claim_range(struct owner *owner, struct prange pages);
MM_MUST_CHECK enum mm_status owner_claim_frames(struct owner *owner, const frame_t *frames,
						size_t count, size_t *denied);

/*
 * For a page that is to change hands, under the lock: it is marked OWNER_ID_MOVING if it is @from's
 * (NULL: the hypervisor's). False if it is not.
 */
bool owner_take_page(struct slot *slot, const struct owner *from);

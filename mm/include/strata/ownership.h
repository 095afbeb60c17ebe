/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ownership: whom each page belongs to, and how that changes.
 *
 * Invariant: at any moment each page has one owner, and a space, a guest's or one in EL2's window, maps
 * a counted page only if the owner permits it: a private page its own space, a page of a sharing the
 * spaces of that sharing. EL2's own table is the hypervisor's, which may map what is counted; that
 * changes no owner.
 *
 *	              first map into a space, donate
 *	hypervisor ────────────────────────────────────▶ a space: private
 *	   ▲  │  ◀──────────────── donate ──────────────────  │  ▲
 *	   │  └───────── share, lend ────▶ a sharing ◀── share, lend │
 *	   │                               │       └── unshare, reclaim
 *	   └─ unshare, reclaim ────────────┘
 *
 * The hypervisor has what nobody was given: free pages, frames that no space has mapped yet, and
 * all that is not PAGE_FRAME (its image, tables, metadata, reserved memory). No operation can map
 * the latter into a guest or a window space: frame_from_in_use says MM_ACCESS_DENIED, what takes
 * unused pages MM_IN_USE, cursor_map_iomem MM_ACCESS_DENIED. A page keeps its owner, mapped or not,
 * until an operation below gives it to another, its last reference is dropped, or its owner
 * departs:
 *
 *	a space is destroyed	pages that others still hold are the hypervisor's again, as they are; it
 *				is a member of no sharing any more, and the hypervisor is the owner of
 *				those it made
 *
 * Each operation below is all or nothing: on an error owners, references and bytes are as before, and
 * no CPU has seen or used anything between. Where access narrows or moves, the references of all pages
 * are taken first (from one, the segment's, to none: who asks for one meanwhile is told MM_BUSY), so
 * that nobody can map a page, and none is mapped or waits for a flush; then owners are checked, then
 * changed. Where access only widens, the pages are marked as on their way, under the ownership lock,
 * before the first one has its new owner; a map that meets such a mark waits for that lock. A first
 * map of several pages is done in the same way, and one of a single page is one compare-exchange.
 *
 * The ownership lock is taken below those of nodes and above those of the heap (mm/lock.h). There is one,
 * and it is held for a step or two per page: by each change of owner (not while pages are zeroed), and by
 * a map of several pages, unless all of them are the space's own. No memory is allocated under it.
 */
#pragma once

#include <strata/segment.h>
#include <strata/vm_space.h>

/* Spaces that have access to the same pages, and who may say which pages those are. */
struct sharing;

enum page_owner_kind {
	OWNER_HYPERVISOR,
	OWNER_SPACE,   /* private to it */
	OWNER_SHARING, /* of the spaces of a sharing */
	OWNER_DEVICE,  /* PAGE_MMIO, or no memory at all */
};

struct page_owner {
	enum page_owner_kind kind;
	const struct vm_space *space;  /* OWNER_SPACE, else NULL */
	const struct sharing *sharing; /* OWNER_SHARING, else NULL */
	bool lent;		       /* OWNER_SHARING: its owner has no access */
};

/* The owner of the page that has @paddr, at this moment. */
struct page_owner page_owner(struct paddr paddr);

/*
 * Makes a sharing of pages of @owner (NULL: of the hypervisor) with @count members (0 is possible).
 * The set stays as it is, but for spaces that are destroyed.
 *
 * MM_INVALID_ARGS: @owner is among the members, a member is there twice, or one of them is a space
 *	that owns nothing (EL2's own).
 * MM_NO_MEMORY: none for it, or there would be more than 32766 owners: each space but EL2's own is one,
 *	each sharing two. A space that was destroyed is one as long as pages that it had are held.
 */
MM_MUST_CHECK enum mm_status sharing_new(const struct vm_space *owner,
					 const struct vm_space *const *members, size_t count,
					 struct sharing **out);

/* MM_BUSY: pages are in it. @sharing is void afterwards, unless it is that. */
MM_MUST_CHECK enum mm_status sharing_destroy(struct sharing *sharing);

/* NULL: the hypervisor. */
const struct vm_space *sharing_owner(const struct sharing *sharing);
bool sharing_has_member(const struct sharing *sharing, const struct vm_space *space);

/*
 * Gives the pages of @segment, all of them private to @from, to @to (NULL, either: the hypervisor).
 * With FRAME_ZEROED their bytes are zero before anybody can get them, so that no secret travels.
 *
 * MM_INVALID_ARGS: @from is @to, or a space that owns nothing (EL2's own).
 * MM_ACCESS_DENIED: @from is not the owner of some page.
 * MM_IN_USE: some page has other references than the segment's: it is mapped, or was and is not
 *	flushed, or somebody holds it.
 *
 * The handle stays the caller's, and is nobody else's to use during the call; so too below.
 */
MM_MUST_CHECK enum mm_status ownership_donate(struct segment *segment, const struct vm_space *from,
					      const struct vm_space *to,
					      enum frame_contents contents);

/*
 * Puts the pages of @segment, all of them private to the owner of @sharing, into @sharing: its
 * members may map them, and the owner still may. Who has references keeps them.
 *
 * MM_ACCESS_DENIED: some page is not private to the owner.
 */
MM_MUST_CHECK enum mm_status ownership_share(struct segment *segment, struct sharing *sharing);

/*
 * Takes the pages of @segment, all of them shared in @sharing, out of it: they are private to its
 * owner.
 *
 * MM_ACCESS_DENIED: some page is not shared in it. MM_IN_USE: as ownership_donate.
 */
MM_MUST_CHECK enum mm_status ownership_unshare(struct segment *segment, struct sharing *sharing);

/*
 * As ownership_share, but until they are reclaimed the owner may not map the pages.
 *
 * MM_IN_USE also: as ownership_donate.
 */
MM_MUST_CHECK enum mm_status ownership_lend(struct segment *segment, struct sharing *sharing);

/*
 * Takes the pages of @segment, all of them lent by @sharing, back: they are private to its owner.
 * With FRAME_ZEROED as ownership_donate.
 *
 * MM_ACCESS_DENIED: some page is not lent by it. MM_IN_USE: as ownership_donate.
 */
MM_MUST_CHECK enum mm_status ownership_reclaim(struct segment *segment, struct sharing *sharing,
					       enum frame_contents contents);

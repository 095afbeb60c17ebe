/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages that change their owners: between the hypervisor, the shared spaces and the sharings. */
#include "stress.h"

#include <strata/ownership.h>

#define CHANGE_STATUSES (BIT(MM_OK) | BIT(MM_ACCESS_DENIED) | BIT(MM_IN_USE))

static const struct vm_space *some_owner(struct worker *worker)
{
	return one_in(worker, 3) ? NULL : &stress.shared[below(worker, SHARED_SPACES)].space;
}

static void name_pages(const struct segment *segment)
{
	for (uint64_t page = segment->start.value; page < segment->end.value; page += PAGE_SIZE)
		name_page(paddr(page), COMMON_WORD);
}

static void check_zero(struct worker *worker, const struct segment *segment)
{
	for (uint64_t page = segment->start.value; page < segment->end.value; page += PAGE_SIZE)
		page_is_zero(worker, paddr(page));
}

/* The handle was the only one, so the pages are who they were given to still. */
static void check_owner(struct worker *worker, const struct segment *segment,
			const struct vm_space *owner)
{
	for (uint64_t page = segment->start.value; page < segment->end.value; page += PAGE_SIZE)
		if (page_owner(paddr(page)).space != owner)
			find(worker, JUDGE_PAGE, "page 0x%llx was given, and is somebody else's",
			     (unsigned long long)page);
}

static void donate(struct worker *worker, struct segment *segment)
{
	struct page_owner is = page_owner(segment->start);
	const struct vm_space *from = one_in(worker, 6) ? some_owner(worker) : is.space;
	const struct vm_space *to = some_owner(worker);
	enum frame_contents contents = one_in(worker, 2) ? FRAME_ZEROED : FRAME_UNDEFINED;

	if (from == to)
		return;
	if (!called(worker, OPERATION_OWNERSHIP_DONATE,
		    ownership_donate(segment, from, to, contents), CHANGE_STATUSES))
		return;
	check_owner(worker, segment, to);
	if (contents == FRAME_ZEROED)
		check_zero(worker, segment);
	name_pages(segment);
}

static void change(struct worker *worker, struct segment *segment)
{
	struct page_owner is = page_owner(segment->start);
	struct sharing *sharing = stress.sharings[below(worker, SHARINGS)];

	if (is.kind != OWNER_SHARING) {
		if (one_in(worker, 2))
			called(worker, OPERATION_OWNERSHIP_SHARE, ownership_share(segment, sharing),
			       CHANGE_STATUSES);
		else
			called(worker, OPERATION_OWNERSHIP_LEND, ownership_lend(segment, sharing),
			       CHANGE_STATUSES);
		return;
	}
	for (unsigned int i = 0; i < SHARINGS; i++)
		if (is.sharing == stress.sharings[i])
			sharing = stress.sharings[i];
	if (!is.lent) {
		called(worker, OPERATION_OWNERSHIP_UNSHARE, ownership_unshare(segment, sharing),
		       CHANGE_STATUSES);
		return;
	}
	if (called(worker, OPERATION_OWNERSHIP_RECLAIM,
		   ownership_reclaim(segment, sharing, FRAME_ZEROED), CHANGE_STATUSES)) {
		check_zero(worker, segment);
		name_pages(segment);
	}
}

/* All of a segment is mapped among the common pages, by a clone of it. */
static void map_clone(struct worker *worker, const struct segment *segment)
{
	struct guest_space *guest = draw_shared(worker);
	struct session session;
	struct segment clone;
	uint64_t offset = below(worker, 3) * PAGE_SIZE;

	if (!called(worker, OPERATION_SEGMENT_CLONE, segment_clone(segment, &clone), BIT(MM_OK)))
		return;
	if (session_open(&session, worker, guest, COMMON_START + offset,
			 COMMON_PAGES * PAGE_SIZE - offset)) {
		bool mapped =
			called(worker, OPERATION_CURSOR_MAP_SEGMENT,
			       cursor_map_segment(&session.cursor, &clone, draw_property(worker)),
			       BIT(MM_OK) | BIT(MM_EXISTS) | BIT(MM_OUT_OF_BOUND) |
				       BIT(MM_NO_MEMORY) | BIT(MM_ACCESS_DENIED));

		session_close(&session);
		if (mapped)
			return;
	}
	segment_drop(&clone);
	called(worker, OPERATION_SEGMENT_DROP, MM_OK, BIT(MM_OK));
}

static void share_for_a_moment(struct worker *worker)
{
	const struct vm_space *owner = some_owner(worker);
	const struct vm_space *member = &stress.shared[below(worker, SHARED_SPACES)].space;
	struct sharing *sharing;

	if (called(worker, OPERATION_SHARING_NEW, sharing_new(owner, &member, 1, &sharing),
		   BIT(MM_OK) | BIT(MM_NO_MEMORY) | (owner == member ? BIT(MM_INVALID_ARGS) : 0)))
		called(worker, OPERATION_SHARING_DESTROY, sharing_destroy(sharing), BIT(MM_OK));
}

void act_owners(struct worker *worker)
{
	struct segment_box *box = worker->segments[below(worker, SEGMENT_BOXES)];

	if (one_in(worker, 8))
		share_for_a_moment(worker);
	for (uint64_t i = 1 + below(worker, 4); box->full && i > 0; i--) {
		if (one_in(worker, 3))
			donate(worker, &box->segment);
		else if (one_in(worker, 2))
			change(worker, &box->segment);
		else
			map_clone(worker, &box->segment);
	}
}

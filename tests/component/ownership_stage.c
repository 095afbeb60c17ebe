/* SPDX-License-Identifier: BSD-3-Clause */
#include "ownership_stage.h"

const struct change_row changes[CHANGES] = {
	[DONATE_TO_A] = { "donate to A", HYPERVISORS, PRIVATE_A, true },
	[DONATE_TO_B] = { "donate to B", HYPERVISORS, PRIVATE_B, true },
	[DONATE_A_TO_B] = { "donate from A to B", PRIVATE_A, PRIVATE_B, true },
	[DONATE_B_TO_A] = { "donate from B to A", PRIVATE_B, PRIVATE_A, true },
	[DONATE_FROM_A] = { "donate from A", PRIVATE_A, HYPERVISORS, true },
	[SHARE_BY_A] = { "A shares", PRIVATE_A, SHARED_BY_A, false },
	[UNSHARE_BY_A] = { "A unshares", SHARED_BY_A, PRIVATE_A, true },
	[LEND_BY_A] = { "A lends", PRIVATE_A, LENT_BY_A, true },
	[RECLAIM_BY_A] = { "A reclaims", LENT_BY_A, PRIVATE_A, true },
	[SHARE_BY_HYPERVISOR] = { "hypervisor shares", HYPERVISORS, SHARED_BY_HYPERVISOR, false },
	[UNSHARE_BY_HYPERVISOR] = { "hypervisor unshares", SHARED_BY_HYPERVISOR, HYPERVISORS,
				    true },
	[LEND_BY_HYPERVISOR] = { "hypervisor lends", HYPERVISORS, LENT_BY_HYPERVISOR, true },
	[RECLAIM_BY_HYPERVISOR] = { "hypervisor reclaims", LENT_BY_HYPERVISOR, HYPERVISORS, true },
};

void ownership_set_up(struct world *world, struct ownership_stage *stage)
{
	const struct vm_space *const a = &stage->a;
	const struct vm_space *const b = &stage->b;

	world_space(world, &stage->a);
	world_space(world, &stage->b);
	world_space(world, &stage->stranger);
	EXPECT_OK(sharing_new(a, &b, 1, &stage->of_a));
	EXPECT_OK(sharing_new(NULL, &a, 1, &stage->of_hypervisor));
}

void ownership_tear_down(struct ownership_stage *stage)
{
	EXPECT_OK(sharing_destroy(stage->of_a));
	EXPECT_OK(sharing_destroy(stage->of_hypervisor));
	EXPECT_OK(vm_space_destroy(&stage->a));
	EXPECT_OK(vm_space_destroy(&stage->b));
	EXPECT_OK(vm_space_destroy(&stage->stranger));
}

enum mm_status do_change(struct ownership_stage *stage, enum change change, struct segment *segment,
			 enum frame_contents contents)
{
	switch (change) {
	case DONATE_TO_A:
		return ownership_donate(segment, NULL, &stage->a, contents);
	case DONATE_TO_B:
		return ownership_donate(segment, NULL, &stage->b, contents);
	case DONATE_A_TO_B:
		return ownership_donate(segment, &stage->a, &stage->b, contents);
	case DONATE_B_TO_A:
		return ownership_donate(segment, &stage->b, &stage->a, contents);
	case DONATE_FROM_A:
		return ownership_donate(segment, &stage->a, NULL, contents);
	case SHARE_BY_A:
		return ownership_share(segment, stage->of_a);
	case UNSHARE_BY_A:
		return ownership_unshare(segment, stage->of_a);
	case LEND_BY_A:
		return ownership_lend(segment, stage->of_a);
	case RECLAIM_BY_A:
		return ownership_reclaim(segment, stage->of_a, contents);
	case SHARE_BY_HYPERVISOR:
		return ownership_share(segment, stage->of_hypervisor);
	case UNSHARE_BY_HYPERVISOR:
		return ownership_unshare(segment, stage->of_hypervisor);
	case LEND_BY_HYPERVISOR:
		return ownership_lend(segment, stage->of_hypervisor);
	case RECLAIM_BY_HYPERVISOR:
		return ownership_reclaim(segment, stage->of_hypervisor, contents);
	default:
		FAIL("no change %d", (int)change);
	}
}

/* The state that a change to @state begins in, and that change; none leads to HYPERVISORS. */
static enum change change_to(enum state state)
{
	static const enum change to[STATES] = {
		[PRIVATE_A] = DONATE_TO_A,
		[PRIVATE_B] = DONATE_TO_B,
		[SHARED_BY_A] = SHARE_BY_A,
		[LENT_BY_A] = LEND_BY_A,
		[SHARED_BY_HYPERVISOR] = SHARE_BY_HYPERVISOR,
		[LENT_BY_HYPERVISOR] = LEND_BY_HYPERVISOR,
	};

	return to[state];
}

void bring_to(struct ownership_stage *stage, struct segment *segment, enum state state)
{
	if (state == HYPERVISORS)
		return;
	bring_to(stage, segment, changes[change_to(state)].from);
	EXPECT_OK(do_change(stage, change_to(state), segment, FRAME_UNDEFINED));
}

/* By mapping and unmapping it: that takes no more than a reference. */
static void claim(struct vm_space *space, struct paddr page)
{
	struct cursor cursor;
	frame_t frame;

	EXPECT_OK(frame_from_in_use(page, &frame));
	open_at(space, 0, PAGE_SIZE, &cursor);
	EXPECT_OK(cursor_map(&cursor, &frame, READ_WRITE));
	EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
	EXPECT_OK(cursor_unmap(&cursor, PAGE_SIZE, NULL));
	cursor_close(&cursor);
}

void bring_page_to(struct ownership_stage *stage, const struct segment *segment, uint64_t index,
		   enum state state)
{
	struct paddr page = page_of(segment, index);
	struct segment slice;

	if (state == PRIVATE_A || state == SHARED_BY_A)
		claim(&stage->a, page);
	if (state == PRIVATE_B)
		claim(&stage->b, page);
	if (state != SHARED_BY_A && state != SHARED_BY_HYPERVISOR)
		return;
	EXPECT_OK(segment_slice(segment, page_range(page), &slice));
	EXPECT_OK(do_change(stage, change_to(state), &slice, FRAME_UNDEFINED));
	segment_drop(&slice);
}

bool is_in_state(const struct ownership_stage *stage, struct paddr page, enum state state)
{
	struct page_owner owner = page_owner(page);

	switch (state) {
	case HYPERVISORS:
		return owner.kind == OWNER_HYPERVISOR;
	case PRIVATE_A:
		return owner.kind == OWNER_SPACE && owner.space == &stage->a;
	case PRIVATE_B:
		return owner.kind == OWNER_SPACE && owner.space == &stage->b;
	case SHARED_BY_A:
	case LENT_BY_A:
		return owner.kind == OWNER_SHARING && owner.sharing == stage->of_a &&
		       owner.lent == (state == LENT_BY_A);
	case SHARED_BY_HYPERVISOR:
	case LENT_BY_HYPERVISOR:
		return owner.kind == OWNER_SHARING && owner.sharing == stage->of_hypervisor &&
		       owner.lent == (state == LENT_BY_HYPERVISOR);
	default:
		return false;
	}
}

bool a_may_map(enum state state)
{
	return state != PRIVATE_B && state != LENT_BY_A;
}

bool b_may_map(enum state state)
{
	return state == HYPERVISORS || state == PRIVATE_B || state == SHARED_BY_A ||
	       state == LENT_BY_A;
}

struct paddr page_of(const struct segment *segment, uint64_t index)
{
	return paddr(segment->start.value + index * PAGE_SIZE);
}

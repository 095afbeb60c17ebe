/* SPDX-License-Identifier: BSD-3-Clause */
/* Ownership: owners that come and go, what nobody else can have, what fails. */
#include "ownership_stage.h"
#include <strata/fault.h>
#include <strata/unique_frame.h>

static enum mm_status try_map(struct vm_space *space, const frame_t *frame)
{
	struct cursor cursor;
	enum mm_status status;
	frame_t clone;

	EXPECT_OK(frame_clone(frame, &clone));
	open_at(space, 0, PAGE_SIZE, &cursor);
	status = cursor_map(&cursor, &clone, READ_WRITE);
	cursor_close(&cursor);
	if (status != MM_OK)
		frame_drop(&clone);
	return status;
}

static bool is_private(const frame_t *frame, const struct vm_space *space)
{
	struct page_owner owner = page_owner(frame->paddr);

	return owner.kind == OWNER_SPACE && owner.space == space && owner.sharing == NULL;
}

static bool is_hypervisors(struct paddr page)
{
	struct page_owner owner = page_owner(page);

	return owner.kind == OWNER_HYPERVISOR && owner.space == NULL && owner.sharing == NULL &&
	       !owner.lent;
}

/* A frame belongs to the hypervisor until a space maps it, and to that space until it is freed. */
TEST(the_first_space_that_maps_a_page_owns_it)
{
	struct vm_space first, second;
	frame_t frame = world_frame(world);
	struct paddr page = frame.paddr;

	world_space(world, &first);
	world_space(world, &second);
	EXPECT_TRUE(is_hypervisors(page));
	EXPECT_OK(try_map(&first, &frame));
	EXPECT_TRUE(is_private(&frame, &first));
	EXPECT_STATUS(try_map(&second, &frame), MM_ACCESS_DENIED);
	EXPECT_EQUAL(unmap_at(&first, 0, PAGE_SIZE), 1);
	EXPECT_TRUE(is_private(&frame, &first));
	EXPECT_STATUS(try_map(&second, &frame), MM_ACCESS_DENIED);
	frame_drop(&frame);
	EXPECT_TRUE(is_hypervisors(page));
	EXPECT_OK(frame_from_unused(page, &frame));
	EXPECT_OK(try_map(&second, &frame));
	EXPECT_TRUE(is_private(&frame, &second));
	EXPECT_OK(vm_space_destroy(&second));
	EXPECT_OK(vm_space_destroy(&first));
	frame_drop(&frame);
}

/* The owner of memory that is no frame is the hypervisor, and of what is no memory the device. */
TEST(what_is_no_frame_is_the_hypervisors_or_a_devices)
{
	unique_frame_t unique;
	struct vm_space space;

	world_space(world, &space);
	EXPECT_OK(unique_frame_alloc(FRAME_UNDEFINED, NULL, &unique));
	EXPECT_TRUE(is_hypervisors(unique.paddr));
	EXPECT_TRUE(is_hypervisors(space.root));
	EXPECT_EQUAL(page_owner(paddr(NO_MEMORY_BASE)).kind, OWNER_DEVICE);
	EXPECT_EQUAL(page_owner(paddr(UINT64_MAX)).kind, OWNER_DEVICE);
	/* An address in the page is as good as the page's. */
	EXPECT_TRUE(is_hypervisors(paddr(space.root.value + 9)));
#if WORLD_SIMULATED
	EXPECT_TRUE(is_hypervisors(paddr(WORLD_IMAGE_BASE)));
	EXPECT_TRUE(is_hypervisors(paddr(WORLD_FILE_BASE)));
	EXPECT_EQUAL(page_owner(paddr(WORLD_DEVICE_BASE)).kind, OWNER_DEVICE);
#endif
	unique_frame_drop(&unique);
	EXPECT_OK(vm_space_destroy(&space));
}

/* No operation makes a handle of the page, or maps it as a device. */
static void expect_out_of_reach(struct vm_space *space, struct paddr page, enum mm_status as_frame)
{
	struct prange range = page_range(page);
	struct segment segment;
	unique_frame_t unique;
	struct cursor cursor;
	frame_t frame;

	EXPECT_STATUS(frame_from_in_use(page, &frame), as_frame);
	EXPECT_STATUS(frame_from_unused(page, &frame), MM_IN_USE);
	EXPECT_STATUS(unique_frame_from_unused(page, NULL, &unique), MM_IN_USE);
	EXPECT_STATUS(segment_from_unused(range, &segment), MM_IN_USE);
	EXPECT_STATUS(segment_from_reserved(range, &segment), MM_ACCESS_DENIED);
	open_at(space, 0, PAGE_SIZE, &cursor);
	EXPECT_STATUS(cursor_map_iomem(&cursor, range, READ_WRITE), MM_ACCESS_DENIED);
	cursor_close(&cursor);
}

/* A page with @usage, if there is one within reach. */
static bool find_page(enum page_usage usage, struct paddr *out)
{
	struct paddr page = paddr(0x40000000);

	for (; page.value < 0x80000000; page.value += PAGE_SIZE) {
		struct page_state state;

		if (page_state(page, &state) != MM_OK || state.usage != usage)
			continue;
		*out = page;
		return true;
	}
	return false;
}

/* The hypervisor's image, its tables and its metadata cannot be mapped into a guest by anything. */
TEST(what_the_hypervisor_needs_is_out_of_reach)
{
	static const enum page_usage usages[] = { PAGE_TABLE, PAGE_META, PAGE_HYPERVISOR };
	struct vm_space space;

	world_space(world, &space);
	expect_out_of_reach(&space, space.root, MM_ACCESS_DENIED);
	for (size_t i = 0; i < COUNT_OF(usages); i++) {
		struct paddr page;

		EXPECT_TRUE(find_page(usages[i], &page));
		expect_out_of_reach(&space, page, MM_ACCESS_DENIED);
	}
	EXPECT_OK(vm_space_destroy(&space));
}

/* Pages that outlive their space are the hypervisor's, as they are, and another space's by its first
 * map. */
TEST(pages_that_are_held_outlive_their_owner)
{
	struct vm_space space, next;
	frame_t frame = world_frame(world);
	frame_t other = world_frame(world);
	unique_frame_t unique;

	world_write(frame.paddr, 7);
	world_space(world, &next);
	for (int round = 0; round < 3; round++) {
		world_space(world, &space);
		EXPECT_OK(try_map(&space, &frame));
		EXPECT_TRUE(is_private(&frame, &space));
		EXPECT_OK(vm_space_destroy(&space));
		EXPECT_TRUE(is_hypervisors(frame.paddr));
		EXPECT_EQUAL(frame_reference_count(&frame), 1);
	}
	EXPECT_OK(try_map(&next, &frame));
	EXPECT_TRUE(is_private(&frame, &next));
	EXPECT_EQUAL(world_read(frame.paddr), 7);
	EXPECT_STATUS(try_map(&next, &frame), MM_EXISTS);
	EXPECT_EQUAL(unmap_at(&next, 0, PAGE_SIZE), 1);
	EXPECT_OK(try_map(&next, &other));
	EXPECT_OK(vm_space_destroy(&next));
	/* What is the hypervisor's again may be made unique. */
	EXPECT_OK(unique_frame_try_from_shared(&other, &unique));
	unique_frame_drop(&unique);
	frame_drop(&frame);
}

/* What belongs to a space, or is shared, is not the holder's to make unique. */
TEST(an_owned_page_does_not_become_unique)
{
	struct ownership_stage stage;

	ownership_set_up(world, &stage);
	for (int state = 0; state < STATES; state++) {
		struct segment segment = world_segment(world, 1, PAGE_SIZE);
		unique_frame_t unique;
		frame_t frame;

		bring_to(&stage, &segment, (enum state)state);
		EXPECT_TRUE(segment_next(&segment, &frame));
		if (state == HYPERVISORS) {
			EXPECT_OK(unique_frame_try_from_shared(&frame, &unique));
			unique_frame_drop(&unique);
			continue;
		}
		EXPECT_STATUS(unique_frame_try_from_shared(&frame, &unique), MM_ACCESS_DENIED);
		EXPECT_TRUE(is_in_state(&stage, frame.paddr, (enum state)state));
		EXPECT_EQUAL(frame_reference_count(&frame), 1);
		frame_drop(&frame);
	}
	ownership_tear_down(&stage);
}

/* With FRAME_ZEROED pages change hands without what was in them; not if they do not change hands. */
TEST(contents_do_not_travel_where_they_must_not)
{
	static const enum change with_contents[] = { DONATE_TO_A, DONATE_A_TO_B, DONATE_FROM_A,
						     RECLAIM_BY_A, RECLAIM_BY_HYPERVISOR };
	struct ownership_stage stage;

	ownership_set_up(world, &stage);
	for (size_t i = 0; i < COUNT_OF(with_contents); i++)
		for (int zeroed = 0; zeroed < 2; zeroed++) {
			struct segment segment = world_segment(world, 4, PAGE_SIZE);

			bring_to(&stage, &segment, changes[with_contents[i]].from);
			for (uint64_t page = 0; page < 4; page++)
				world_write(paddr(page_of(&segment, page).value + PAGE_SIZE - 8),
					    page + 1);
			EXPECT_OK(do_change(&stage, with_contents[i], &segment,
					    zeroed ? FRAME_ZEROED : FRAME_UNDEFINED));
			for (uint64_t page = 0; page < 4; page++)
				EXPECT_EQUAL(world_read(paddr(page_of(&segment, page).value +
							      PAGE_SIZE - 8)),
					     zeroed ? 0 : page + 1);
			segment_drop(&segment);
		}
	ownership_tear_down(&stage);
}

/* What is mapped, or parked behind a flush, does not change hands where that narrows access. */
TEST(mapped_pages_change_hands_after_the_flush)
{
	struct ownership_stage stage;
	struct segment segment = world_segment(world, 2, PAGE_SIZE);
	struct segment clone;
	struct cursor cursor;

	ownership_set_up(world, &stage);
	EXPECT_OK(segment_clone(&segment, &clone));
	open_at(&stage.a, 0, MIB(2), &cursor);
	EXPECT_OK(cursor_map_segment(&cursor, &clone, READ_WRITE));
	EXPECT_STATUS(ownership_donate(&segment, &stage.a, &stage.b, FRAME_ZEROED), MM_IN_USE);
	EXPECT_STATUS(ownership_lend(&segment, stage.of_a), MM_IN_USE);
	/* To share it with others takes nothing away. */
	EXPECT_OK(ownership_share(&segment, stage.of_a));
	EXPECT_STATUS(ownership_unshare(&segment, stage.of_a), MM_IN_USE);
	EXPECT_OK(cursor_jump(&cursor, iaddr(0)));
	EXPECT_OK(cursor_unmap(&cursor, 2 * PAGE_SIZE, NULL));
	EXPECT_STATUS(ownership_unshare(&segment, stage.of_a), MM_IN_USE);
	cursor_flush(&cursor);
	EXPECT_OK(ownership_unshare(&segment, stage.of_a));
	EXPECT_OK(ownership_donate(&segment, &stage.a, &stage.b, FRAME_ZEROED));
	EXPECT_TRUE(is_in_state(&stage, segment.start, PRIVATE_B));
	cursor_close(&cursor);
	segment_drop(&segment);
	ownership_tear_down(&stage);
}

/* A sharing outlives its owner and its members: what was theirs is nobody else's. */
TEST(sharings_outlive_their_spaces)
{
	struct vm_space owner, member, next;
	const struct vm_space *const members[] = { &member };
	struct segment segment = world_segment(world, 2, PAGE_SIZE);
	struct segment lent;
	struct sharing *sharing;
	frame_t frame;

	world_space(world, &owner);
	world_space(world, &member);
	EXPECT_OK(sharing_new(&owner, members, 1, &sharing));
	EXPECT_TRUE(sharing_owner(sharing) == &owner);
	EXPECT_TRUE(sharing_has_member(sharing, &member));
	EXPECT_FALSE(sharing_has_member(sharing, &owner));
	EXPECT_OK(ownership_donate(&segment, NULL, &owner, FRAME_UNDEFINED));
	EXPECT_OK(segment_split(&segment, PAGE_SIZE, &lent));
	EXPECT_OK(ownership_share(&segment, sharing));
	EXPECT_OK(ownership_lend(&lent, sharing));
	EXPECT_STATUS(sharing_destroy(sharing), MM_BUSY);

	EXPECT_OK(vm_space_destroy(&owner));
	EXPECT_TRUE(sharing_owner(sharing) == NULL);
	world_space(world, &next);
	EXPECT_FALSE(sharing_has_member(sharing, &next));
	EXPECT_OK(frame_from_in_use(segment.start, &frame));
	EXPECT_STATUS(try_map(&next, &frame), MM_ACCESS_DENIED);
	EXPECT_OK(try_map(&member, &frame));
	EXPECT_OK(vm_space_destroy(&member));
	EXPECT_FALSE(sharing_has_member(sharing, &member));
	EXPECT_STATUS(try_map(&next, &frame), MM_ACCESS_DENIED);
	frame_drop(&frame);

	/* The hypervisor is the owner now: it takes back what nobody else may have. */
	EXPECT_STATUS(sharing_destroy(sharing), MM_BUSY);
	EXPECT_OK(ownership_unshare(&segment, sharing));
	EXPECT_STATUS(sharing_destroy(sharing), MM_BUSY);
	EXPECT_OK(ownership_reclaim(&lent, sharing, FRAME_ZEROED));
	EXPECT_TRUE(is_hypervisors(segment.start));
	EXPECT_TRUE(is_hypervisors(lent.start));
	EXPECT_OK(sharing_destroy(sharing));
	segment_drop(&segment);
	segment_drop(&lent);
	EXPECT_OK(vm_space_destroy(&next));
}

TEST(sharings_refuse_what_is_no_set_of_spaces)
{
	struct sharing *sharing = NULL;
	struct ownership_stage stage;
	struct segment segment = world_segment(world, 1, PAGE_SIZE);

	ownership_set_up(world, &stage);

	const struct vm_space *const twice[] = { &stage.a, &stage.b, &stage.a };
	const struct vm_space *const el2[] = { world_el2_space(world) };
	const struct vm_space *const nobody[] = { NULL };

	EXPECT_STATUS(sharing_new(NULL, twice, 3, &sharing), MM_INVALID_ARGS);
	EXPECT_STATUS(sharing_new(&stage.a, twice, 2, &sharing), MM_INVALID_ARGS);
	EXPECT_STATUS(sharing_new(NULL, el2, 1, &sharing), MM_INVALID_ARGS);
	EXPECT_STATUS(sharing_new(el2[0], twice, 1, &sharing), MM_INVALID_ARGS);
	EXPECT_STATUS(sharing_new(NULL, nobody, 1, &sharing), MM_INVALID_ARGS);
	EXPECT_STATUS(sharing_new(NULL, twice, SIZE_MAX, &sharing), MM_INVALID_ARGS);
	EXPECT_TRUE(sharing == NULL);
	EXPECT_STATUS(ownership_donate(&segment, NULL, NULL, FRAME_ZEROED), MM_INVALID_ARGS);
	EXPECT_STATUS(ownership_donate(&segment, &stage.a, &stage.a, FRAME_ZEROED),
		      MM_INVALID_ARGS);
	EXPECT_STATUS(ownership_donate(&segment, NULL, el2[0], FRAME_ZEROED), MM_INVALID_ARGS);
	EXPECT_STATUS(ownership_donate(&segment, el2[0], &stage.a, FRAME_ZEROED), MM_INVALID_ARGS);
	EXPECT_TRUE(is_hypervisors(segment.start));
	segment_drop(&segment);
	/* One without members is of no use, but no harm. */
	EXPECT_OK(sharing_new(NULL, NULL, 0, &sharing));
	EXPECT_OK(sharing_destroy(sharing));
	ownership_tear_down(&stage);
}

/* More spaces than there can be owners at a time, one after another; each leaves a page behind. */
TEST(owners_come_and_go)
{
	enum { SPACES = 70000, KEPT = 64 };
	frame_t kept[KEPT];
	struct vm_space space;

	for (unsigned int i = 0; i < SPACES; i++) {
		if (i >= KEPT && i % 7 == 0) {
			EXPECT_TRUE(is_hypervisors(kept[i % KEPT].paddr));
			frame_drop(&kept[i % KEPT]);
			kept[i % KEPT] = world_frame(world);
		} else if (i < KEPT) {
			kept[i] = world_frame(world);
		}
		EXPECT_OK(vm_space_new_stage2(32, &space));
		EXPECT_OK(try_map(&space, &kept[i % KEPT]));
		EXPECT_TRUE(is_private(&kept[i % KEPT], &space));
		EXPECT_OK(vm_space_destroy(&space));
	}
	for (size_t i = 0; i < KEPT; i++)
		frame_drop(&kept[i]);
}

/* There are 32766 owners at most. What would make one more fails, and nothing is lost: each of
 * them is there again when the others go. */
TEST(the_last_owner_id_is_refused)
{
	enum { SHARINGS = 32766 / 2 };
	static struct sharing *sharings[SHARINGS];
	struct sharing *refused = NULL;
	struct vm_space space, other;
	uint64_t tables;

	for (size_t i = 0; i < SHARINGS; i++)
		EXPECT_OK(sharing_new(NULL, NULL, 0, &sharings[i]));
	tables = world_pages(PAGE_TABLE);
	for (int again = 0; again < 3; again++) {
		EXPECT_STATUS(sharing_new(NULL, NULL, 0, &refused), MM_NO_MEMORY);
		EXPECT_STATUS(vm_space_new_stage2(32, &space), MM_NO_MEMORY);
	}
	EXPECT_TRUE(refused == NULL);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);

	EXPECT_OK(sharing_destroy(sharings[SHARINGS / 2]));
	EXPECT_OK(vm_space_new_stage2(32, &space));
	/* One is left, and a sharing is two. */
	EXPECT_STATUS(sharing_new(&space, NULL, 0, &refused), MM_NO_MEMORY);
	EXPECT_OK(vm_space_new_stage2(32, &other));
	EXPECT_STATUS(vm_space_new_stage2(32, &other), MM_NO_MEMORY);
	EXPECT_OK(vm_space_destroy(&space));
	EXPECT_OK(vm_space_destroy(&other));
	EXPECT_OK(sharing_new(NULL, NULL, 0, &sharings[SHARINGS / 2]));
	for (size_t i = 0; i < SHARINGS; i++)
		EXPECT_OK(sharing_destroy(sharings[i]));
}

#if STRATA_CHECKED

/* A map for which there is no table leaves the page to the hypervisor. */
TEST(a_map_without_memory_claims_nothing)
{
	struct vm_space space;
	struct segment segment = world_segment(world, 3, PAGE_SIZE);
	struct cursor cursor;
	frame_t frame;

	world_space(world, &space);
	open_at(&space, 0, MIB(2), &cursor);
	mm_fail_allocation(1);
	EXPECT_STATUS(cursor_map_segment(&cursor, &segment, READ_WRITE), MM_NO_MEMORY);
	EXPECT_OK(frame_from_in_use(segment.start, &frame));
	mm_fail_allocation(1);
	EXPECT_STATUS(cursor_map(&cursor, &frame, READ_WRITE), MM_NO_MEMORY);
	mm_fail_allocation(1);
	EXPECT_STATUS(cursor_map_frames(&cursor, &frame, 1, READ_WRITE), MM_NO_MEMORY);
	mm_fail_allocation(0);
	for (uint64_t i = 0; i < 3; i++)
		EXPECT_TRUE(is_hypervisors(page_of(&segment, i)));
	frame_drop(&frame);
	segment_drop(&segment);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

#endif

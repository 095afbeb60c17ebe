/* SPDX-License-Identifier: BSD-3-Clause */
#include "owner_story.h"

#define SEGMENT 2001

struct vm_space neighbour;
struct sharing *const sharing = (struct sharing *)0x5000;
static const struct vm_space *const members[] = { &neighbour };

struct prange part(unsigned int first, unsigned int count)
{
	return prange(paddr(data(first)), paddr(data(first + count)));
}

int owner_set_up(void **state)
{
	struct mm_operation made = {
		.kind = OPERATION_SEGMENT_FROM_UNUSED,
		.pages = part(8, 2),
		.made = { { .certificate = { 1, SEGMENT },
			    .pages = part(8, 2),
			    .kind = SHARE_SEGMENT } },
	};

	story_set_up(state);
	neighbour = story_space;
	neighbour.root = fake_page(20);
	fake_set_state(neighbour.root, PAGE_TABLE, 1);
	fake_operation(&(struct mm_operation){ .kind = OPERATION_SPACE_NEW, .space = &neighbour });
	for (unsigned int page = 8; page < 10; page++)
		fake_set_state(paddr(data(page)), PAGE_FRAME, 1);
	fake_operation(&made);
	expect_truth();
	return 0;
}

void tell_sharing(enum mm_operation_kind kind, enum mm_status status)
{
	fake_operation(&(struct mm_operation){ .kind = kind,
					       .status = status,
					       .from = &story_space,
					       .sharing = sharing,
					       .members = members,
					       .member_count = 1 });
}

void tell_settled(void)
{
	fake_operation(
		&(struct mm_operation){ .kind = OPERATION_OWNERSHIP_SETTLED, .pages = part(8, 2) });
}

/* Of the segment's pages, and nothing else is as if it were. */
static struct mm_operation change(enum mm_operation_kind kind, enum mm_status status)
{
	return (struct mm_operation){ .kind = kind,
				      .status = status,
				      .sharing = sharing,
				      .contents = FRAME_UNDEFINED,
				      .pages = part(8, 2),
				      .used = { .certificate = { 1, SEGMENT },
						.pages = part(8, 2),
						.kind = SHARE_SEGMENT } };
}

void tell_change(enum mm_operation_kind kind, enum mm_status status)
{
	struct mm_operation operation = change(kind, status);

	fake_operation(&operation);
}

void tell_donation(const struct vm_space *from, const struct vm_space *to, enum mm_status status,
		   enum frame_contents contents)
{
	struct mm_operation operation = change(OPERATION_OWNERSHIP_DONATE, status);

	operation.sharing = NULL;
	operation.from = from;
	operation.to = to;
	operation.contents = contents;
	fake_operation(&operation);
}

void set_owner(const struct vm_space *space)
{
	fake_set_owner(paddr(data(8)), space);
	fake_set_owner(paddr(data(9)), space);
}

void set_sharing(bool lent)
{
	fake_set_sharing(paddr(data(8)), sharing, lent);
	fake_set_sharing(paddr(data(9)), sharing, lent);
}

void donate_to_story(void)
{
	set_owner(&story_space);
	tell_donation(NULL, &story_space, MM_OK, FRAME_UNDEFINED);
	tell_settled();
}

void share_by_story(void)
{
	donate_to_story();
	tell_sharing(OPERATION_SHARING_NEW, MM_OK);
	set_sharing(false);
	tell_change(OPERATION_OWNERSHIP_SHARE, MM_OK);
}

void lend_by_story(void)
{
	donate_to_story();
	tell_sharing(OPERATION_SHARING_NEW, MM_OK);
	set_sharing(true);
	tell_change(OPERATION_OWNERSHIP_LEND, MM_OK);
	tell_settled();
}

static const struct mm_handle frame_of_8 = { .certificate = { 1, 3001 },
					     .pages = { { FAKE_BASE + (DATA_PAGE + 8) * PAGE_SIZE },
							{ FAKE_BASE +
							  (DATA_PAGE + 9) * PAGE_SIZE } },
					     .kind = SHARE_FRAME };

void tell_frame_of_8(void)
{
	struct mm_operation one_more = { .kind = OPERATION_FRAME_FROM_IN_USE, .pages = part(8, 1) };

	one_more.made[0] = frame_of_8;
	fake_set_state(paddr(data(8)), PAGE_FRAME, 2);
	fake_operation(&one_more);
}

void tell_map_of_8(enum mm_status status)
{
	fake_operation(&(struct mm_operation){ .kind = OPERATION_CURSOR_MAP,
					       .status = status,
					       .space = &story_space,
					       .cursor = &story_cursor,
					       .position = iaddr(4 * PAGE_SIZE),
					       .range = pages(4, 1),
					       .output = paddr(data(8)),
					       .property = RW,
					       .counted = true,
					       .used = frame_of_8 });
}

void map_8(void)
{
	tell_frame_of_8();
	map_frame_of_8();
}

void map_frame_of_8(void)
{
	*fake_descriptor(LEAVES, 4) = LEAF_RW | data(8);
	story_cursor.position = iaddr(5 * PAGE_SIZE);
	tell_map_of_8(MM_OK);
}

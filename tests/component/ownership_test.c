/* SPDX-License-Identifier: BSD-3-Clause */
/* Ownership: every change from every state, and what may be mapped where. */
#include "ownership_stage.h"

enum { SEGMENT = 3 };

/* A word of each page that no change of owner may touch. */
static uint64_t mark_of(struct paddr page)
{
	return page.value ^ UINT64_C(0x6d61726b);
}

static struct segment marked_segment(struct world *world)
{
	struct segment segment = world_segment(world, SEGMENT, PAGE_SIZE);

	for (uint64_t i = 0; i < SEGMENT; i++)
		world_write(page_of(&segment, i), mark_of(page_of(&segment, i)));
	return segment;
}

/* Each page is in its state, has its references, and has its mark. */
static void expect_pages(const struct ownership_stage *stage, const char *what,
			 const struct segment *segment, const enum state *states, uint64_t held)
{
	for (uint64_t i = 0; i < SEGMENT; i++) {
		struct paddr page = page_of(segment, i);

		if (!is_in_state(stage, page, states[i]))
			FAIL("%s: page %d is not in state %d", what, (int)i, (int)states[i]);
		EXPECT_EQUAL(references_of(page), held == i ? 2 : 1);
		EXPECT_EQUAL(world_read(page), mark_of(page));
	}
}

static void try_change(struct world *world, struct ownership_stage *stage, enum change change,
		       enum state state, uint64_t held)
{
	const struct change_row *row = &changes[change];
	struct segment segment = marked_segment(world);
	enum mm_status expected = state == row->from ? MM_OK : MM_ACCESS_DENIED;
	enum state after[SEGMENT];
	frame_t holder;

	bring_to(stage, &segment, state);
	if (held < SEGMENT)
		EXPECT_OK(frame_from_in_use(page_of(&segment, held), &holder));
	if (held < SEGMENT && row->alone)
		expected = MM_IN_USE;
	EXPECT_STATUS(do_change(stage, change, &segment, FRAME_UNDEFINED), expected);
	for (size_t i = 0; i < SEGMENT; i++)
		after[i] = expected == MM_OK ? row->to : state;
	expect_pages(stage, row->name, &segment, after, held);
	if (held < SEGMENT)
		frame_drop(&holder);
	segment_drop(&segment);
}

/* Every change, from every state: done if the pages are its to change, and nobody who would lose them
 * holds one; else nothing is changed. */
TEST(every_change_of_owner_from_every_state)
{
	struct ownership_stage stage;

	ownership_set_up(world, &stage);
	for (int change = 0; change < CHANGES; change++)
		for (int state = 0; state < STATES; state++)
			for (uint64_t held = 0; held <= SEGMENT; held++)
				try_change(world, &stage, (enum change)change, (enum state)state,
					   held);
	ownership_tear_down(&stage);
}

/* What bring_page_to cannot bring about. */
static bool is_lent(enum state state)
{
	return state == LENT_BY_A || state == LENT_BY_HYPERVISOR;
}

/* One page of another owner, wherever it lies, stops a change; no page is changed. */
TEST(one_page_of_another_owner_stops_a_change)
{
	struct ownership_stage stage;

	ownership_set_up(world, &stage);
	for (int change = 0; change < CHANGES; change++)
		for (int other = 0; other < STATES; other++)
			for (uint64_t odd = 0; odd < SEGMENT; odd++) {
				const struct change_row *row = &changes[change];
				enum state states[SEGMENT];
				struct segment segment;

				if (is_lent(row->from) || is_lent((enum state)other) ||
				    (enum state)other == row->from)
					continue;
				segment = marked_segment(world);
				for (uint64_t i = 0; i < SEGMENT; i++) {
					states[i] = i == odd ? (enum state)other : row->from;
					bring_page_to(&stage, &segment, i, states[i]);
				}
				EXPECT_STATUS(do_change(&stage, (enum change)change, &segment,
							FRAME_ZEROED),
					      MM_ACCESS_DENIED);
				expect_pages(&stage, row->name, &segment, states, SEGMENT);
				segment_drop(&segment);
			}
	ownership_tear_down(&stage);
}

/* The ways to map three pages. */
enum way { BY_FRAME, BY_SEGMENT, BY_FRAMES, BY_REPLACE, WAYS };

static enum mm_status map_by(enum way way, struct cursor *cursor, struct paddr page)
{
	struct segment segment;
	enum mm_status status;
	frame_t frame;

	EXPECT_OK(frame_from_in_use(page, &frame));
	if (way == BY_SEGMENT) {
		segment = segment_from_frame(&frame);
		status = cursor_map_segment(cursor, &segment, READ_WRITE);
		if (status != MM_OK)
			segment_drop(&segment);
		return status;
	}
	if (way == BY_FRAME)
		status = cursor_map(cursor, &frame, READ_WRITE);
	else if (way == BY_FRAMES)
		status = cursor_map_frames(cursor, &frame, 1, READ_WRITE);
	else
		status = cursor_replace(cursor, &frame, READ_WRITE);
	if (status != MM_OK)
		frame_drop(&frame);
	return status;
}

/* The page in @state is mapped into @space, or not, by each way; then its state is @after. */
static void try_maps(struct world *world, struct ownership_stage *stage, struct vm_space *space,
		     enum state state, bool may, enum state after)
{
	for (int way = 0; way < WAYS; way++) {
		struct segment segment = marked_segment(world);
		struct paddr page = segment.start;
		uint64_t tables;
		struct paddr old = page;
		struct cursor cursor;

		bring_to(stage, &segment, state);
		tables = world_pages(PAGE_TABLE);
		if (way == BY_REPLACE)
			old = map_frame_at(world, space, MIB(4), READ_WRITE);
		open_at(space, MIB(4), PAGE_SIZE, &cursor);
		EXPECT_STATUS(map_by((enum way)way, &cursor, page), may ? MM_OK : MM_ACCESS_DENIED);
		EXPECT_EQUAL(cursor_virt_addr(&cursor).value, MIB(4) + (may ? PAGE_SIZE : 0));
		cursor_close(&cursor);
		EXPECT_TRUE(is_in_state(stage, page, may ? after : state));
		EXPECT_EQUAL(references_of(page), may ? 2 : 1);
		if (may || way == BY_REPLACE)
			expect_mapped(space, MIB(4), may ? page.value : old.value, PAGE_SIZE,
				      READ_WRITE);
		else
			EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
		EXPECT_EQUAL(unmap_at(space, MIB(4), PAGE_SIZE), may || way == BY_REPLACE);
		EXPECT_TRUE(is_in_state(stage, page, may ? after : state));
		EXPECT_EQUAL(world_read(page), mark_of(page));
		segment_drop(&segment);
	}
}

/* A space maps its own pages and those of its sharings, and makes the hypervisor's its own. */
TEST(spaces_map_what_the_owner_permits)
{
	struct ownership_stage stage;

	ownership_set_up(world, &stage);
	for (int i = 0; i < STATES; i++) {
		enum state state = (enum state)i;

		try_maps(world, &stage, &stage.a, state, a_may_map(state),
			 state == HYPERVISORS ? PRIVATE_A : state);
		try_maps(world, &stage, &stage.b, state, b_may_map(state),
			 state == HYPERVISORS ? PRIVATE_B : state);
		if (state != HYPERVISORS)
			try_maps(world, &stage, &stage.stranger, state, false, state);
	}
	ownership_tear_down(&stage);
}

/* EL2's own table maps any frame, and owns none. */
TEST(el2_maps_any_frame_and_claims_none)
{
	uint64_t window = world_el2_window(world).start.value;
	struct ownership_stage stage;

	ownership_set_up(world, &stage);
	for (int state = 0; state < STATES; state++) {
		struct segment segment = marked_segment(world);
		struct cursor cursor;

		bring_to(&stage, &segment, (enum state)state);
		open_at(world_el2_space(world), window, PAGE_SIZE, &cursor);
		EXPECT_OK(map_by(BY_FRAME, &cursor, segment.start));
		EXPECT_TRUE(is_in_state(&stage, segment.start, (enum state)state));
		EXPECT_OK(cursor_jump(&cursor, iaddr(window)));
		EXPECT_OK(cursor_unmap(&cursor, PAGE_SIZE, NULL));
		cursor_close(&cursor);
		segment_drop(&segment);
	}
	ownership_tear_down(&stage);
}

/* Of many pages in one call all are mapped, and become the space's, or none: whichever is another's. */
TEST(one_page_of_another_owner_stops_a_map)
{
	enum { PAGES = 9 };
	struct ownership_stage stage;

	ownership_set_up(world, &stage);
	for (uint64_t odd = 0; odd <= PAGES; odd++) {
		struct segment segment = world_segment(world, PAGES, PAGE_SIZE);
		struct segment clone;
		frame_t frames[PAGES];
		struct cursor cursor;
		enum mm_status expected = odd < PAGES ? MM_ACCESS_DENIED : MM_OK;

		/* Some of every owner that A may have the page of. */
		bring_page_to(&stage, &segment, 2, PRIVATE_A);
		bring_page_to(&stage, &segment, 5, SHARED_BY_A);
		bring_page_to(&stage, &segment, 7, SHARED_BY_HYPERVISOR);
		if (odd == 2 || odd == 5 || odd == 7) {
			segment_drop(&segment);
			continue;
		}
		if (odd < PAGES)
			bring_page_to(&stage, &segment, odd, PRIVATE_B);
		open_at(&stage.a, MIB(4), MIB(2), &cursor);
		for (size_t i = 0; i < PAGES; i++)
			EXPECT_OK(frame_from_in_use(page_of(&segment, PAGES - 1 - i), &frames[i]));
		EXPECT_STATUS(cursor_map_frames(&cursor, frames, PAGES, READ_WRITE), expected);
		for (size_t i = 0; odd < PAGES && i < PAGES; i++)
			frame_drop(&frames[i]);
		for (uint64_t i = 0; odd < PAGES && i < PAGES; i++)
			if (i != 2 && i != 5 && i != 7 && i != odd)
				EXPECT_TRUE(is_in_state(&stage, page_of(&segment, i), HYPERVISORS));
		EXPECT_OK(segment_clone(&segment, &clone));
		EXPECT_STATUS(cursor_map_segment(&cursor, &clone, READ_WRITE), expected);
		if (odd < PAGES)
			segment_drop(&clone);
		cursor_close(&cursor);
		for (uint64_t i = 0; i < PAGES; i++) {
			struct paddr page = page_of(&segment, i);
			enum state state = i == 2	       ? PRIVATE_A
					   : i == 5	       ? SHARED_BY_A
					   : i == 7	       ? SHARED_BY_HYPERVISOR
					   : i == odd	       ? PRIVATE_B
					   : expected == MM_OK ? PRIVATE_A
							       : HYPERVISORS;

			EXPECT_TRUE(is_in_state(&stage, page, state));
			EXPECT_EQUAL(references_of(page), expected == MM_OK ? 3 : 1);
		}
		EXPECT_EQUAL(unmap_at(&stage.a, MIB(4), MIB(2)), expected == MM_OK ? 2 * PAGES : 0);
		segment_drop(&segment);
	}
	ownership_tear_down(&stage);
}

/* Two clones of one frame in one call: the page becomes the space's once, and is so until both went. */
TEST(a_page_that_is_mapped_twice_in_one_call_is_owned_once)
{
	frame_t frames[2] = { world_frame(world) };
	struct paddr page = frames[0].paddr;
	struct vm_space space;
	struct cursor cursor;

	world_space(world, &space);
	EXPECT_OK(frame_clone(&frames[0], &frames[1]));
	open_at(&space, 0, MIB(2), &cursor);
	EXPECT_OK(cursor_map_frames(&cursor, frames, 2, READ_WRITE));
	cursor_close(&cursor);
	EXPECT_EQUAL(references_of(page), 2);
	EXPECT_TRUE(page_owner(page).space == &space);
	EXPECT_EQUAL(unmap_at(&space, 0, PAGE_SIZE), 1);
	EXPECT_TRUE(page_owner(page).space == &space);
	EXPECT_EQUAL(unmap_at(&space, PAGE_SIZE, PAGE_SIZE), 1);
	EXPECT_EQUAL(references_of(page), 0);
	EXPECT_OK(vm_space_destroy(&space));
}

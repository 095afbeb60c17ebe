/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames: counted references to pages. */
#include "harness.h"
#include <strata/frame.h>

static struct page_state state_of(struct paddr paddr)
{
	struct page_state state;

	EXPECT_OK(page_state(paddr, &state));
	return state;
}

static void expect_state(struct paddr paddr, enum page_usage usage, uint32_t references)
{
	struct page_state state = state_of(paddr);

	EXPECT_EQUAL(state.usage, usage);
	EXPECT_EQUAL(state.references, references);
}

/* A page of memory that is free now. */
static struct paddr free_page(struct world *world)
{
	frame_t frame = world_frame(world);
	struct paddr page = frame.paddr;

	frame_drop(&frame);
	return page;
}

/* An address at which there is no memory, page aligned. */
static struct paddr no_memory(void)
{
	return paddr(UINT64_C(1) << 47);
}

TEST(frame_alloc_gives_one_reference)
{
	frame_t frame;

	EXPECT_OK(frame_alloc(FRAME_UNDEFINED, &frame));
	EXPECT_TRUE(is_page_aligned(frame.paddr.value));
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	expect_state(frame.paddr, PAGE_FRAME, 1);
	frame_drop(&frame);
	expect_state(frame.paddr, PAGE_UNUSED, 0);
}

/* Zeroed means every byte, also of a page that was written to before. */
TEST(frame_alloc_zeroes)
{
	for (int round = 0; round < 3; round++) {
		frame_t frame = world_frame(world);

		for (uint64_t offset = 0; offset < PAGE_SIZE; offset += 8) {
			struct paddr word = paddr(frame.paddr.value + offset);

			EXPECT_EQUAL(world_read(word), 0);
			world_write(word, UINT64_MAX);
		}
		frame_drop(&frame);
	}
}

TEST(frame_from_unused_takes_the_page_asked_for)
{
	struct paddr page = free_page(world);
	frame_t frame;

	world_write(page, 42);
	EXPECT_OK(frame_from_unused(page, &frame));
	EXPECT_EQUAL(frame.paddr.value, page.value);
	expect_state(page, PAGE_FRAME, 1);
	EXPECT_EQUAL(world_read(page), 42);
	frame_drop(&frame);
}

/* Alignment is looked at first. */
TEST(frame_functions_refuse_what_is_no_page)
{
	frame_t frame = { .paddr = paddr(1) };
	struct page_state state;
	struct paddr crooked = paddr(no_memory().value + 8);

	EXPECT_STATUS(frame_from_unused(crooked, &frame), MM_NOT_ALIGNED);
	EXPECT_STATUS(frame_from_unused(no_memory(), &frame), MM_OUT_OF_BOUND);
	EXPECT_STATUS(frame_from_in_use(crooked, &frame), MM_NOT_ALIGNED);
	EXPECT_STATUS(frame_from_in_use(no_memory(), &frame), MM_OUT_OF_BOUND);
	EXPECT_STATUS(page_state(crooked, &state), MM_NOT_ALIGNED);
	EXPECT_STATUS(page_state(no_memory(), &state), MM_OUT_OF_BOUND);
	EXPECT_STATUS(page_state(paddr(UINT64_MAX - PAGE_SIZE + 1), &state), MM_OUT_OF_BOUND);
	EXPECT_EQUAL(frame.paddr.value, 1);
}

/* Of memory too only the first byte of a page is its address. */
TEST(frame_functions_refuse_the_inside_of_a_page)
{
	struct paddr inside = paddr(free_page(world).value + PAGE_SIZE / 2);
	frame_t frame = { .paddr = paddr(1) };
	struct page_state state;

	EXPECT_STATUS(frame_from_unused(inside, &frame), MM_NOT_ALIGNED);
	EXPECT_STATUS(frame_from_in_use(inside, &frame), MM_NOT_ALIGNED);
	EXPECT_STATUS(page_state(inside, &state), MM_NOT_ALIGNED);
	EXPECT_EQUAL(frame.paddr.value, 1);
}

TEST(frame_from_unused_refuses_a_page_with_an_owner)
{
	frame_t frame = world_frame(world);
	frame_t second = { .paddr = paddr(1) };

	EXPECT_STATUS(frame_from_unused(frame.paddr, &second), MM_IN_USE);
	EXPECT_EQUAL(second.paddr.value, 1);
	expect_state(frame.paddr, PAGE_FRAME, 1);
	frame_drop(&frame);
}

TEST(frame_from_in_use_is_one_more_reference)
{
	frame_t frame = world_frame(world);
	frame_t second;

	EXPECT_OK(frame_from_in_use(frame.paddr, &second));
	EXPECT_EQUAL(second.paddr.value, frame.paddr.value);
	expect_state(frame.paddr, PAGE_FRAME, 2);
	frame_drop(&frame);
	expect_state(second.paddr, PAGE_FRAME, 1);
	frame_drop(&second);
}

TEST(frame_from_in_use_refuses_a_free_page)
{
	struct paddr page = free_page(world);
	frame_t frame = { .paddr = paddr(1) };

	EXPECT_STATUS(frame_from_in_use(page, &frame), MM_UNUSED);
	EXPECT_EQUAL(frame.paddr.value, 1);
}

/* A table of a space is in use, but nobody's data. */
TEST(frame_functions_refuse_a_page_table)
{
	struct vm_space space;
	frame_t frame;

	world_space(world, &space);
	expect_state(space.root, PAGE_TABLE, 1);
	EXPECT_STATUS(frame_from_in_use(space.root, &frame), MM_ACCESS_DENIED);
	EXPECT_STATUS(frame_from_unused(space.root, &frame), MM_IN_USE);
	EXPECT_OK(vm_space_destroy(&space));
}

/* The last of several drops, in either order, frees the page. */
TEST(frame_clones_are_dropped_in_any_order)
{
	for (unsigned int first = 0; first < 3; first++) {
		frame_t frames[3];

		frames[0] = world_frame(world);
		EXPECT_OK(frame_clone(&frames[0], &frames[1]));
		EXPECT_OK(frame_clone(&frames[1], &frames[2]));
		for (unsigned int i = 0; i < 3; i++) {
			EXPECT_EQUAL(frame_reference_count(&frames[(first + i) % 3]), 3 - i);
			frame_drop(&frames[(first + i) % 3]);
		}
		expect_state(frames[0].paddr, PAGE_UNUSED, 0);
	}
}

TEST(frame_raw_form_keeps_the_reference)
{
	frame_t frame = world_frame(world);
	struct paddr page = frame_into_raw(&frame);

	expect_state(page, PAGE_FRAME, 1);
	frame = frame_from_raw(page);
	EXPECT_EQUAL(frame.paddr.value, page.value);
	EXPECT_EQUAL(frame_reference_count(&frame), 1);
	frame_drop(&frame);
}

TEST(frame_borrow_is_not_counted)
{
	frame_t frame = world_frame(world);
	frame_t name = frame_borrow(&frame);

	EXPECT_EQUAL(name.paddr.value, frame.paddr.value);
	EXPECT_EQUAL(frame_reference_count(&name), 1);
	frame_drop(&frame);
}

TEST(usage_counts_follow_frames)
{
	uint64_t frames = world_pages(PAGE_FRAME);
	uint64_t unused = world_pages(PAGE_UNUSED);
	frame_t frame = world_frame(world);

	EXPECT_EQUAL(world_pages(PAGE_FRAME), frames + 1);
	EXPECT_EQUAL(world_pages(PAGE_UNUSED), unused - 1);
	frame_drop(&frame);
	EXPECT_EQUAL(world_pages(PAGE_FRAME), frames);
}

TEST(linear_map_and_its_inverse)
{
	frame_t frame = world_frame(world);
	struct paddr inside = paddr(frame.paddr.value + 0x123);

	EXPECT_EQUAL(mm_physical(mm_linear(inside)).value, inside.value);
	frame_drop(&frame);
}

TEST(names_are_the_enumerators)
{
	EXPECT_TRUE(mm_status_name(MM_OK)[3] == 'O');
#define EXPECT_NAME(name, meaning) EXPECT_TRUE(__builtin_strcmp(mm_status_name(name), #name) == 0);
	MM_STATUS_LIST(EXPECT_NAME)
#define EXPECT_USAGE_NAME(name, text)                                                              \
	EXPECT_TRUE(__builtin_strcmp(page_usage_name(name), text) == 0);
	PAGE_USAGE_LIST(EXPECT_USAGE_NAME)
	EXPECT_TRUE(__builtin_strcmp(mm_status_name((enum mm_status)99), "unknown status") == 0);
	EXPECT_TRUE(__builtin_strcmp(page_usage_name(PAGE_USAGE_COUNT), "unknown usage") == 0);
}

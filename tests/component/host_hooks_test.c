/* SPDX-License-Identifier: BSD-3-Clause */
/* The hooks of a host, on a machine of its own: what it is told, and what it is asked. */
#include "mapping.h"
#include <strata/frame_list.h>
#include <strata/memory.h>
#include <string.h>

#define BASE UINT64_C(0x40000000)
#define ADDED UINT64_C(0x50000000)

static struct {
	unsigned int times;
	const char *event;
	uint64_t value;
} said;

static unsigned int asked[MM_HELD_MACHINE + 1];
static const void *asked_about;

static void note_event(const char *event, uint64_t value)
{
	said.times++;
	said.event = event;
	said.value = value;
}

static void note_question(enum mm_held what, const void *object)
{
	asked[what]++;
	if (object != NULL)
		asked_about = object;
}

static void start(struct world *world, bool with_hooks)
{
	struct world_config config = world_config_of(prange(paddr(BASE), paddr(BASE + MIB(16))),
						     prange(paddr(ADDED), paddr(ADDED + MIB(64))));

	config.machine.features.vmid_bits = 8;
	memset(&said, 0, sizeof(said));
	memset(asked, 0, sizeof(asked));
	world_restart_told(world, &config,
			   (struct mm_config){
				   .log = with_hooks ? note_event : NULL,
				   .assert_held = with_hooks ? note_question : NULL,
			   });
}

static void expect_said(unsigned int times, const char *event, uint64_t value)
{
	EXPECT_EQUAL(said.times, times);
	EXPECT_TRUE(strcmp(said.event, event) == 0);
	EXPECT_EQUAL(said.value, value);
}

TEST(host_is_told_of_memory_that_comes_and_goes)
{
	const struct prange added = prange(paddr(ADDED), paddr(ADDED + MIB(8)));

	start(world, true);
	expect_said(1, "pages of memory were taken over", MIB(16) / PAGE_SIZE);
	EXPECT_OK(mm_memory_add(added));
	expect_said(2, "pages of memory were added", MIB(8) / PAGE_SIZE);
	EXPECT_STATUS(mm_memory_add(added), MM_EXISTS);
	EXPECT_OK(mm_memory_remove(added));
	expect_said(3, "pages of memory were removed", MIB(8) / PAGE_SIZE);
	EXPECT_STATUS(mm_memory_remove(added), MM_INVALID_ARGS);
	EXPECT_EQUAL(said.times, 3);
}

/* 8 bits of VMID, of which 0 is nobody's: the 256th space begins a new generation. */
TEST(host_is_told_that_vmids_came_round)
{
	static struct vm_space spaces[256];

	start(world, true);
	said.times = 0;
	for (size_t i = 0; i < COUNT_OF(spaces); i++) {
		EXPECT_EQUAL(said.times, 0);
		EXPECT_OK(vm_space_new_stage2(39, &spaces[i]));
		EXPECT_OK(vm_space_activate(&spaces[i]));
		world_rest(world);
	}
	expect_said(1, "VMIDs came round, and their generation is", 2);
	for (size_t i = 0; i < COUNT_OF(spaces); i++)
		EXPECT_OK(vm_space_destroy(&spaces[i]));
}

#if STRATA_CHECKED

static unsigned int asked_since(enum mm_held what)
{
	unsigned int times = asked[what];

	asked[what] = 0;
	return times;
}

TEST(host_is_asked_whether_a_list_is_held)
{
	struct frame_list list;
	struct frame_list_cursor cursor;
	unique_frame_t frame;

	start(world, true);
	frame_list_init(&list);
	EXPECT_OK(unique_frame_alloc(FRAME_UNDEFINED, NULL, &frame));
	EXPECT_EQUAL(asked_since(MM_HELD_LIST), 0);
	EXPECT_OK(frame_list_push_back(&list, &frame));
	EXPECT_EQUAL(asked_since(MM_HELD_LIST), 1);
	EXPECT_TRUE(asked_about == &list);
	cursor = frame_list_cursor_front(&list);
	frame_list_cursor_move_next(&cursor);
	frame_list_cursor_move_prev(&cursor);
	EXPECT_EQUAL(asked_since(MM_HELD_LIST), 2);
	EXPECT_TRUE(frame_list_cursor_take(&cursor, &frame));
	EXPECT_TRUE(asked_since(MM_HELD_LIST) > 0);
	EXPECT_OK(frame_list_cursor_insert_before(&cursor, &frame));
	EXPECT_EQUAL(asked_since(MM_HELD_LIST), 1);
	EXPECT_TRUE(frame_list_pop_front(&list, &frame));
	EXPECT_EQUAL(asked_since(MM_HELD_LIST), 1);
	unique_frame_drop(&frame);
	frame_list_drop(&list);
	EXPECT_EQUAL(asked_since(MM_HELD_LIST), 1);
}

TEST(host_is_asked_whether_memory_may_come_and_go)
{
	const struct prange added = prange(paddr(ADDED), paddr(ADDED + MIB(8)));

	start(world, true);
	EXPECT_EQUAL(asked_since(MM_HELD_MEMORY) + asked_since(MM_HELD_MACHINE), 0);
	EXPECT_OK(mm_memory_add(added));
	EXPECT_EQUAL(asked_since(MM_HELD_MEMORY), 1);
	EXPECT_EQUAL(asked_since(MM_HELD_MACHINE), 0);
	EXPECT_OK(mm_memory_remove(added));
	EXPECT_EQUAL(asked_since(MM_HELD_MEMORY), 1);
	EXPECT_EQUAL(asked_since(MM_HELD_MACHINE), 1);
}

/* Whatever takes a lock, or a page that this CPU has at hand. */
TEST(host_is_asked_whether_the_cpu_is_ours)
{
	struct segment segment;
	struct vm_space space;
	struct cursor cursor;
	frame_t frame;

	start(world, true);
	asked_since(MM_HELD_CPU);
	frame = world_frame(world);
	EXPECT_TRUE(asked_since(MM_HELD_CPU) > 0);
	frame_drop(&frame);
	EXPECT_TRUE(asked_since(MM_HELD_CPU) > 0);
	segment = world_segment(world, 2, PAGE_SIZE);
	EXPECT_TRUE(asked_since(MM_HELD_CPU) > 0);
	segment_drop(&segment);
	EXPECT_TRUE(asked_since(MM_HELD_CPU) > 0);
	world_space(world, &space);
	asked_since(MM_HELD_CPU);
	open_at(&space, 0, PAGE_SIZE, &cursor);
	EXPECT_TRUE(asked_since(MM_HELD_CPU) > 0);
	cursor_close(&cursor);
	EXPECT_OK(vm_space_destroy(&space));
}

#endif

TEST(host_without_hooks_is_left_alone)
{
	frame_t frame;

	start(world, false);
	frame = world_frame(world);
	frame_drop(&frame);
	EXPECT_EQUAL(said.times, 0);
	for (size_t i = 0; i < COUNT_OF(asked); i++)
		EXPECT_EQUAL(asked[i], 0);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is read is read once: as soon as it was, the memory changes under the reader. Whether a page
 * is looked at can be told from the lock of its node, which the observer sees.
 */
#include "vm_io_place.h"
#include <arch/observe.h>
#include <string.h>
#include "slot.h"

#if STRATA_CHECKED

static struct place *watched;
static unsigned int locks;

/* The lock that an access was made under is about to be given back: the guest moves. */
static void change_what_was_read(const struct observe_event *event)
{
	if (event->kind == OBSERVE_LOCK)
		locks++;
	if (event->kind != OBSERVE_UNLOCK)
		return;
	switch (locks) {
	case 1: /* of level 1, 2 and 3 of the guest's tables ... */
	case 2:
	case 3: {
		uint64_t index = watched->base >> (12 + 9 * (3 - locks)) & 511;

		guest_put(watched, locks - 1, index, 0);
		break;
	}
	case 4: /* ... and of what they lead to */
		memset(place_byte(watched, 0), 0xee, 8);
		break;
	default:
		break;
	}
}

static struct observer changer = { .see = change_what_was_read };

static void watch(struct place *place)
{
	watched = place;
	locks = 0;
	memcpy(place_byte(place, 0), "\1\2\3\4\5\6\7\10", 8);
	observe_attach(&changer);
}

#define VALUE UINT64_C(0x0807060504030201)

/* If any descriptor, or the value, were read twice, the second read would find something else. */
TEST(vm_io_reads_descriptors_and_values_once)
{
	for (unsigned int way = 0; way < 5; way++) {
		struct place place;
		uint64_t value = 0, copied;

		place_make(world, &place, VM_IO_GUEST, 1);

		struct vm_reader reader = place_reader(world, &place, 0, 8);
		struct vm_writer target = place_writer(world, &place, 0, 8);
		struct vm_writer writer = own_writer(&value, 8);
		struct vm_object object = vm_object_of(place_range(world, &place, 0, 8));
		bool exchanged = false;
		enum mm_status status;

		watch(&place);
		switch (way) {
		case 0:
			status = vm_reader_read_val(&reader, &value, 8);
			break;
		case 1:
			status = vm_reader_read_fallible(&reader, &writer, &copied);
			break;
		case 2:
			status = vm_reader_atomic_load(&reader, 8, &value);
			break;
		case 3:
			status = vm_writer_atomic_compare_exchange(&target, &reader, 8, VALUE, 9,
								   &value, &exchanged);
			break;
		default:
			status = vm_object_read_bytes(&object, 0, &value, 8);
			break;
		}
		observe_detach(&changer);
		EXPECT_OK(status);
		EXPECT_EQUAL(value, VALUE);
		EXPECT_EQUAL(locks, 4);
		EXPECT_EQUAL(exchanged, way == 3);
		place_end(world, &place);
	}
}

/* A translation is not kept: the next transfer finds what the guest has now. */
TEST(vm_io_looks_again_for_every_transfer)
{
	struct place place;
	uint32_t value;

	place_make(world, &place, VM_IO_GUEST, 1);

	struct vm_reader reader = place_reader(world, &place, 0, 8);

	watch(&place);
	EXPECT_OK(vm_reader_read_val(&reader, &value, 4));
	observe_detach(&changer);
	EXPECT_EQUAL(value, 0x04030201);
	EXPECT_STATUS(vm_reader_read_val(&reader, &value, 4), MM_PAGE_FAULT);
	EXPECT_EQUAL(vm_reader_remain(&reader), 4);
	place_end(world, &place);
}

/* A page's bytes move under one lock, and no lock is left behind, whatever the outcome. */
TEST(vm_io_locks_a_page_once)
{
	struct place place;
	uint8_t bytes[2 * PAGE_SIZE];
	uint64_t copied;

	place_make(world, &place, VM_IO_SPACE, 2);
	watched = &place;
	for (unsigned int way = 0; way < 3; way++) {
		static const uint64_t lengths[] = { 5, PAGE_SIZE, 2 * PAGE_SIZE };
		struct vm_reader reader = place_reader(world, &place, 0, lengths[way]);
		struct vm_writer writer = own_writer(bytes, sizeof(bytes));
		struct cursor cursor;

		locks = 4; /* only counts from here */
		observe_attach(&changer);
		EXPECT_OK(vm_reader_read_fallible(&reader, &writer, &copied));
		observe_detach(&changer);
		EXPECT_EQUAL(locks - 4, (lengths[way] + PAGE_SIZE - 1) / PAGE_SIZE);
		open_at(&place.space, place.ipa, 2 * PAGE_SIZE, &cursor);
		cursor_close(&cursor);
	}
	place_end(world, &place);
}

/*
 * Between finding a leaf and locking its node anything may have happened to it: as soon as the lock
 * is taken for the first time, it has.
 */
static uint64_t *moved_descriptor;
static uint64_t moved_to;
static struct slot *stray_node;

static void move_before_lock(const struct observe_event *event)
{
	if (event->kind == OBSERVE_LOCK && locks++ == 0) {
		if (moved_descriptor != NULL)
			*moved_descriptor = moved_to;
		if (stray_node != NULL)
			stray_node->node.stray = 1;
	} else if (event->kind == OBSERVE_UNLOCK && stray_node != NULL) {
		stray_node->node.stray = 0;
	}
}

static struct observer mover = { .see = move_before_lock };

static enum mm_status read_while_moving(struct vm_space *space, uint64_t ipa, uint64_t *value)
{
	struct vm_reader reader;
	enum mm_status status;

	EXPECT_OK(vm_reader_from_space(space, iaddr(ipa), 8, &reader));
	locks = 0;
	observe_attach(&mover);
	status = vm_reader_read_val(&reader, value, 8);
	observe_detach(&mover);
	return status;
}

TEST(vm_io_looks_again_under_the_lock)
{
	struct vm_space space;
	uint64_t value = 0;

	/* 30 bits are resolved from level 2: the root has the blocks. */
	world_not_alone(world);
	EXPECT_OK(vm_space_new_stage2(30, &space));
	struct paddr block = map_segment_at(world, &space, 0, 512, MIB(2), READ_WRITE);
	uint64_t *root = mm_linear(space.root);
	uint64_t was = root[0];

	world_write(block, 1);
	moved_descriptor = root;

	/* Unmapped. */
	moved_to = 0;
	EXPECT_STATUS(read_while_moving(&space, 0, &value), MM_PAGE_FAULT);
	EXPECT_EQUAL(locks, 1);

	/* Split: page 0 is page 7 now. */
	frame_t table = world_frame(world);

	world_write(table.paddr, (was + 7 * PAGE_SIZE) | 3);
	world_write(paddr(block.value + 7 * PAGE_SIZE), 7);
	root[0] = was;
	moved_to = table.paddr.value | 3;
	EXPECT_OK(read_while_moving(&space, 0, &value));
	EXPECT_EQUAL(value, 7);
	EXPECT_EQUAL(locks, 2);
	root[0] = was;
	frame_drop(&table);

	/* Detached: whoever did it put another in its place, or has yet to. */
	moved_descriptor = NULL;
	EXPECT_EQUAL(slot_lookup(space.root, &stray_node), MM_OK);
	EXPECT_OK(read_while_moving(&space, 0, &value));
	EXPECT_EQUAL(value, 1);
	EXPECT_EQUAL(locks, 2);
	stray_node = NULL;
	EXPECT_OK(vm_space_destroy(&space));
}

#endif

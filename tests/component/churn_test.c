/* SPDX-License-Identifier: BSD-3-Clause */
/* Nine tenths of memory, taken and given back at random in every way there is: afterwards free memory
 * lies in the same blocks as before. */
#include "draw.h"
#include "mapping.h"
#include <strata/frame_list.h>
#include <strata/heap.h>
#include <string.h>

enum { HOLDINGS = 128, STEPS = 300, ORDERS = 27 };

/* Free memory, taken apart into the largest aligned blocks: how many there are of each order. */
struct census {
	uint64_t blocks[ORDERS];
	uint64_t pages;
};

/* What a block that is taken has at its beginning. */
struct taken_block {
	struct segment segment;
	struct paddr next;
};

static struct census take_census(void)
{
	struct census census = { .pages = 0 };
	struct paddr first = paddr(0);

	for (unsigned int order = ORDERS; order-- > 0;) {
		struct taken_block block = { .next = first };

		while (segment_alloc(UINT64_C(1) << order, PAGE_SIZE << order, FRAME_UNDEFINED,
				     &block.segment) == MM_OK) {
			first = block.segment.start;
			memcpy(mm_linear(first), &block, sizeof(block));
			block.next = first;
			census.blocks[order]++;
			census.pages += UINT64_C(1) << order;
		}
	}
	EXPECT_EQUAL(world_pages(PAGE_UNUSED), 0);
	while (first.value != 0) {
		struct taken_block block;

		memcpy(&block, mm_linear(first), sizeof(block));
		first = block.next;
		segment_drop(&block.segment);
	}
	return census;
}

enum holding_kind {
	NOTHING_HELD,
	HELD_SEGMENT,
	HELD_FRAMES, /* in raw form, chained by the first words of their pages */
	HELD_LIST,
	HELD_SPACE,   /* a table for each page */
	HELD_OBJECTS, /* of the heap, chained by their first words */
	HOLDING_KINDS,
};

struct holding {
	enum holding_kind kind;
	union {
		struct segment segment;
		struct paddr frames;
		struct frame_list list;
		struct vm_space space;
		void *objects;
	};
};

/* As many pages as are free in one piece, if not so many. */
static bool take_segment(struct holding *holding, uint64_t pages)
{
	for (; pages > 0; pages /= 2)
		if (segment_alloc(pages, PAGE_SIZE, FRAME_UNDEFINED, &holding->segment) == MM_OK)
			return true;
	return false;
}

static void take_frames(struct holding *holding, uint64_t pages)
{
	frame_t frame;

	holding->frames = paddr(0);
	while (pages-- > 0 && frame_alloc(FRAME_UNDEFINED, &frame) == MM_OK) {
		world_write(frame.paddr, holding->frames.value);
		holding->frames = frame_into_raw(&frame);
	}
}

static void take_list(struct holding *holding, uint64_t pages)
{
	unique_frame_t frame;

	frame_list_init(&holding->list);
	while (pages-- > 0 && unique_frame_alloc(FRAME_UNDEFINED, NULL, &frame) == MM_OK)
		EXPECT_OK(frame_list_push_front(&holding->list, &frame));
}

/* True if there was memory for the root. */
static bool take_space(struct holding *holding, uint64_t pages)
{
	struct cursor cursor;
	frame_t frame;

	if (vm_space_new_stage2(39, &holding->space) != MM_OK)
		return false;
	open_at(&holding->space, 0, GIB(512), &cursor);
	for (uint64_t i = 0; i < pages / 2; i++) {
		EXPECT_OK(cursor_jump(&cursor, iaddr(i * MIB(2))));
		if (frame_alloc(FRAME_UNDEFINED, &frame) != MM_OK)
			break;
		if (cursor_map(&cursor, &frame, READ_WRITE) != MM_OK) {
			frame_drop(&frame);
			break;
		}
	}
	cursor_close(&cursor);
	return true;
}

static void take_objects(struct holding *holding, uint64_t pages, uint32_t *random)
{
	void *object;

	holding->objects = NULL;
	for (uint64_t left = pages * PAGE_SIZE; left > 16384;) {
		uint64_t size =
			8 + random_below(random, random_below(random, 4) == 0 ? 16000 : 900);

		if (heap_alloc(size, &object) != MM_OK)
			break;
		*(void **)object = holding->objects;
		holding->objects = object;
		left -= size;
	}
}

static void take(struct holding *holding, uint64_t pages, uint32_t *random)
{
	holding->kind = 1 + (enum holding_kind)random_below(random, HOLDING_KINDS - 1);
	switch (holding->kind) {
	case HELD_SEGMENT:
		if (!take_segment(holding, pages))
			holding->kind = NOTHING_HELD;
		break;
	case HELD_FRAMES:
		take_frames(holding, pages);
		break;
	case HELD_LIST:
		take_list(holding, pages);
		break;
	case HELD_SPACE:
		if (!take_space(holding, pages))
			holding->kind = NOTHING_HELD;
		break;
	default:
		take_objects(holding, pages, random);
	}
}

static void release(struct holding *holding)
{
	switch (holding->kind) {
	case HELD_SEGMENT:
		segment_drop(&holding->segment);
		break;
	case HELD_FRAMES:
		while (holding->frames.value != 0) {
			frame_t frame = frame_from_raw(holding->frames);

			holding->frames = paddr(world_read(frame.paddr));
			frame_drop(&frame);
		}
		break;
	case HELD_LIST:
		frame_list_drop(&holding->list);
		break;
	case HELD_SPACE:
		EXPECT_OK(vm_space_destroy(&holding->space));
		break;
	case HELD_OBJECTS:
		while (holding->objects != NULL) {
			void *object = holding->objects;

			holding->objects = *(void **)object;
			heap_free(object);
		}
		break;
	default:
		break;
	}
	holding->kind = NOTHING_HELD;
}

TEST(every_order_exists_again_after_churn_over_nine_tenths_of_memory)
{
	static struct holding holdings[HOLDINGS];
	const struct census before = take_census();
	const uint64_t enough = before.pages / 10; /* free pages, where nine tenths are taken */
	uint64_t largest = 4 * before.pages / HOLDINGS;
	unsigned int full = 0;
	uint32_t random = 20170;

	for (unsigned int step = 0; step < STEPS; step++) {
		struct holding *holding = &holdings[random_below(&random, HOLDINGS)];

		if (holding->kind == NOTHING_HELD)
			take(holding, 1 + random_below(&random, largest), &random);
		else if (world_pages(PAGE_UNUSED) <= enough)
			release(holding);
		full += world_pages(PAGE_UNUSED) <= enough;
	}
	EXPECT_TRUE(full > STEPS / 10);
	for (unsigned int i = 0; i < HOLDINGS; i++)
		release(&holdings[i * 37 % HOLDINGS]);

	const struct census after = take_census();

	for (unsigned int order = 0; order < ORDERS; order++)
		EXPECT_EQUAL(after.blocks[order], before.blocks[order]);
}

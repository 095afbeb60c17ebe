/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments in every order: clone, slice, split, next, drop, into_raw, from_raw, with pages mapped and
 * held in between, down to the last page freed. After each step every page has exactly the references
 * that the owners in sight add up to.
 */
#include "draw.h"
#include "mapping.h"
#include <strata/segment.h>

enum {
	PAGES = 4,
	SEGMENTS = 8,
	FRAMES = 12,
	WINDOW = 64, /* pages of input addresses */
};

struct owners {
	struct prange all;
	struct segment segments[SEGMENTS];
	struct prange raw[SEGMENTS]; /* segments[i] is raw if this is not empty */
	frame_t frames[FRAMES];
	unsigned int segment_count, frame_count;
	struct vm_space space;
	struct cursor cursor;
	struct paddr mapped[WINDOW]; /* 0: nothing */
	bool parked[WINDOW];	     /* unmapped, and the flush has not been */
};

static struct prange range_of(const struct owners *owners, unsigned int index)
{
	if (!prange_is_empty(owners->raw[index]))
		return owners->raw[index];
	return prange(owners->segments[index].start, owners->segments[index].end);
}

/* rc = H + P + C + T, counted by hand. */
static void expect_references(const struct owners *owners)
{
	for (struct paddr page = owners->all.start; page.value < owners->all.end.value;
	     page.value += PAGE_SIZE) {
		struct page_state state;
		uint32_t references = 0;

		for (unsigned int i = 0; i < owners->segment_count; i++)
			references += prange_has(range_of(owners, i), page);
		for (unsigned int i = 0; i < owners->frame_count; i++)
			references += owners->frames[i].paddr.value == page.value;
		for (unsigned int i = 0; i < WINDOW; i++)
			references += owners->mapped[i].value == page.value;
		EXPECT_OK(page_state(page, &state));
		/* Free, it may have become a table of the space already. */
		if (references == 0 && state.usage == PAGE_TABLE)
			continue;
		EXPECT_EQUAL(state.references, references);
		EXPECT_EQUAL(state.usage, references == 0 ? PAGE_UNUSED : PAGE_FRAME);
	}
}

static void begin(struct world *world, struct owners *owners)
{
	*owners = (struct owners){ .segment_count = 1 };
	world_space(world, &owners->space);
	owners->segments[0] = world_segment(world, PAGES, PAGE_SIZE);
	owners->all = prange(owners->segments[0].start, owners->segments[0].end);
	open_at(&owners->space, 0, WINDOW * PAGE_SIZE, &owners->cursor);
	expect_references(owners);
}

static void forget_segment(struct owners *owners, unsigned int index)
{
	unsigned int last = --owners->segment_count;

	owners->segments[index] = owners->segments[last];
	owners->raw[index] = owners->raw[last];
	owners->raw[last] = prange(paddr(0), paddr(0));
}

static void take_back(struct owners *owners, unsigned int index)
{
	if (prange_is_empty(owners->raw[index]))
		return;
	owners->segments[index] = segment_from_raw(owners->raw[index]);
	owners->raw[index] = prange(paddr(0), paddr(0));
}

/* ---- Steps: false if there is no room, or nothing, for it -------------------------------------- */

enum step {
	CLONE,
	SLICE,
	SPLIT,
	NEXT,
	DROP,
	TOGGLE_RAW,
	MAP,
	UNMAP,
	FLUSH,
	HOLD,
	DROP_FRAME,
	FRAME_TO_SEGMENT,
	STEPS
};

/* The first run of @pages unmapped pages; WINDOW if there is none. */
static unsigned int hole_of(const struct owners *owners, unsigned int pages)
{
	unsigned int run = 0;

	for (unsigned int i = 0; i < WINDOW; i++) {
		run = owners->mapped[i].value == 0 ? run + 1 : 0;
		if (run == pages)
			return i + 1 - pages;
	}
	return WINDOW;
}

static void flush(struct owners *owners)
{
	cursor_flush(&owners->cursor);
	for (unsigned int i = 0; i < WINDOW; i++) {
		if (owners->parked[i])
			owners->mapped[i] = paddr(0);
		owners->parked[i] = false;
	}
}

static bool map_one(struct owners *owners, unsigned int index)
{
	struct prange range = range_of(owners, index);
	unsigned int pages = (unsigned int)(prange_size(range) / PAGE_SIZE);
	unsigned int hole = hole_of(owners, pages);

	if (hole == WINDOW)
		return false;
	/* Make after break: mapping flushes what was unmapped. */
	flush(owners);
	EXPECT_OK(cursor_jump(&owners->cursor, iaddr(hole * PAGE_SIZE)));
	EXPECT_OK(cursor_map_segment(&owners->cursor, &owners->segments[index], READ_WRITE));
	for (unsigned int i = 0; i < pages; i++)
		owners->mapped[hole + i] = paddr(range.start.value + i * PAGE_SIZE);
	forget_segment(owners, index);
	return true;
}

static bool unmap_one(struct owners *owners, uint64_t where)
{
	for (unsigned int i = 0; i < WINDOW; i++) {
		unsigned int at = (unsigned int)((where + i) % WINDOW);

		if (owners->mapped[at].value == 0 || owners->parked[at])
			continue;
		EXPECT_OK(cursor_jump(&owners->cursor, iaddr(at * PAGE_SIZE)));
		EXPECT_OK(cursor_unmap(&owners->cursor, PAGE_SIZE, NULL));
		/* Its reference waits for the flush (T). */
		owners->parked[at] = true;
		return true;
	}
	return false;
}

/* Segment @index, if the step is about one; @argument chooses among what is possible. */
static bool perform(struct owners *owners, enum step step, unsigned int index, uint64_t argument)
{
	struct segment *segment = &owners->segments[index];
	struct segment *fresh = &owners->segments[owners->segment_count];
	frame_t *frame = &owners->frames[owners->frame_count];
	bool has_segment = index < owners->segment_count;
	uint64_t pages = has_segment ? prange_size(range_of(owners, index)) / PAGE_SIZE : 0;
	struct paddr start = has_segment ? range_of(owners, index).start : paddr(0);
	uint64_t first = pages == 0 ? 0 : argument % pages;

	switch (step) {
	case UNMAP:
		return unmap_one(owners, argument);
	case FLUSH:
		flush(owners);
		return true;
	case DROP_FRAME:
		if (owners->frame_count == 0)
			return false;
		index = (unsigned int)(argument % owners->frame_count);
		frame_drop(&owners->frames[index]);
		owners->frames[index] = owners->frames[--owners->frame_count];
		return true;
	case FRAME_TO_SEGMENT:
		if (owners->frame_count == 0 || owners->segment_count == SEGMENTS)
			return false;
		*fresh = segment_from_frame(&owners->frames[--owners->frame_count]);
		owners->segment_count++;
		return true;
	default:
		break;
	}
	if (!has_segment)
		return false;
	if (step == TOGGLE_RAW && prange_is_empty(owners->raw[index])) {
		owners->raw[index] = segment_into_raw(segment);
		return true;
	}
	take_back(owners, index);
	switch (step) {
	case CLONE:
		if (owners->segment_count == SEGMENTS)
			return false;
		EXPECT_OK(segment_clone(segment, fresh));
		owners->segment_count++;
		return true;
	case SLICE:
		if (owners->segment_count == SEGMENTS)
			return false;
		EXPECT_OK(segment_slice(
			segment,
			prange(paddr(start.value + first * PAGE_SIZE),
			       paddr(start.value +
				     (first + 1 + argument / pages % (pages - first)) * PAGE_SIZE)),
			fresh));
		owners->segment_count++;
		return true;
	case SPLIT:
		if (owners->segment_count == SEGMENTS || pages < 2)
			return false;
		EXPECT_OK(segment_split(segment, (1 + argument % (pages - 1)) * PAGE_SIZE, fresh));
		owners->segment_count++;
		return true;
	case NEXT:
		if (owners->frame_count == FRAMES)
			return false;
		EXPECT_TRUE(segment_next(segment, frame));
		EXPECT_EQUAL(frame->paddr.value, start.value);
		owners->frame_count++;
		if (pages == 1) {
			EXPECT_FALSE(segment_next(segment, frame + (owners->frame_count < FRAMES)));
			forget_segment(owners, index);
		}
		return true;
	case DROP:
		segment_drop(segment);
		forget_segment(owners, index);
		return true;
	case MAP:
		return map_one(owners, index);
	case HOLD:
		if (owners->frame_count == FRAMES)
			return false;
		EXPECT_OK(frame_from_in_use(paddr(start.value + first * PAGE_SIZE), frame));
		owners->frame_count++;
		return true;
	default:
		return true;
	}
}

/* Everything goes, in an order of its own, and the last owner of a page frees it. */
static void finish(struct owners *owners, uint64_t order)
{
	while (owners->segment_count > 0) {
		EXPECT_TRUE(
			perform(owners, DROP, (unsigned int)(order % owners->segment_count), 0));
		expect_references(owners);
	}
	while (owners->frame_count > 0)
		EXPECT_TRUE(perform(owners, DROP_FRAME, 0, order));
	expect_references(owners);
	while (unmap_one(owners, order))
		;
	expect_references(owners);
	flush(owners);
	expect_references(owners);
	cursor_close(&owners->cursor);
	EXPECT_OK(vm_space_destroy(&owners->space));
}

/* Every sequence of four steps, the segment that was made last being the one worked on. */
TEST(segments_in_every_short_order)
{
	enum { LENGTH = 4 };
	static struct owners owners;
	uint64_t sequences = 1;

	for (int i = 0; i < LENGTH; i++)
		sequences *= STEPS;
	for (uint64_t sequence = 0; sequence < sequences; sequence += WORLD_SIMULATED ? 1 : 7) {
		uint64_t left = sequence;

		begin(world, &owners);
		for (int i = 0; i < LENGTH; i++, left /= STEPS) {
			unsigned int last =
				owners.segment_count == 0 ? 0 : owners.segment_count - 1;

			/* What is not possible now is left out: that sequence is a shorter one. */
			(void)perform(&owners, (enum step)(left % STEPS), last, sequence);
			expect_references(&owners);
		}
		finish(&owners, sequence);
	}
}

/* Long sequences by chance, any segment, any part of it. */
TEST(segments_in_random_orders)
{
	static struct owners owners;
	uint32_t seed = 9;

	for (int round = 0; round < 30; round++) {
		uint64_t performed = 0;

		begin(world, &owners);
		for (int i = 0; i < 200; i++) {
			unsigned int index =
				(unsigned int)(next_random(&seed) %
					       (owners.segment_count == 0 ? 1
									  : owners.segment_count));

			enum step step = (enum step)(next_random(&seed) % STEPS);

			/* Not the last segment, or nothing would be left to work on. */
			if (owners.segment_count == 1 && (step == DROP || step == MAP))
				step = CLONE;
			performed += perform(&owners, step, index, next_random(&seed));
			expect_references(&owners);
		}
		EXPECT_TRUE(performed > 20);
		finish(&owners, next_random(&seed));
	}
}

/* ---- Ranges that are none ---------------------------------------------------------------------- */

/* Empty, reversed, at 0, at the top: a status, and nothing has changed. */
TEST(segment_ranges_at_the_ends_of_the_address_space)
{
	const uint64_t top = UINT64_MAX - PAGE_SIZE + 1; /* the last page aligned address */
	const struct {
		uint64_t start, end;
		enum mm_status status;
	} cases[] = {
		{ 0, 0, MM_INVALID_ARGS },
		{ top, top, MM_INVALID_ARGS },
		{ top, 0, MM_INVALID_ARGS },
		{ PAGE_SIZE, 0, MM_INVALID_ARGS },
		{ top, PAGE_SIZE, MM_INVALID_ARGS },
		{ 0, PAGE_SIZE, MM_OUT_OF_BOUND },
		{ 0, top, MM_OUT_OF_BOUND },
		{ top - PAGE_SIZE, top, MM_OUT_OF_BOUND },
		{ UINT64_C(1) << 48, (UINT64_C(1) << 48) + PAGE_SIZE, MM_OUT_OF_BOUND },
		{ 1, UINT64_MAX, MM_NOT_ALIGNED },
		{ UINT64_MAX, 0, MM_NOT_ALIGNED },
		{ 0, UINT64_MAX, MM_NOT_ALIGNED },
	};
	struct segment segment = world_segment(world, 2, PAGE_SIZE);
	struct mm_usage before = mm_usage();

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct prange range = prange(paddr(cases[i].start), paddr(cases[i].end));
		struct segment out = { .start = paddr(1) };

		EXPECT_STATUS(segment_from_unused(range, &out), cases[i].status);
		EXPECT_STATUS(segment_from_reserved(range, &out), cases[i].status);
		/* Of a segment no such range is a part, whichever way it is none. */
		EXPECT_STATUS(segment_slice(&segment, range, &out),
			      cases[i].status == MM_NOT_ALIGNED ? MM_NOT_ALIGNED : MM_OUT_OF_BOUND);
		EXPECT_EQUAL(out.start.value, 1);
	}
	for (int usage = 0; usage < PAGE_USAGE_COUNT; usage++)
		EXPECT_EQUAL(world_pages(usage), before.pages[usage]);
	EXPECT_EQUAL(references_of(segment.start), 1);
	segment_drop(&segment);
}

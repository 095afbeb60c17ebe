/* SPDX-License-Identifier: BSD-3-Clause */
#include "generate.h"

#include <string.h>

#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

static uint64_t below(struct generator *generator, uint64_t limit)
{
	return limit == 0 ? 0 : random_below(&generator->random, limit);
}

static bool one_in(struct generator *generator, uint64_t chances)
{
	return below(generator, chances) == 0;
}

/* ---- Which act, on what ------------------------------------------------------------------------ */

/* The number of one that lives, or does not; false if there is none. */
static bool choose(struct generator *generator, const struct trace *trace, unsigned int kind,
		   bool live, uint8_t *out)
{
	unsigned int count = object_count((enum object_kind)kind);
	unsigned int first = (unsigned int)below(generator, count);

	for (unsigned int i = 0; i < count; i++) {
		*out = (uint8_t)((first + i) % count);
		if (trace->live[kind][*out] == live)
			return true;
	}
	return false;
}

/* Prefers a space of the stage that the act is about. */
static void prefer_stage(struct generator *generator, const struct trace *trace, struct step *step)
{
	const struct act_words *words = act_words((enum act)step->act);
	enum translation_stage wanted = step->act == ACT_KVIRT_NEW ? STAGE_1 : STAGE_2;
	enum op_category category;

	if (words->operation == OPERATION_COUNT || one_in(generator, 8))
		return;
	category = op_information((enum mm_operation_kind)words->operation)->category;
	if (category != CATEGORY_IO && category != CATEGORY_OWNER && category != CATEGORY_AREA)
		return;
	for (unsigned int i = 0; i < object_count(OBJECT_SPACE); i++)
		if (trace->live[OBJECT_SPACE][i] && trace->objects.spaces[i].stage == wanted)
			step->used[OBJECT_SPACE] = (uint8_t)i;
	for (unsigned int i = 0; words->other_space && i < object_count(OBJECT_SPACE); i++)
		if (trace->live[OBJECT_SPACE][i] && i != step->used[OBJECT_SPACE] &&
		    trace->objects.spaces[i].stage == wanted)
			step->other_space = (uint8_t)i;
}

/* Fills the objects of @step in; if one is missing, @kind is what is, and whether it should live. */
static bool choose_objects(struct generator *generator, const struct trace *trace,
			   struct step *step, unsigned int *kind, bool *live)
{
	const struct act_words *words = act_words((enum act)step->act);

	for (*kind = 0; *kind < OBJECT_KINDS; (*kind)++) {
		*live = true;
		if ((words->uses >> *kind & 1) != 0 &&
		    !choose(generator, trace, *kind, true, &step->used[*kind]))
			return false;
		*live = false;
		if ((words->makes >> *kind & 1) != 0 &&
		    !choose(generator, trace, *kind, false, &step->made[*kind]))
			return false;
	}
	*kind = OBJECT_SPACE;
	*live = true;
	return !words->other_space ||
	       choose(generator, trace, OBJECT_SPACE, true, &step->other_space);
}

/* An act that makes an object of @kind, or ends one. */
static uint16_t act_that(struct generator *generator, unsigned int kind, bool makes)
{
	for (;;) {
		uint16_t act = (uint16_t)below(generator, ACTS);
		const struct act_words *words = act_words((enum act)act);

		if (((makes ? words->makes : words->ends) >> kind & 1) != 0)
			return act;
		if (!makes && kind == OBJECT_READER)
			return ACT_SPACE_DESTROY;
		if (!makes && kind == OBJECT_WRITER)
			return ACT_SPACE_DESTROY;
		if (!makes && kind == OBJECT_PLACE)
			return ACT_LIST_POP_FRONT;
	}
}

static bool is_drawn(struct generator *generator, uint16_t act)
{
	switch ((enum act)act) {
	case ACT_SPACE_NEW_STAGE_1:
		return generator->stages[0];
	case ACT_SPACE_NEW_STAGE_2:
		return generator->stages[1];
	case ACT_SPACE_DESTROY:
	case ACT_LIST_DROP:
		return one_in(generator, 4);
	case ACT_EXHAUST:
	case ACT_CURSOR_UNMAP:
	case ACT_CURSOR_RECLAIM:
		return one_in(generator, 2);
	default:
		return true;
	}
}

/* ---- Legal numbers --------------------------------------------------------------------------------- */

static uint64_t left_of(const struct cursor *cursor)
{
	return cursor->range.end.value - cursor->position.value;
}

/* Few places, so that operations meet: around the borders of leaf tables and of their tables. */
static uint64_t address(struct generator *generator)
{
	static const uint64_t places[] = { 0, MIB(2) - 4 * PAGE_SIZE, MIB(2), MIB(4),
					   GIB(1) - 2 * PAGE_SIZE };
	unsigned int count = sizeof(places) / sizeof(places[0]);
	uint64_t place = places[below(generator, count)];

	return generator->size == WORLD_LARGE && one_in(generator, 3)
		       ? place & ~(MIB(2) - 1)
		       : place + below(generator, 8) * PAGE_SIZE;
}

static uint64_t length(struct generator *generator)
{
	if (generator->size == WORLD_LARGE && one_in(generator, 3))
		return MIB(2) * (1 + below(generator, 3));
	return one_in(generator, 8) ? GIB(1) : (1 + below(generator, 12)) * PAGE_SIZE;
}

static uint64_t pages_within(struct generator *generator, uint64_t bytes)
{
	uint64_t pages = bytes >> PAGE_SHIFT;

	if (pages >= 512 && one_in(generator, 2))
		return MIB(2) * below(generator, (pages / 512 < 4 ? pages / 512 : 4) + 1);
	if (one_in(generator, 8))
		return bytes;
	return below(generator, (pages < 8 ? pages : 8) + 1) * PAGE_SIZE;
}

static uint8_t flags(struct generator *generator, bool stage1)
{
	static const uint8_t of_stage1[] = { PAGE_READ, PAGE_READ | PAGE_WRITE,
					     PAGE_READ | PAGE_EXECUTE };

	if (stage1)
		return of_stage1[below(generator, 3)] | PAGE_ACCESSED;
	if (one_in(generator, 2))
		return PAGE_READ | PAGE_WRITE | PAGE_ACCESSED;
	return (uint8_t)below(generator, 16);
}

static void draw_numbers(struct generator *generator, const struct trace *trace, struct step *step)
{
	const struct act_words *words = act_words((enum act)step->act);
	const struct objects *o = &trace->objects;
	const struct cursor *cursor = &o->cursors[step->used[OBJECT_CURSOR]];
	const struct segment *segment = &o->segments[step->used[OBJECT_SEGMENT]];
	bool uses_cursor = words->uses >> OBJECT_CURSOR & 1;
	bool uses_segment = words->uses >> OBJECT_SEGMENT & 1;
	bool is_io =
		words->operation < OPERATION_COUNT &&
		op_information((enum mm_operation_kind)words->operation)->category == CATEGORY_IO;
	bool stage1 =
		words->uses & 1u << OBJECT_AREA || (uses_cursor && cursor->space->stage == STAGE_1);
	uint64_t *n = step->numbers;
	uint64_t memory = prange_size(o->memory) >> PAGE_SHIFT;

	n[NUMBER_ADDRESS] = address(generator);
	n[NUMBER_LENGTH] = uses_cursor	  ? pages_within(generator, left_of(cursor))
			   : uses_segment ? PAGE_SIZE
					  : length(generator);
	n[NUMBER_OFFSET] =
		uses_cursor ? pages_within(generator, irange_size(cursor->range))
		: uses_segment
			? below(generator,
				prange_size(prange(segment->start, segment->end)) >> PAGE_SHIFT) *
				  PAGE_SIZE
			: below(generator, 4) * PAGE_SIZE;
	n[NUMBER_PAGE] = (memory / 2 - 64 + below(generator, 128)) * PAGE_SIZE;
	if (one_in(generator, 8)) /* of memory that may be added, behind its slots */
		n[NUMBER_PAGE] = (memory + 4 + below(generator, 8)) * PAGE_SIZE;
	n[NUMBER_COUNT] = 1 + below(generator, 6);
	n[NUMBER_ALIGNMENT] = PAGE_SIZE << below(generator, 4);
	n[NUMBER_COLOURS] = one_in(generator, 2) ? 0 : 1u << below(generator, 3);
	n[NUMBER_COLOUR] = n[NUMBER_COLOURS] == 0 ? 0 : below(generator, n[NUMBER_COLOURS]);
	n[NUMBER_SIZE] = UINT64_C(1) << below(generator, 4);
	n[NUMBER_VALUE] = below(generator, 128);
	n[NUMBER_BITS] = 31 + below(generator, 10);
	n[NUMBER_FLAGS] = flags(generator, stage1);
	n[NUMBER_CACHE] = one_in(generator, 3) ? below(generator, CACHE_POLICY_COUNT) : 0;
	n[NUMBER_ACCESS] = one_in(generator, 8) ? CURSOR_READ_ONLY : CURSOR_MUTABLE;
	n[NUMBER_CONTENTS] = below(generator, 2);
	n[NUMBER_METADATA] = one_in(generator, 3) ? 1 + below(generator, 2) : 0;
	if (n[NUMBER_CACHE] == CACHE_DEVICE)
		n[NUMBER_FLAGS] &= ~(uint64_t)PAGE_EXECUTE;
	if (generator->size == WORLD_LARGE && (words->makes >> OBJECT_SEGMENT & 1) != 0 &&
	    one_in(generator, 3)) {
		n[NUMBER_COUNT] = 512;
		n[NUMBER_ALIGNMENT] = MIB(2);
	}
	if (is_io) {
		n[NUMBER_LENGTH] = one_in(generator, 2) ? 8 * below(generator, 16)
							: below(generator, OBJECT_BYTES / 2);
		n[NUMBER_OFFSET] = below(generator, 64) * (one_in(generator, 4) ? 1 : 8);
		/* Where something may be mapped: in the range of a cursor, open or not. */
		cursor = &o->cursors[below(generator, object_count(OBJECT_CURSOR))];
		if (!one_in(generator, 4))
			n[NUMBER_ADDRESS] =
				cursor->range.start.value + below(generator, 6) * PAGE_SIZE;
		n[NUMBER_ADDRESS] += below(generator, 2) * (PAGE_SIZE - 16);
	}
	switch ((enum act)step->act) {
	case ACT_CURSOR_MAP_IOMEM:
	case ACT_IO_MEM_NEW:
	case ACT_SEGMENT_FROM_RESERVED:
		n[NUMBER_PAGE] = below(generator, 8) * PAGE_SIZE;
		n[NUMBER_LENGTH] = PAGE_SIZE;
		break;
	case ACT_CURSOR_MAP_IOMEM_MEMORY:
	case ACT_IO_MEM_NEW_MEMORY:
	case ACT_SEGMENT_FROM_UNUSED:
		n[NUMBER_LENGTH] = (1 + below(generator, 3)) * PAGE_SIZE;
		break;
	case ACT_CURSOR_OPEN:
		if (generator->size == WORLD_LARGE && !one_in(generator, 3)) {
			n[NUMBER_ADDRESS] &= ~(MIB(2) - 1);
			n[NUMBER_LENGTH] = MIB(2) * (1 + below(generator, 4));
		}
		break;
	case ACT_SEGMENT_REQUEST:
		n[NUMBER_PAGE] = one_in(generator, 2) ? 0 : n[NUMBER_PAGE];
		break;
	case ACT_SEGMENT_FROM_UNUSED_OF_UNIQUE:
		n[NUMBER_LENGTH] = PAGE_SIZE;
		break;
	case ACT_MEMORY_ADD:
	case ACT_MEMORY_REMOVE:
		n[NUMBER_PAGE] = 0;
		n[NUMBER_LENGTH] = MIB(1);
		break;
	case ACT_KVIRT_NEW:
		n[NUMBER_LENGTH] = 64 * PAGE_SIZE;
		break;
	case ACT_AREA_ALLOC:
		n[NUMBER_LENGTH] = (1 + below(generator, 40)) * PAGE_SIZE;
		break;
	case ACT_FRAME_FROM_IN_USE_ANY:
	case ACT_LIST_CONTAINS:
	case ACT_LIST_CURSOR_AT:
		for (unsigned int i = 0; i < object_count(OBJECT_UNIQUE); i++)
			if (o->uniques[i].paddr.value >= o->memory.start.value &&
			    one_in(generator, 3))
				n[NUMBER_PAGE] = o->uniques[i].paddr.value - o->memory.start.value;
		break;
	default:
		break;
	}
}

/* ---- Numbers that should not be ---------------------------------------------------------------- */

static void spoil(struct generator *generator, struct step *step)
{
	uint32_t numbers = act_words((enum act)step->act)->numbers;
	uint64_t *n = step->numbers;
	unsigned int number;

	if (numbers == 0)
		return;
	do
		number = (unsigned int)below(generator, NUMBER_WORDS);
	while ((numbers >> number & 1) == 0);
	switch ((enum number)number) {
	case NUMBER_ADDRESS:
	case NUMBER_LENGTH:
	case NUMBER_OFFSET:
	case NUMBER_PAGE: {
		const uint64_t bad[] = {
			n[number] + 1,	    n[number] + PAGE_SIZE / 2,	0,
			UINT64_C(1) << 52,  UINT64_MAX - PAGE_SIZE + 1, UINT64_MAX - 12,
			n[number] + MIB(64)
		};

		n[number] = bad[below(generator, sizeof(bad) / sizeof(bad[0]))];
		break;
	}
	case NUMBER_SIZE:
		n[number] = 3 + below(generator, 200);
		break;
	case NUMBER_BITS:
		n[number] = one_in(generator, 2) ? 20 : 60;
		break;
	case NUMBER_COUNT:
		n[number] = one_in(generator, 2) ? 0 : UINT64_C(1) << 40;
		break;
	case NUMBER_ALIGNMENT:
	case NUMBER_COLOURS:
	case NUMBER_COLOUR:
		n[number] = 3;
		break;
	case NUMBER_FLAGS:
		n[number] = PAGE_WRITE | PAGE_EXECUTE | 0x80;
		break;
	case NUMBER_CACHE:
		n[number] = CACHE_POLICY_COUNT;
		break;
	case NUMBER_ACCESS:
		n[number] = CURSOR_READ_ONLY;
		break;
	default:
		break;
	}
	/* Only these may lie outside of the objects that hold the bytes. */
	if (step->act == ACT_IO_HYPERVISOR_READER || step->act == ACT_IO_HYPERVISOR_WRITER) {
		if (number == NUMBER_OFFSET) {
			n[NUMBER_OFFSET] = OBJECT_BYTES;
			n[NUMBER_LENGTH] += 1;
		} else if (n[NUMBER_LENGTH] > OBJECT_BYTES / 2) {
			n[NUMBER_LENGTH] = UINT64_MAX - 12;
		}
	}
	if (step->act == ACT_READER_READ_VAL || step->act == ACT_WRITER_WRITE_VAL)
		n[NUMBER_SIZE] %= OBJECT_BYTES;
	if (step->act == ACT_READER_COLLECT && n[NUMBER_LENGTH] > OBJECT_BYTES)
		n[NUMBER_LENGTH] = OBJECT_BYTES;
}

/* ---- Blocks ------------------------------------------------------------------------------------ */

/* What makes blocks, splits and merges them: rarely met by drawing from all acts alike. */
static uint16_t act_on_blocks(struct generator *generator)
{
	static const uint16_t acts[] = {
		ACT_CURSOR_OPEN,    ACT_SEGMENT_ALLOC,	     ACT_CURSOR_MAP_SEGMENT,
		ACT_CURSOR_JUMP,    ACT_CURSOR_MAP_SEGMENT,  ACT_CURSOR_PROTECT,
		ACT_CURSOR_PROTECT, ACT_CURSOR_PROTECT_NEXT, ACT_CURSOR_UNMAP,
		ACT_CURSOR_REPLACE, ACT_CURSOR_MIGRATE,	     ACT_EXHAUST,
		ACT_CURSOR_CLOSE,
	};

	return acts[below(generator, sizeof(acts) / sizeof(acts[0]))];
}

static bool is_block(uint64_t start, uint64_t size)
{
	return start % MIB(2) == 0 && size >= MIB(2);
}

/* A segment that makes a block, where one can be; first the cursor goes to such a place. */
static void aim_at_block(struct generator *generator, const struct trace *trace, struct step *step)
{
	const struct objects *o = &trace->objects;
	const struct cursor *cursor = &o->cursors[step->used[OBJECT_CURSOR]];

	if (step->act == ACT_EXHAUST)
		step->numbers[NUMBER_COUNT] = 1;
	if (step->act == ACT_CURSOR_MAP_SEGMENT || step->act == ACT_CURSOR_PROTECT)
		step->numbers[NUMBER_CACHE] = CACHE_WRITEBACK;
	if (step->act == ACT_CURSOR_PROTECT)
		step->numbers[NUMBER_FLAGS] =
			PAGE_READ | PAGE_ACCESSED | (one_in(generator, 2) ? PAGE_WRITE : 0);
	if (step->act != ACT_CURSOR_MAP_SEGMENT && step->act != ACT_CURSOR_PROTECT)
		return;
	for (unsigned int i = 0; i < object_count(OBJECT_SEGMENT); i++)
		if (trace->live[OBJECT_SEGMENT][i] &&
		    is_block(o->segments[i].start.value,
			     o->segments[i].end.value - o->segments[i].start.value))
			step->used[OBJECT_SEGMENT] = (uint8_t)i;
	if (is_block(cursor->position.value, left_of(cursor)) ||
	    (step->act == ACT_CURSOR_PROTECT && one_in(generator, 2)))
		return;
	step->act = ACT_CURSOR_JUMP;
	step->numbers[NUMBER_OFFSET] = ((cursor->range.start.value + MIB(2) - 1) & ~(MIB(2) - 1)) -
				       cursor->range.start.value;
}

/* ---- All of it --------------------------------------------------------------------------------- */

/* What is missing is made first, what is in the way is ended: at most so often in a row. */
#define DETOURS 6

/* Of a cursor there, nothing but the refusal can be seen. */
static bool is_at_end(const struct trace *trace, const struct step *step)
{
	return (act_words((enum act)step->act)->uses >> OBJECT_CURSOR & 1) != 0 &&
	       step->act != ACT_CURSOR_CLOSE &&
	       left_of(&trace->objects.cursors[step->used[OBJECT_CURSOR]]) == 0;
}

void generate(struct generator *generator, const struct trace *trace, struct step *out)
{
	for (;;) {
		bool blocks = generator->size == WORLD_LARGE && one_in(generator, 2);
		uint16_t act = blocks ? act_on_blocks(generator) : (uint16_t)below(generator, ACTS);
		unsigned int kind;
		bool live;

		if (!is_drawn(generator, act))
			continue;
		for (unsigned int detour = 0; detour < DETOURS; detour++) {
			memset(out, 0, sizeof(*out));
			out->act = act;
			if (choose_objects(generator, trace, out, &kind, &live)) {
				prefer_stage(generator, trace, out);
				if (is_at_end(trace, out) && !one_in(generator, 6))
					out->act = ACT_CURSOR_JUMP;
				draw_numbers(generator, trace, out);
				if (blocks)
					aim_at_block(generator, trace, out);
				if (below(generator, 100) < generator->illegal)
					spoil(generator, out);
				if (trace_may(trace, out))
					return;
				break;
			}
			act = act_that(generator, kind, live);
			if ((act == ACT_SPACE_NEW_STAGE_1 && !generator->stages[0]) ||
			    (act == ACT_SPACE_NEW_STAGE_2 && !generator->stages[1]))
				break;
		}
	}
}

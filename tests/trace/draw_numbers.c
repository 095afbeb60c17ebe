/* SPDX-License-Identifier: BSD-3-Clause */
#include "draw.h"

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

void draw_numbers(struct generator *generator, const struct trace *trace, struct step *step)
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
	case ACT_AREA_MAP_UNTRACKED:
	case ACT_FIND_IOMEM:
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
		if (trace->live[OBJECT_LOG][0] && one_in(generator, 3) &&
		    o->logs[0].space == &o->spaces[step->used[OBJECT_SPACE]]) {
			n[NUMBER_ADDRESS] = o->logs[0].range.start.value;
			n[NUMBER_LENGTH] = irange_size(o->logs[0].range);
		} else {
			n[NUMBER_ADDRESS] += o->spaces[step->used[OBJECT_SPACE]].range.start.value;
		}
		break;
	case ACT_IO_SPACE_READER:
	case ACT_IO_SPACE_WRITER:
		if (n[NUMBER_ADDRESS] < o->spaces[step->used[OBJECT_SPACE]].range.start.value)
			n[NUMBER_ADDRESS] += o->spaces[step->used[OBJECT_SPACE]].range.start.value;
		break;
	case ACT_AREA_UNMAP:
		n[NUMBER_LENGTH] = (1 + below(generator, 3)) * PAGE_SIZE;
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
		n[NUMBER_LENGTH] = one_in(generator, 8) ? PAGE_SIZE : MIB(1);
		break;
	case ACT_KVIRT_NEW_EL2:
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

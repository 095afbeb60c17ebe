/* SPDX-License-Identifier: BSD-3-Clause */
#include "draw.h"

uint16_t act_on_blocks(struct generator *generator)
{
	static const uint16_t acts[] = {
		ACT_CURSOR_OPEN,     ACT_SEGMENT_ALLOC,	      ACT_CURSOR_MAP_SEGMENT,
		ACT_CURSOR_JUMP,     ACT_CURSOR_MAP_SEGMENT,  ACT_CURSOR_PROTECT,
		ACT_CURSOR_PROTECT,  ACT_CURSOR_PROTECT_NEXT, ACT_CURSOR_UNMAP,
		ACT_CURSOR_REPLACE,  ACT_CURSOR_MIGRATE,      ACT_EXHAUST,
		ACT_CURSOR_CLOSE,    ACT_CURSOR_AGE,	      ACT_CURSOR_WRITE_PROTECT,
		ACT_CURSOR_RECLAIM,  ACT_AGEING_FAULT,	      ACT_DIRTY_LOG_START,
		ACT_DIRTY_LOG_FAULT, ACT_DIRTY_LOG_STOP,
	};

	return acts[below(generator, sizeof(acts) / sizeof(acts[0]))];
}

static bool is_block(uint64_t start, uint64_t size)
{
	return start % MIB(2) == 0 && size >= MIB(2);
}

void aim_at_block(struct generator *generator, const struct trace *trace, struct step *step)
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

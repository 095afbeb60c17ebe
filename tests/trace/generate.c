/* SPDX-License-Identifier: BSD-3-Clause */
#include "draw.h"

#include <string.h>

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

/* The stage of the space that the act is about, where it asks for one. */
static bool wanted_stage(const struct step *step, enum translation_stage *stage)
{
	const struct act_words *words = act_words((enum act)step->act);
	enum op_category category;

	if (words->operation == OPERATION_COUNT || (words->uses >> OBJECT_SPACE & 1) == 0)
		return false;
	category = op_information((enum mm_operation_kind)words->operation)->category;
	*stage = step->act == ACT_KVIRT_NEW ? STAGE_1 : STAGE_2;
	return category == CATEGORY_IO || category == CATEGORY_OWNER || category == CATEGORY_AREA ||
	       step->act == ACT_SPACE_ACTIVATE;
}

/* Mostly such a one; what is in the window does as well as a Stage-2 space. */
static bool is_of_stage(const struct vm_space *space, enum translation_stage stage)
{
	return stage == STAGE_2 ? space->stage == STAGE_2 || space->part == SPACE_IN_WINDOW
				: space->stage == STAGE_1 && space->part != SPACE_IN_WINDOW;
}

static bool prefer_stage(struct generator *generator, const struct trace *trace, struct step *step,
			 enum translation_stage stage)
{
	const struct act_words *words = act_words((enum act)step->act);
	unsigned int count = object_count(OBJECT_SPACE);
	unsigned int first = (unsigned int)below(generator, count);
	unsigned int found = 0;

	for (unsigned int i = 0; i < count; i++) {
		unsigned int n = (first + i) % count;

		if (!trace->live[OBJECT_SPACE][n] || !is_of_stage(&trace->objects.spaces[n], stage))
			continue;
		if (found++ == 0)
			step->used[OBJECT_SPACE] = (uint8_t)n;
		else
			step->other_space = (uint8_t)n;
	}
	return found > (words->other_space ? 1 : 0);
}

/* A cursor that the log's functions can do with, where there is one, or the right to one. */
static void prefer_log(struct generator *generator, const struct trace *trace, struct step *step)
{
	const struct dirty_log *log = &trace->objects.logs[0];

	for (unsigned int i = 0; i < object_count(OBJECT_CURSOR); i++) {
		const struct cursor *cursor = &trace->objects.cursors[i];

		if (!trace->live[OBJECT_CURSOR][i] || cursor->space != log->space)
			continue;
		step->used[OBJECT_CURSOR] = (uint8_t)i;
		if (irange_contains(cursor->range, log->range))
			return;
	}
	if (!choose(generator, trace, OBJECT_CURSOR, false, &step->made[OBJECT_CURSOR]) ||
	    one_in(generator, 4))
		return;
	step->act = ACT_CURSOR_OPEN;
	step->used[OBJECT_SPACE] = (uint8_t)(log->space - trace->objects.spaces);
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
	case ACT_SPACE_NEW_WINDOW:
	case ACT_KVIRT_NEW_EL2:
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
		enum translation_stage stage;
		unsigned int kind;
		bool live;

		if (!is_drawn(generator, act))
			continue;
		for (unsigned int detour = 0; detour < DETOURS; detour++) {
			memset(out, 0, sizeof(*out));
			out->act = act;
			if (choose_objects(generator, trace, out, &kind, &live)) {
				if (wanted_stage(out, &stage) && !one_in(generator, 12) &&
				    !prefer_stage(generator, trace, out, stage)) {
					act = stage == STAGE_1	     ? ACT_SPACE_NEW_STAGE_1
					      : one_in(generator, 3) ? ACT_SPACE_NEW_WINDOW
								     : ACT_SPACE_NEW_STAGE_2;
					if (!is_drawn(generator, act))
						break;
					continue;
				}
				if ((act_words((enum act)out->act)->uses >> OBJECT_LOG & 1) != 0)
					prefer_log(generator, trace, out);
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
			if (act_words((enum act)act)->makes == 1U << OBJECT_SPACE &&
			    !is_drawn(generator, act))
				break;
		}
	}
}

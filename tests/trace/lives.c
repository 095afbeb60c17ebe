/* SPDX-License-Identifier: BSD-3-Clause */
/* What lives in a world, and what may be asked of it. */
#include "trace.h"

#include <store.h>
#include <model.h>

/* ---- What may be asked ------------------------------------------------------------------------- */

static bool any_lives(const struct trace *trace, enum object_kind kind)
{
	for (unsigned int i = 0; i < object_count(kind); i++)
		if (trace->live[kind][i])
			return true;
	return false;
}

/* A page that a guest's address leads to, as the model knows it; its guests' Stage 1 is off. */
static bool output_of(const struct vm_io_range *range, uint64_t address, struct paddr *out)
{
	const struct vm_space *space =
		range->kind == VM_IO_SPACE ? range->space : range->guest->space;
	const struct live_space *live;
	struct mapping mapping;

	LIST_FOREACH(live, &model_store()->registry.spaces, link)
	if (live->space == space &&
	    mappings_find(&live->state.mappings, iaddr(address), &mapping)) {
		*out = mapping_output(&mapping, iaddr(address & ~(PAGE_SIZE - 1)));
		return true;
	}
	return false;
}

/* Pages that a range has bytes of; it may end with the last address there is. */
static uint64_t pages_of(const struct vm_io_range *range)
{
	return (range->end - (range->cursor & ~(PAGE_SIZE - 1)) + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* Whether bytes of @page are among those of @range. */
static bool has_page(const struct vm_io_range *range, struct paddr page)
{
	struct paddr output;

	for (uint64_t i = 0; i < pages_of(range); i++)
		if (output_of(range, range->cursor + i * PAGE_SIZE, &output) &&
		    output.value == page.value)
			return true;
	return false;
}

/* Where two ranges of memory that guests may reach are the same bytes, what arrives is open. */
static bool may_overlap(const struct objects *o, const struct step *step)
{
	const struct vm_io_range *from = &o->readers[step->used[OBJECT_READER]].range;
	const struct vm_io_range *to = &o->writers[step->used[OBJECT_WRITER]].range;
	struct paddr output;

	if (from->kind < VM_IO_SPACE || to->kind < VM_IO_SPACE)
		return false;
	if (from->end - from->cursor > OBJECT_BYTES || to->end - to->cursor > OBJECT_BYTES)
		return true;
	for (uint64_t i = 0; i < pages_of(from); i++)
		if (output_of(from, from->cursor + i * PAGE_SIZE, &output) && has_page(to, output))
			return true;
	return false;
}

/* What a window space leaves behind is invalidated; the simulated machine wants all that this CPU wrote
 * published by then, where it is another space's too. */
static bool has_gathered(const struct trace *trace)
{
	for (unsigned int i = 0; i < object_count(OBJECT_CURSOR); i++)
		if (trace->live[OBJECT_CURSOR][i] && trace->objects.cursors[i].changed)
			return true;
	return false;
}

static bool is_logged(const struct trace *trace, const struct vm_space *space)
{
	return trace->live[OBJECT_LOG][0] && trace->objects.logs[0].space == space;
}

/* As many pages as there are words for, or more than the cursor has. And a log of EL2's Stage 1 may not be
 * able to end: what it took write access from can have become executable. */
static bool may_be_logged(const struct objects *o, const struct step *step)
{
	const struct cursor *cursor = &o->cursors[step->used[OBJECT_CURSOR]];

	if (cursor->space->stage != STAGE_2)
		return false;
	return step->numbers[NUMBER_LENGTH] <= LOG_PAGES * PAGE_SIZE ||
	       step->numbers[NUMBER_LENGTH] > cursor->range.end.value - cursor->position.value;
}

static bool is_changing(const struct trace *trace, const struct vm_space *space)
{
	for (unsigned int i = 0; i < object_count(OBJECT_CURSOR); i++)
		if (trace->live[OBJECT_CURSOR][i] && trace->objects.cursors[i].space == space &&
		    trace->objects.cursors[i].access == CURSOR_MUTABLE)
			return true;
	return false;
}

/* What is added is mapped, and nobody else's; or it is no range of memory at all. */
static bool may_be_added(const struct objects *o, const struct step *step)
{
	const struct prange range =
		extra(o, step->numbers[NUMBER_PAGE], step->numbers[NUMBER_LENGTH]);

	return prange_contains(part(o->memory.start, 0, STAGE_BYTES), range) ||
	       !prange_is_page_aligned(range) || prange_is_empty(range) ||
	       range.end.value > UINT64_C(1) << ADDRESS_BITS_MAX;
}

bool trace_may(const struct trace *trace, const struct step *step)
{
	const struct objects *o = &trace->objects;

	if (step->act >= ACTS)
		return false;

	const struct act_words *words = act_words((enum act)step->act);

	for (unsigned int kind = 0; kind < OBJECT_KINDS; kind++) {
		if ((words->uses >> kind & 1) != 0 && !trace->live[kind][step->used[kind]])
			return false;
		if ((words->makes >> kind & 1) != 0 && trace->live[kind][step->made[kind]])
			return false;
	}
	if (words->other_space && !trace->live[OBJECT_SPACE][step->other_space])
		return false;
	switch ((enum act)step->act) {
	case ACT_SPACE_NEW_WINDOW:
	case ACT_KVIRT_NEW_EL2:
		return o->el2.root.value != 0;
	case ACT_DIRTY_LOG_START:
		return may_be_logged(o, step);
	case ACT_SPACE_DESTROY:
		if (is_logged(trace, &o->spaces[step->used[OBJECT_SPACE]]))
			return false;
		return !any_lives(trace, OBJECT_KVIRT) ||
		       trace->kvirt_space != &o->spaces[step->used[OBJECT_SPACE]];
	case ACT_CURSOR_OPEN: /* nobody else maps anything where areas come from */
		return !any_lives(trace, OBJECT_KVIRT) ||
		       trace->kvirt_space != &o->spaces[step->used[OBJECT_SPACE]] ||
		       step->numbers[NUMBER_ACCESS] != CURSOR_MUTABLE;
	case ACT_SPACE_DEACTIVATE_WINDOW:
		return !has_gathered(trace);
	case ACT_SPACE_ACTIVATE: /* what this CPU is changing it does not load */
		if (o->spaces[step->used[OBJECT_SPACE]].part == SPACE_IN_WINDOW &&
		    has_gathered(trace))
			return false;
		return !is_changing(trace, &o->spaces[step->used[OBJECT_SPACE]]);
	case ACT_MEMORY_ADD:
		return may_be_added(o, step);
	case ACT_MEMORY_REMOVE: /* an open cursor is an operation in flight */
		return !any_lives(trace, OBJECT_CURSOR);
	case ACT_READ_FALLIBLE:
		return !may_overlap(o, step);
	default:
		return true;
	}
}

/* ---- What lives afterwards ----------------------------------------------------------------------- */

static void end_places(struct trace *trace, const struct frame_list *list, unsigned int but)
{
	for (unsigned int i = 0; i < object_count(OBJECT_PLACE); i++)
		if (i != but && trace->objects.places[i].list == list)
			trace->live[OBJECT_PLACE][i] = false;
}

static bool is_of(const struct objects *o, const struct vm_io_range *range,
		  const struct vm_space *space)
{
	if (range->kind == VM_IO_SPACE || range->kind == VM_IO_WINDOW_SPACE)
		return range->space == space;
	return range->kind == VM_IO_GUEST && range->guest == &o->guests[space - o->spaces];
}

static void end_of_space(struct trace *trace, const struct vm_space *space)
{
	for (unsigned int i = 0; i < object_count(OBJECT_READER); i++) {
		if (is_of(&trace->objects, &trace->objects.readers[i].range, space))
			trace->live[OBJECT_READER][i] = false;
		if (is_of(&trace->objects, &trace->objects.writers[i].range, space))
			trace->live[OBJECT_WRITER][i] = false;
	}
}

static void note_lives(struct trace *trace, const struct step *step)
{
	const struct act_words *words = act_words((enum act)step->act);
	struct objects *o = &trace->objects;

	for (unsigned int kind = 0; kind < OBJECT_KINDS; kind++) {
		if ((words->ends >> kind & 1) != 0)
			trace->live[kind][step->used[kind]] = false;
		if ((words->makes >> kind & 1) != 0)
			trace->live[kind][step->made[kind]] = true;
	}
	switch ((enum act)step->act) {
	case ACT_SPACE_DESTROY:
		end_of_space(trace, &o->spaces[step->used[OBJECT_SPACE]]);
		break;
	case ACT_KVIRT_NEW_EL2:
		trace->kvirt_space = &o->el2;
		break;
	case ACT_KVIRT_NEW:
		trace->kvirt_space = &o->spaces[step->used[OBJECT_SPACE]];
		break;
	case ACT_LIST_DROP:
	case ACT_LIST_PUSH_FRONT:
	case ACT_LIST_PUSH_BACK:
	case ACT_LIST_POP_FRONT:
	case ACT_LIST_POP_BACK:
		end_places(trace, &o->lists[step->used[OBJECT_LIST]], OBJECTS_MAX);
		break;
	case ACT_LIST_CURSOR_INSERT_BEFORE:
	case ACT_LIST_CURSOR_TAKE:
		end_places(trace, o->places[step->used[OBJECT_PLACE]].list,
			   step->used[OBJECT_PLACE]);
		break;
	default:
		break;
	}
}

/* A segment without a page is void, whatever the status that says so. */
static void note_empty(struct trace *trace, const struct step *step)
{
	const struct segment *segment = &trace->objects.segments[step->used[OBJECT_SEGMENT]];

	if ((act_words((enum act)step->act)->uses >> OBJECT_SEGMENT & 1) != 0 &&
	    segment->start.value >= segment->end.value)
		trace->live[OBJECT_SEGMENT][step->used[OBJECT_SEGMENT]] = false;
}

void trace_note(struct trace *trace, const struct step *step)
{
	if (trace->status == MM_OK)
		note_lives(trace, step);
	note_empty(trace, step);
}

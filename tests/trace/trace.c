/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace.h"

#include "refusal.h"

#include <discipline.h>
#include <model.h>

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#define MIB(n) ((uint64_t)(n) << 20)

static struct trace *running;
static jmp_buf out_of_panic;

static const struct frame_kind kind_of_metadata = { .name = "trace" };

/* ---- Judges ------------------------------------------------------------------------------------ */

static void find(enum judge judge, const char *text)
{
	struct finding *finding = &running->finding;

	if (finding->judge != JUDGE_NOBODY)
		return;
	finding->judge = judge;
	strncpy(finding->text, text, sizeof(finding->text) - 1);
}

static void hear_model(const char *text)
{
	find(JUDGE_MODEL, text);
}

static void hear_discipline(const char *text)
{
	find(JUDGE_DISCIPLINE, text);
}

static void hear_violation(const struct share_violation *violation)
{
	find(JUDGE_SHARES, share_violation_name(violation->sort));
}

static void __attribute__((noreturn)) hear_panic(const char *invariant, uint64_t value)
{
	char text[300];

	snprintf(text, sizeof(text), "%s (0x%llx)", invariant, (unsigned long long)value);
	find(JUDGE_INVARIANT, text);
	longjmp(out_of_panic, 1);
}

/* ---- Worlds ------------------------------------------------------------------------------------ */

/*
 *	│ hypervisor │ free ... │ reserved │ a device │ free ...   │ not ours: may be added │
 *	└─ start                └─ middle ────────────             └─ end
 */
bool trace_begin(struct trace *trace, enum world_size size)
{
	static const uint64_t bytes[WORLD_SIZES] = { MIB(2), MIB(32) };
	struct objects *o = &trace->objects;
	struct stage stage;

	memset(trace, 0, sizeof(*trace));
	running = trace;
	trace->finding.act = ACTS;
	if (!stage_begin(&stage)) {
		find(JUDGE_END, "no machine");
		return false;
	}
	o->memory = prange(stage.start, paddr(stage.start.value + bytes[size]));
	o->extra = prange(o->memory.end, paddr(o->memory.end.value + MIB(1)));

	uint64_t middle = o->memory.start.value + bytes[size] / 2;

	o->reserved = prange(paddr(middle), paddr(middle + 8 * PAGE_SIZE));
	o->device = prange(o->reserved.end, paddr(middle + 16 * PAGE_SIZE));

	/* In a small world most pages are the hypervisor's: a few dozen are left. */
	struct mm_reservation reservations[] = {
		{ prange(o->memory.start,
			 paddr(o->memory.start.value +
			       (size == WORLD_SMALL ? MIB(1) - 64 * PAGE_SIZE : 4 * PAGE_SIZE))),
		  PAGE_HYPERVISOR },
		{ o->reserved, PAGE_RESERVED },
		{ o->device, PAGE_MMIO },
		{ prange(paddr(o->memory.end.value -
			       (size == WORLD_SMALL ? MIB(1) - 64 * PAGE_SIZE : PAGE_SIZE)),
			 o->memory.end),
		  PAGE_HYPERVISOR },
	};
	struct mm_config config = {
		.memory = &o->memory,
		.memory_count = 1,
		.reservations = reservations,
		.reservation_count = sizeof(reservations) / sizeof(reservations[0]),
		.linear_offset = stage.linear_offset,
		.panic = hear_panic,
		.violation = hear_violation,
	};

	if (mm_init(&config) != MM_OK) {
		find(JUDGE_END, "mm_init failed");
		return false;
	}
	model_start(stage.arenas[0], stage.arena_size, hear_model);
	discipline_start(stage.arenas[1], stage.arena_size, hear_discipline);
	for (size_t i = 0; i < sizeof(o->metadata) / sizeof(o->metadata[0]); i++)
		o->metadata[i].kind = &kind_of_metadata;
	for (size_t i = 0; i < sizeof(o->bytes); i++)
		((uint8_t *)o->bytes)[i] = (uint8_t)(i * 7 + i / 256);
	if (stage.has_el2 && vm_space_new_el2(&o->el2) == MM_OK)
		el2_stage1_load(o->el2.root, o->el2.geometry);
	trace->before = mm_usage();
	return true;
}

void trace_abandon(void)
{
	discipline_stop();
	model_stop();
	mm_fail_allocation(0);
}

/* ---- A step ------------------------------------------------------------------------------------ */

/* Answers that are no refusals, though nothing succeeded: they change what they say they change. */
static bool is_refusal(const struct step *step, enum mm_status status)
{
	if (status == MM_OK || status == MM_NOT_MAPPED)
		return false;
	return step->act != ACT_CURSOR_QUERY || status != MM_EXISTS;
}

static void look_at_machine(void)
{
	const char *complaint = stage_complaint();

	if (complaint != NULL)
		find(JUDGE_DISCIPLINE, complaint);
}

bool trace_perform(struct trace *trace, const struct step *step)
{
	running = trace;
	refusal_prepare(trace, step);
	if (setjmp(out_of_panic) == 0)
		trace->status = act_perform(&trace->objects, step);
	trace->performed++;
	if (trace->finding.judge == JUDGE_NOBODY) {
		trace_note(trace, step);
		if (is_refusal(step, trace->status)) {
			const char *change = refusal_judge(trace, step);

			if (change != NULL)
				find(JUDGE_REFUSAL, change);
		}
		look_at_machine();
	}
	if (trace->finding.judge != JUDGE_NOBODY)
		trace->finding.act = step->act;
	return trace->finding.judge == JUDGE_NOBODY;
}

bool trace_check(struct trace *trace)
{
	running = trace;
	model_check_all();
	return trace->finding.judge == JUDGE_NOBODY;
}

/* ---- The end ----------------------------------------------------------------------------------- */

/* A log is stopped by a cursor that has all of it: first the others are closed, and one opened. */
static bool next_end_of_log(const struct trace *trace, struct step *out)
{
	const struct dirty_log *log = &trace->objects.logs[0];

	if (!trace->live[OBJECT_LOG][0])
		return false;
	*out = (struct step){ .act = ACT_DIRTY_LOG_STOP };
	if (trace->live[OBJECT_CURSOR][0])
		return true;
	*out = (struct step){ .act = ACT_CURSOR_OPEN };
	out->used[OBJECT_SPACE] = (uint8_t)(log->space - trace->objects.spaces);
	out->numbers[NUMBER_ADDRESS] = log->range.start.value;
	out->numbers[NUMBER_LENGTH] = irange_size(log->range);
	out->numbers[NUMBER_ACCESS] = CURSOR_MUTABLE;
	return true;
}

static bool next_deactivation(const struct trace *trace, struct step *out)
{
	for (unsigned int i = 0; i < object_count(OBJECT_SPACE); i++) {
		const struct vm_space *space = &trace->objects.spaces[i];

		if (!trace->live[OBJECT_SPACE][i] || space->active_cpus == 0)
			continue;
		*out = (struct step){ .act = space->part == SPACE_IN_WINDOW
						     ? ACT_SPACE_DEACTIVATE_WINDOW
						     : ACT_SPACE_DEACTIVATE };
		return true;
	}
	return false;
}

static bool is_end_cursor(const struct trace *trace, unsigned int kind, unsigned int n)
{
	const struct cursor *cursor = &trace->objects.cursors[0];
	const struct dirty_log *log = &trace->objects.logs[0];

	return kind == OBJECT_CURSOR && n == 0 && trace->live[OBJECT_LOG][0] &&
	       cursor->access == CURSOR_MUTABLE && cursor->space == log->space &&
	       cursor->range.start.value == log->range.start.value &&
	       cursor->range.end.value == log->range.end.value;
}

bool trace_next_end(const struct trace *trace, struct step *out)
{
	/* Each kind after those that may hold it. */
	static const enum act order[] = {
		ACT_CURSOR_CLOSE,   ACT_IO_MEM_DROP,	 ACT_AREA_DROP,	       ACT_KVIRT_DESTROY,
		ACT_FRAME_DROP,	    ACT_SEGMENT_DROP,	 ACT_LIST_DROP,	       ACT_UNIQUE_DROP,
		ACT_FRAME_FROM_RAW, ACT_UNIQUE_FROM_RAW, ACT_SEGMENT_FROM_RAW, ACT_DIRTY_LOG_STOP,
		ACT_SPACE_DESTROY,  ACT_SHARING_DESTROY,
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (order[i] == ACT_IO_MEM_DROP && next_deactivation(trace, out))
			return true;
		if (order[i] == ACT_DIRTY_LOG_STOP && next_end_of_log(trace, out))
			return true;
		for (unsigned int kind = 0; kind < OBJECT_KINDS; kind++) {
			if ((act_words(order[i])->ends >> kind & 1) == 0)
				continue;
			*out = (struct step){ .act = (uint16_t)order[i] };
			for (unsigned int n = 0; n < object_count((enum object_kind)kind); n++)
				if (trace->live[kind][n] && !is_end_cursor(trace, kind, n)) {
					out->used[kind] = (uint8_t)n;
					return true;
				}
		}
	}
	return false;
}

static void end_all(struct trace *trace)
{
	struct objects *o = &trace->objects;
	struct step step;

	mm_fail_allocation(0);
	while (trace_next_end(trace, &step) && trace_perform(trace, &step))
		if (trace->status != MM_OK) {
			find(JUDGE_END, "what nobody uses cannot be given back");
			return;
		}
	for (unsigned int i = 0; i < o->withheld_count; i++)
		if (frame_from_unused(o->withheld[i], &o->frames[0]) == MM_OK)
			frame_drop(&o->frames[0]);
}

/* Reserved pages that were taken are memory now, and added memory stays. */
static bool all_came_back(const struct trace *trace)
{
	struct mm_usage now = mm_usage();

	return now.pages[PAGE_FRAME] == trace->before.pages[PAGE_FRAME] &&
	       now.pages[PAGE_TABLE] == trace->before.pages[PAGE_TABLE];
}

bool trace_end(struct trace *trace, struct coverage *coverage)
{
	struct mm_statistics statistics;

	running = trace;
	if (setjmp(out_of_panic) == 0) {
		end_all(trace);
		model_check_all();
		look_at_machine();
		if (!all_came_back(trace))
			find(JUDGE_END, "pages did not come back");
	}
	coverage->worlds++;
	statistics = mm_statistics();
	counts_add(&coverage->statistics, &statistics, sizeof(statistics));
	coverage->checks += model_report().operations;
	coverage->events += discipline_report().events;
	trace_abandon();
	return trace->finding.judge == JUDGE_NOBODY;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "shrink.h"

#include "leave_out.h"

#include <stdio.h>
#include <string.h>

struct finding replay(const struct log *log, struct trace *trace)
{
	static struct coverage nothing;
	bool good = trace_begin(trace, log->size);

	for (size_t i = 0; good && i < log->count; i++)
		if (trace_may(trace, &log->steps[i]))
			good = trace_perform(trace, &log->steps[i]);
	if (good)
		good = trace_check(trace);
	if (good)
		trace_end(trace, &nothing);
	else
		trace_abandon();
	return trace->finding;
}

/* Numbers in what was said are not the same in another trace; who said it, and of what, is. */
static bool same(const struct finding *a, const struct finding *b)
{
	return a->judge == b->judge && a->act == b->act;
}

/* Marks a step as left out: it is no act, so it may not be. */
#define LEFT_OUT 0x8000

static void mark(struct log *log, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		log->steps[i].act ^= LEFT_OUT;
}

struct shrinking {
	struct log *log;
	struct trace *trace;
	struct finding *finding;
};

static bool without(void *context, size_t first, size_t count)
{
	const struct shrinking *shrinking = context;
	struct log *log = shrinking->log;
	struct finding now;

	mark(log, first, count);
	now = replay(log, shrinking->trace);
	if (!same(&now, shrinking->finding)) {
		mark(log, first, count);
		return false;
	}
	*shrinking->finding = now;
	memmove(&log->steps[first], &log->steps[first + count],
		(log->count - first - count) * sizeof(log->steps[0]));
	log->count -= count;
	return true;
}

void shrink(struct log *log, struct trace *trace, struct finding *finding)
{
	struct shrinking shrinking = { log, trace, finding };

	leave_out(log->count, without, &shrinking);
}

/* ---- As C -------------------------------------------------------------------------------------- */

static void print_step(const struct step *step, enum mm_status status)
{
	char text[400];

	act_print(step, text, sizeof(text));
	printf("\tSTEP(%s,\n\t     %s);\n", text, mm_status_name(status));
}

void print_test(const struct log *log, struct trace *trace, const struct finding *finding,
		uint64_t seed)
{
	bool good = trace_begin(trace, log->size);

	printf("---- the test ----\n"
	       "/* SPDX-License-Identifier: BSD-3-Clause */\n"
	       "/* Seed %llu. %s: %s */\n"
	       "#include \"pasted.h\"\n\n"
	       "TRACE_TEST(%s)\n{\n",
	       (unsigned long long)seed, judge_name(finding->judge), finding->text,
	       log->size == WORLD_SMALL ? "WORLD_SMALL" : "WORLD_LARGE");
	for (size_t i = 0; good && i < log->count; i++)
		if (trace_may(trace, &log->steps[i])) {
			good = trace_perform(trace, &log->steps[i]);
			print_step(&log->steps[i], trace->status);
		}
	/* Where no step was wrong, what was found shows when everything is given back. */
	struct step step = { .act = ACT_EXHAUST };

	if (good) {
		mm_fail_allocation(0);
		print_step(&step, MM_OK);
	}
	while (good && trace_next_end(trace, &step)) {
		good = trace_perform(trace, &step) && trace->status == MM_OK;
		print_step(&step, trace->status);
	}
	printf("}\n---- end of the test ----\n");
	trace_abandon();
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include "shrink.h"

#include <discipline.h>
#include <stdio.h>

/* A world's steps; every so often everything is looked at. */
#define WORLD_STEPS 600
#define CHECK_STEPS 100
/* And so often the step is said, so that a run which does not end is known to have come so far. */
#define PROGRESS_STEPS 10000

static struct step steps[WORLD_STEPS];
static struct trace trace;

/* ---- What was reached -------------------------------------------------------------------------- */

static void count(struct coverage *coverage, const struct step *step, enum mm_status status)
{
	coverage->performed++;
	coverage->refused += status != MM_OK;
	coverage->statuses[act_call((enum act)step->act)][status]++;
}

static void print_calls(const struct coverage *coverage)
{
	for (unsigned int call = 0; call < CALLS; call++)
		if (call_name(call) != NULL)
			counts_print(call_name(call), coverage->statuses[call]);
}

static const struct {
	const char *name;
	size_t offset;
} branches[] = {
#define BRANCH(member, text) { text, offsetof(struct mm_statistics, member) },
	MM_STATISTICS(BRANCH)
#undef BRANCH
};

/* A world has fewer spaces than there are VMIDs, and one CPU: tests/stress has more of both. */
static bool is_reached(size_t offset)
{
	return offset != offsetof(struct mm_statistics, vmid_rollovers) &&
	       offset != offsetof(struct mm_statistics, tables_deferred);
}

static uint64_t branch(const struct coverage *coverage, size_t i)
{
	return *(const uint64_t *)((const char *)&coverage->statistics + branches[i].offset);
}

static uint32_t met(const struct coverage *coverage, unsigned int call)
{
	uint32_t set = 0;

	for (unsigned int status = 0; status < STATUSES_COUNT; status++)
		set |= (uint32_t)(coverage->statuses[call][status] != 0) << status;
	return set;
}

/* Whether all has been met that must be. */
static bool is_covered(const struct coverage *coverage)
{
	for (unsigned int call = 0; call < CALLS; call++)
		if ((call_reaches(call) & ~met(coverage, call)) != 0)
			return false;
	for (size_t i = 0; i < sizeof(branches) / sizeof(branches[0]); i++)
		if (branch(coverage, i) == 0 && is_reached(branches[i].offset))
			return false;
	return true;
}

static void print_statuses(const char *text, unsigned int call, uint32_t set)
{
	for (unsigned int status = 0; status < STATUSES_COUNT; status++)
		if ((set >> status & 1) != 0)
			printf("%s: %s of %s\n", text, mm_status_name((enum mm_status)status),
			       call < OPERATION_COUNT
				       ? op_information((enum mm_operation_kind)call)->name
				       : act_words((enum act)(call - OPERATION_COUNT))->name);
}

/* What should have been met and was not, or was and should not have been; whether there is none. */
static bool print_wrong(const struct coverage *coverage)
{
	bool right = is_covered(coverage);

	for (unsigned int call = 0; call < CALLS; call++) {
		const uint32_t never = call_reaches(call) & ~met(coverage, call);
		const uint32_t other =
			met(coverage, call) & ~(call_reaches(call) | call_meets_seldom(call));

		print_statuses("never reached", call, never);
		print_statuses("neither in REACHES nor in SELDOM", call, other);
		right = right && other == 0;
	}
	for (size_t i = 0; i < sizeof(branches) / sizeof(branches[0]); i++)
		if (branch(coverage, i) == 0 && is_reached(branches[i].offset))
			printf("never reached: %s\n", branches[i].name);
	return right;
}

static void print_coverage(const struct coverage *coverage)
{
	printf("operations, and how they ended\n");
	print_calls(coverage);
	printf("branches\n");
	for (size_t i = 0; i < sizeof(branches) / sizeof(branches[0]); i++)
		printf("  %-28s %llu\n", branches[i].name, (unsigned long long)branch(coverage, i));
}

/* ---- The run ----------------------------------------------------------------------------------- */

static void report(const struct run_options *options, uint64_t number, struct log *log,
		   struct finding finding)
{
	char call[400];

	printf("DIFFERENT at step %llu, %llu of its world, seed %llu\n", (unsigned long long)number,
	       (unsigned long long)log->count, (unsigned long long)options->seed);
	if (finding.act < ACTS) {
		act_print(&log->steps[log->count - 1], call, sizeof(call));
		printf("  %s\n", call);
	}
	printf("  %s: %s\n", judge_name(finding.judge), finding.text);
	trace_print_states(&trace);
	discipline_trace(NULL);
	trace_abandon();
	shrink(log, &trace, &finding);
	printf("shrunk to %llu steps; %s: %s\n", (unsigned long long)log->count,
	       judge_name(finding.judge), finding.text);
	print_test(log, &trace, &finding, options->seed);
}

static void print_progress(uint64_t number)
{
	if (number % PROGRESS_STEPS == 0)
		printf("trace: step %llu\n", (unsigned long long)number);
}

static void print_event(const char *line)
{
	puts(line);
}

static void print_call(uint64_t number, const struct step *step)
{
	char call[400];

	act_print(step, call, sizeof(call));
	printf("%llu %s\n", (unsigned long long)number, call);
}

/* False: something was wrong, and that was said. */
static bool run_world(const struct run_options *options, struct generator *generator,
		      uint64_t number, uint64_t wanted, struct coverage *coverage)
{
	struct log log = { .size = generator->size, .steps = steps };
	bool good = trace_begin(&trace, generator->size);

	while (good && log.count < wanted) {
		struct step *step = &steps[log.count];

		generate(generator, &trace, step);
		log.count++;
		if (options->print_from != 0 && number + log.count >= options->print_from)
			print_call(number + log.count, step);
		good = trace_perform(&trace, step);
		count(coverage, step, trace.status);
		if (good && log.count % CHECK_STEPS == 0)
			good = trace_check(&trace);
		if (good)
			print_progress(number + log.count);
		if (good && options->states_each != 0 &&
		    (number + log.count) % options->states_each == 0)
			trace_print_states(&trace);
	}
	if (good)
		good = trace_end(&trace, coverage);
	if (!good)
		report(options, number + log.count, &log, trace.finding);
	return good;
}

int run(const struct run_options *options)
{
	static struct coverage coverage;
	struct generator generator = {
		.random = { options->seed },
		.illegal = options->illegal,
		.stages = { options->stages[0], options->stages[1] },
	};

	acts_init();
	if (options->events)
		discipline_trace(print_event);
	printf("trace: seed %llu, %llu operations, %u%% illegal\n",
	       (unsigned long long)options->seed, (unsigned long long)options->operations,
	       options->illegal);
	while (coverage.performed < options->operations &&
	       !(options->cover && is_covered(&coverage))) {
		uint64_t left = options->operations - coverage.performed;

		generator.size = coverage.worlds % 4 == 3 ? WORLD_LARGE : WORLD_SMALL;
		if (!run_world(options, &generator, coverage.performed,
			       left < WORLD_STEPS ? left : WORLD_STEPS, &coverage))
			return 1;
	}
	print_coverage(&coverage);
	if (options->cover && !print_wrong(&coverage))
		return 1;
	printf("trace: %llu operations in %llu worlds, %llu refused; model: %llu checked, 0 "
	       "differences; discipline: %llu events, 0 reports\n",
	       (unsigned long long)coverage.performed, (unsigned long long)coverage.worlds,
	       (unsigned long long)coverage.refused, (unsigned long long)coverage.checks,
	       (unsigned long long)coverage.events);
	return 0;
}

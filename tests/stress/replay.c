/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "replay.h"

#include "leave_out.h"

#include <host/machine.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A log is performed within this time, or does not end; and so much is spent on leaving out. */
#define PERFORM_SECONDS 60
#define SHRINK_SECONDS 60
/* On threads a log is tried so often before it is taken for one that is right. */
#define TRIES 10
#define LOOK_STEPS 100
/* The calls of so few steps are printed. */
#define PRINTED_STEPS 40

struct journal *journal_shared(void)
{
	void *memory = mmap(NULL, sizeof(struct journal), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* In a process, with the log in the place of this one's; returns the exit code. */
static int apart(void (*function)(const struct journal *log), const struct journal *log, bool quiet)
{
	int state = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		alarm(log == NULL ? 0 : PERFORM_SECONDS);
		if (quiet && freopen("/dev/null", "w", stdout) == NULL)
			_exit(2);
		function(log);
		fflush(stdout);
		_exit(stopped());
	}
	if (child < 0 || waitpid(child, &state, 0) != child)
		return 2;
	return WIFEXITED(state) ? WEXITSTATUS(state) : 2;
}

static void run(const struct journal *log)
{
	(void)log;
	stress_run();
}

int run_apart(void)
{
	return apart(run, NULL, false);
}

/* ---- Again ------------------------------------------------------------------------------------- */

static void set_world(const struct journal *log)
{
	stress.options.seed = log->seed;
	stress.options.cpus = log->cpus;
	stress.world = log->world;
	stress.steps = log->steps;
	memcpy(journal->left_out, log->left_out, sizeof(journal->left_out));
	journal->finding = (struct finding){ .judge = JUDGE_NOBODY };
}

static void be(unsigned int cpu)
{
	machine_set_cpu(cpu);
}

static void perform_in_order(const struct journal *log)
{
	static struct place order[ORDER_MAX];
	const size_t count = journal_order(log, order);

	set_world(log);
	if (!world_begin())
		return;
	for (size_t i = 0; i < count && !stopped(); i++) {
		be(order[i].cpu);
		worker_step(&stress.workers[order[i].cpu], order[i].index);
		if (i % LOOK_STEPS == 0)
			world_look();
	}
	for (unsigned int cpu = 0; cpu < log->cpus && !stopped(); cpu++) {
		be(cpu);
		worker_end(&stress.workers[cpu]);
	}
	be(0);
	if (!stopped())
		world_end();
	journal->finding = stress.finding;
}

static void perform_on_threads(const struct journal *log)
{
	set_world(log);
	if (world_begin())
		stage_run();
	if (!stopped())
		world_end();
	journal->finding = stress.finding;
}

int replay_in_order(const struct journal *log)
{
	static struct place order[ORDER_MAX];
	const size_t count = journal_order(log, order);
	size_t alike = 0;
	int code;

	journal = journal_shared();
	code = apart(perform_in_order, log, true);
	for (size_t i = 0; i < count; i++)
		alike += journal->places[order[i].cpu][order[i].index].digest == order[i].digest;
	if (journal->finding.judge != JUDGE_NOBODY)
		printf("replay: %s: %s\n", judge_name(journal->finding.judge),
		       journal->finding.text);
	printf("replay: %zu steps in their order on one thread, %zu of them ended as they were "
	       "logged\n",
	       count, alike);
	return code;
}

/* ---- Shrinking --------------------------------------------------------------------------------- */

/* Who said it; of a rule of the discipline, which one. */
static bool same(const struct finding *a, const struct finding *b)
{
	size_t name = a->judge == JUDGE_DISCIPLINE ? strcspn(a->text, ":") : 0;

	return a->judge == b->judge && strncmp(a->text, b->text, name) == 0;
}

static struct {
	void (*perform)(const struct journal *log);
	unsigned int tries;
	time_t end;
} how;

static bool is_wrong_too(const struct journal *log)
{
	for (unsigned int i = 0; i < how.tries; i++) {
		(void)apart(how.perform, log, true);
		if (same(&log->finding, &journal->finding))
			return true;
	}
	return false;
}

struct shrinking {
	struct journal *log;
	struct place *order; /* of the steps that are left */
};

static bool without(void *context, size_t first, size_t count)
{
	const struct shrinking *shrinking = context;
	struct journal *log = shrinking->log;
	const struct place *order = shrinking->order;

	for (size_t i = first; i < first + count; i++)
		log->left_out[order[i].cpu][order[i].index] = true;
	if (time(NULL) < how.end && is_wrong_too(log)) {
		(void)journal_order(log, shrinking->order);
		return true;
	}
	for (size_t i = first; i < first + count; i++)
		log->left_out[order[i].cpu][order[i].index] = false;
	return false;
}

static void print_steps(const struct journal *log, const struct place *order, size_t count)
{
	if (count > PRINTED_STEPS) {
		journal_print(log);
		return;
	}
	if (how.tries == 1) {
		stress.options.print = true;
		(void)apart(how.perform, log, false);
		return;
	}
	for (size_t i = 0; i < count; i++)
		printf("CPU %u, step %u: %s\n", order[i].cpu, order[i].index,
		       act_name(order[i].act));
}

void shrink(const struct journal *log)
{
	static struct place order[ORDER_MAX];
	static struct journal left;
	size_t count;

	left = *log;
	for (unsigned int cpu = 0; cpu < left.cpus; cpu++)
		for (uint32_t index = 0; index < WORLD_STEPS; index++)
			left.left_out[cpu][index] |= !left.places[cpu][index].begun;
	journal = journal_shared();
	how.perform = perform_in_order;
	how.tries = 1;
	if (!is_wrong_too(&left)) {
		how.perform = perform_on_threads;
		how.tries = TRIES;
		printf("replay: in their order on one thread the steps are right\n");
		if (!is_wrong_too(&left)) {
			printf("replay: on %u threads they are right %d times\n", left.cpus, TRIES);
			return;
		}
	}
	how.end = time(NULL) + SHRINK_SECONDS;
	leave_out(journal_order(&left, order), without, &(struct shrinking){ &left, order });
	count = journal_order(&left, order);
	printf("shrunk to %zu steps, on %s; %s: %s\n", count,
	       how.tries == 1 ? "one thread, in their order" : "threads",
	       judge_name(left.finding.judge), left.finding.text);
	print_steps(&left, order, count);
}

/* ---- Orders that were printed ------------------------------------------------------------------ */

bool journal_read(const char *path, struct journal *out)
{
	FILE *file = fopen(path, "r");
	uint32_t next[STRESS_CPUS_MAX] = { 0 };
	unsigned long long seed, world;
	uint64_t number = 0;
	bool found = false;
	char line[256];

	memset(out, 0, sizeof(*out));
	out->steps = WORLD_STEPS;
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "order: seed %llu, world %llu, %u CPUs", &seed, &world,
			   &out->cpus) == 3) {
			found = true;
			out->seed = seed;
			out->world = world;
			continue;
		}
		if (found && strchr("01234567", line[0]) == NULL)
			break;
		for (const char *digit = line; found && *digit >= '0' && *digit <= '7'; digit++) {
			unsigned int cpu = (unsigned int)(*digit - '0');
			uint32_t index = next[cpu]++;

			if (index >= WORLD_STEPS)
				break;
			out->places[cpu][index] = (struct place){
				.order = number++, .cpu = cpu, .index = index, .begun = true
			};
		}
	}
	if (file != NULL)
		fclose(file);
	return found;
}

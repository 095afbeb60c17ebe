/* SPDX-License-Identifier: BSD-3-Clause */
/* Stress on the simulated machine, a thread for each CPU.
 *
 *     stress [--canary=NAME] [--guests-only] [--replay | --once] [--print] [SEED [OPERATIONS [CPUS]]]
 *     stress [--print] --order=FILE
 *
 * What is wrong is performed again and shrunk, but for --once. --guests-only: the discipline is not asked, so what is
 * stale must be seen by a guest. --replay: the log of the last world is performed again, wrong or not.
 * --order: only a log is performed, that a run has printed; --print: each call of it is said. */
#include "replay.h"

#include <arch/canary.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int replay_file(const char *path)
{
	static struct journal log;

	if (journal_read(path, &log))
		return replay_in_order(&log);
	fprintf(stderr, "stress: no order in %s\n", path);
	return 2;
}

enum then {
	THEN_SHRINK, /* what is wrong */
	THEN_REPLAY, /* what is right, too */
	THEN_NOTHING,
};

static int run(enum then then)
{
	int code;

	journal = journal_shared();
	if (journal == NULL)
		return 2;
	code = run_apart();
	if (journal->finding.judge != JUDGE_NOBODY && then != THEN_NOTHING)
		shrink(journal);
	else if (code == 0 && then == THEN_REPLAY)
		code = replay_in_order(journal);
	return code;
}

int main(int argc, char **argv)
{
	uint64_t numbers[] = { 1, 20000, 4 };
	const char *order = NULL;
	enum then then = THEN_SHRINK;
	size_t given = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--guests-only") == 0) {
			stress.options.without_discipline = true;
		} else if (strcmp(argv[i], "--replay") == 0) {
			then = THEN_REPLAY;
		} else if (strcmp(argv[i], "--once") == 0) {
			then = THEN_NOTHING;
		} else if (strcmp(argv[i], "--print") == 0) {
			stress.options.print = true;
		} else if (strncmp(argv[i], "--order=", 8) == 0) {
			order = argv[i] + 8;
#if STRATA_CANARIES
		} else if (strncmp(argv[i], "--canary=", 9) == 0) {
			if (!canary_choose(argv[i] + 9))
				return 2;
#endif
		} else if (given < sizeof(numbers) / sizeof(numbers[0])) {
			numbers[given++] = strtoull(argv[i], NULL, 10);
		}
	}
	stress.options.seed = numbers[0];
	stress.options.operations = numbers[1];
	stress.options.cpus = (unsigned int)numbers[2];
	if (stress.options.cpus < 1 || stress.options.cpus > STRESS_CPUS_MAX)
		return 2;
	return order != NULL ? replay_file(order) : run(then);
}

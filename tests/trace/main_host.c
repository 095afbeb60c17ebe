/* SPDX-License-Identifier: BSD-3-Clause */
/* Traces on the simulated machine.
 *
 *     trace [--canary=NAME] [--cover] [--print=STEP] [--states=STEPS] [--events]
 *           [SEED [OPERATIONS [STAGE [ILLEGAL]]]]
 *     trace --exhaust=DEPTH
 *
 * STAGE is 1, 2 or both. --cover: ends when all that must be reached is, and fails if that is not so
 * after OPERATIONS. --print: from this step on each call is said before it is made. --states: both states are said
 * after every so many steps. --events: what the discipline sees, in casemate's format (docs/model.md), a line
 * each that begins with a parenthesis. --exhaust: every state of a tiny world that so many
 * steps lead to (exhaust.h). */
#include "exhaust.h"
#include "run.h"

#include <arch/canary.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct run_options options = {
		.seed = 1, .operations = 10000, .illegal = 10, .stages = { true, true }
	};
	int given = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--cover") == 0) {
			options.cover = true;
		} else if (strcmp(argv[i], "--events") == 0) {
			options.events = true;
		} else if (strncmp(argv[i], "--print=", 8) == 0) {
			options.print_from = strtoull(argv[i] + 8, NULL, 10);
		} else if (strncmp(argv[i], "--states=", 9) == 0) {
			options.states_each = strtoull(argv[i] + 9, NULL, 10);
		} else if (strncmp(argv[i], "--exhaust=", 10) == 0) {
			return exhaust((unsigned int)strtoul(argv[i] + 10, NULL, 10));
#if STRATA_CANARIES
		} else if (strncmp(argv[i], "--canary=", 9) == 0) {
			if (!canary_choose(argv[i] + 9))
				return 2;
#endif
		} else if (given == 0) {
			options.seed = strtoull(argv[i], NULL, 10);
			given++;
		} else if (given == 1) {
			options.operations = strtoull(argv[i], NULL, 10);
			given++;
		} else if (given == 2) {
			options.stages[0] = strcmp(argv[i], "2") != 0;
			options.stages[1] = strcmp(argv[i], "1") != 0;
			given++;
		} else {
			options.illegal = (unsigned int)strtoul(argv[i], NULL, 10);
		}
	}
	return run(&options);
}

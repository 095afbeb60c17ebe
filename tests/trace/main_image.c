/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traces at EL2. In bootargs: seed=, ops=, stage=1, 2 or both, illegal= (in a hundred), print= (the step
 * from which on each call is said before it is made), events=1 (what the discipline sees is said, in
 * casemate's format). Exit code 0 if nothing was wrong.
 */
#include "board_stage.h"
#include "run.h"

#include <string.h>

int image_main(const struct boot_info *info)
{
	char stage[8] = "both";
	struct run_options options = {
		.seed = boot_number(info, "seed", 1),
		.operations = boot_number(info, "ops", 10000),
		.illegal = (unsigned int)boot_number(info, "illegal", 10),
		.print_from = boot_number(info, "print", 0),
		.events = boot_number(info, "events", 0) != 0,
	};

	boot_option(info, "stage", stage, sizeof(stage));
	options.stages[0] = strcmp(stage, "2") != 0;
	options.stages[1] = strcmp(stage, "1") != 0;
	return board_stage_take(info, STAGE_BYTES) ? run(&options) : 1;
}

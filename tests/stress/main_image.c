/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stress at EL2, on all CPUs that are up. In bootargs: seed=, ops=, guests-only=1 (the discipline is not
 * asked, so what is stale must be seen by a guest), vmids= (that spaces get VMIDs below; 0: all there are). Exit code 0 if nothing was wrong.
 */
#include "cpus.h"
#include "stage_image.h"

int image_main(const struct boot_info *info)
{
	unsigned int cpus = cpus_up();

	stress.options = (struct stress_options){
		.seed = boot_number(info, "seed", 1),
		.operations = boot_number(info, "ops", 20000),
		.cpus = cpus < STRESS_CPUS_MAX ? cpus : STRESS_CPUS_MAX,
		.without_discipline = boot_number(info, "guests-only", 0) != 0,
	};
	return stage_prepare(info) ? stress_run() : 1;
}

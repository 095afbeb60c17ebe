/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stress at EL2, on all CPUs that are up. In bootargs: seed=, ops=, guests-only=1 (the discipline is not
 * asked, so what is stale must be seen by a guest). Exit code 0 if nothing was wrong.
 */
#include "cpus.h"
#include "stage_image.h"

#include <stdio.h>

/* The decimal number of an option, or @otherwise. */
static uint64_t number_option(const struct boot_info *info, const char *key, uint64_t otherwise)
{
	char text[24];
	uint64_t number = 0;

	if (!boot_option(info, key, text, sizeof(text)))
		return otherwise;
	for (const char *digit = text; *digit >= '0' && *digit <= '9'; digit++)
		number = number * 10 + (uint64_t)(*digit - '0');
	return number;
}

int image_main(const struct boot_info *info)
{
	unsigned int cpus = cpus_up();

	stress.options = (struct stress_options){
		.seed = number_option(info, "seed", 1),
		.operations = number_option(info, "ops", 20000),
		.cpus = cpus < STRESS_CPUS_MAX ? cpus : STRESS_CPUS_MAX,
		.without_discipline = number_option(info, "guests-only", 0) != 0,
	};
	if (!stage_prepare(info)) {
		printf("no room for a world\n");
		return 1;
	}
	return stress_run();
}

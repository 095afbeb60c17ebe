/* SPDX-License-Identifier: BSD-3-Clause */
#include "machine_stage.h"

#include <host/machine.h>
#include <stdlib.h>

#define ARENA_BYTES (UINT64_C(64) << 20)

bool machine_stage(struct arch_features features, uint64_t bytes, struct stage *out)
{
	static void *arenas[2];
	static bool there_is_one;
	const struct paddr start = paddr(0x40000000);
	const struct machine_config config = {
		.memory = { prange(start, paddr(start.value + bytes)) },
		.memory_count = 1,
		.features = features,
	};

	if (there_is_one)
		machine_destroy();
	for (int i = 0; i < 2; i++)
		if (arenas[i] == NULL)
			arenas[i] = malloc(ARENA_BYTES);
	there_is_one = arenas[0] != NULL && arenas[1] != NULL && machine_create(&config);
	*out = (struct stage){
		.start = start,
		.linear_offset = machine_linear_offset(),
		.has_el2 = true,
		.arenas = { arenas[0], arenas[1] },
		.arena_size = ARENA_BYTES,
	};
	return there_is_one;
}

const char *machine_stage_complaint(void)
{
	for (int kind = 0; kind < VIOLATION_COUNT; kind++)
		if (machine_violations(kind) != 0)
			return machine_violation_name(kind);
	return NULL;
}

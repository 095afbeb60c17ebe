/* SPDX-License-Identifier: BSD-3-Clause */
/* Both states, the subsystem's and the model's, of the shared spaces. */
#include "stress.h"

#if STRATA_CHECKED

#include "tables.h"

void world_print_states(void)
{
	const struct live_space *space;

	LIST_FOREACH(space, &model_store()->registry.spaces, link)
	{
		if (space->number <= SHARED_SPACES)
			tables_print(space);
	}
}

#else

void world_print_states(void)
{
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What tests of spaces in EL2's window share. */
#pragma once

#include "areas.h"
#include <arch/user_copy.h>

#define WINDOW_START UINT64_C(0xc00000000000)
#define WINDOW_END UINT64_C(0x1000000000000)
#define PLACE (WINDOW_START + GIB(5))

static inline void make_window(struct world *world, struct vm_space *space)
{
	EXPECT_OK(vm_space_new_window(world_el2_space(world), space));
}

/* What a load by EL2 finds at @ia; UINT64_MAX if it faults. */
static inline uint64_t load(uint64_t ia)
{
	uint64_t value = UINT64_MAX;

	return user_load(iaddr(ia), 8, &value) ? value : UINT64_MAX;
}

static inline struct paddr map_value(struct world *world, struct vm_space *space, uint64_t ia,
				     uint64_t value)
{
	struct paddr page = map_frame_at(world, space, ia, READ_WRITE);

	world_write(page, value);
	return page;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Worlds at EL2: a piece of memory that the subsystem of start-up gave out, which is handed to the
 * subsystem again as all the memory there is. EL2's own table, and all that start-up made, lies
 * outside of it and stays.
 */
#include "stage_image.h"

#include <strata/segment.h>
#include <strata/vm_space.h>

static struct paddr start;
static struct prange pool;

bool stage_prepare(const struct boot_info *info)
{
	struct segment segment;

	if (segment_alloc(STAGE_BYTES >> PAGE_SHIFT, UINT64_C(2) << 20, FRAME_UNDEFINED,
			  &segment) != MM_OK)
		return false;
	start = segment.start;
	pool = info->model_pool;
	return true;
}

bool stage_begin(struct stage *stage)
{
	static uint64_t linear_offset;
	static char *arena;

	if (arena == NULL) {
		arena = mm_linear(pool.start);
		linear_offset = (uint64_t)(uintptr_t)arena - pool.start.value;
	}
	vm_space_deactivate();
	*stage = (struct stage){
		.start = start,
		.linear_offset = linear_offset,
		.arenas = { arena, arena + prange_size(pool) / 2 },
		.arena_size = prange_size(pool) / 2,
	};
	return true;
}

const char *stage_complaint(void)
{
	return NULL;
}

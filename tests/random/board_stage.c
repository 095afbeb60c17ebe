/* SPDX-License-Identifier: BSD-3-Clause */
#include "board_stage.h"

#include <stdio.h>
#include <strata/segment.h>

#define ALIGNMENT (UINT64_C(2) << 20)

static struct stage stage;

bool board_stage_take(const struct boot_info *info, uint64_t bytes)
{
	char *const arenas = mm_linear(info->model_pool.start);
	const size_t size = prange_size(info->model_pool) / 2;
	struct segment segment;

	if (segment_alloc(bytes >> PAGE_SHIFT, ALIGNMENT, FRAME_UNDEFINED, &segment) != MM_OK) {
		printf("no room for a world\n");
		return false;
	}
	stage = (struct stage){
		.start = segment.start,
		.linear_offset = (uint64_t)(uintptr_t)arenas - info->model_pool.start.value,
		.arenas = { arenas, arenas + size },
		.arena_size = size,
	};
	return true;
}

void board_stage(struct stage *out)
{
	*out = stage;
}

/* A board does not watch how it is used. */
const char *stage_complaint(void)
{
	return NULL;
}

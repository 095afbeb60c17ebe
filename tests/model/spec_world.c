/* SPDX-License-Identifier: BSD-3-Clause */
#include "spec_world.h"

void spec_world_init(struct spec_world *world, unsigned int ia_bits, uint64_t size)
{
	model_arena_init(&world->arena, world->memory, sizeof(world->memory));
	model_pool_init(&world->pool, &world->arena, sizeof(struct extent));
	world->space = (struct space_state){ .stage = STAGE_2, .ia_bits = ia_bits, .pa_bits = 40 };
	mappings_init(&world->space.mappings, &world->pool);
	world->cursor = (struct cursor_state){
		.range = irange(iaddr(0), iaddr(size)),
		.may_change = true,
	};
}

struct irange pages_from_position(const struct spec_world *world, uint64_t count)
{
	struct iaddr start = world->cursor.position;

	return irange(start, iaddr(start.value + count * PAGE_SIZE));
}

void expect_only(status_set allowed, enum mm_status status)
{
	assert_int_equal(allowed & ~STATUS_SET(MM_NO_MEMORY), STATUS_SET(status));
}

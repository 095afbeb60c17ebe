/* SPDX-License-Identifier: BSD-3-Clause */
/* No stale translation, whatever order changes come in. */
#include "draw.h"
#include "two_cpus.h"
#include <strata/fault.h>

/* One operation that may succeed or not; what matters is what the MMU does afterwards. */
static void random_step(struct world *world, struct vm_space *space, uint32_t *random)
{
	static const struct page_property properties[] = {
		{ PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK },
		{ PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK },
		{ PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_UNCACHED },
		{ PAGE_READ | PAGE_WRITE | PAGE_EXECUTE | PAGE_ACCESSED, CACHE_WRITEBACK },
	};
	struct page_property property = properties[next_random(random) % COUNT_OF(properties)];
	uint64_t start = (next_random(random) % 1536) * PAGE_SIZE;
	uint64_t pages = next_random(random) % 3 == 0 ? 512 : 1 + next_random(random) % 64;
	struct cursor cursor;

	if (pages == 512)
		start &= ~(MIB(2) - 1);
	open_at(space, start, MIB(8) - start, &cursor);
	for (unsigned int i = 0; i < 1 + next_random(random) % 3; i++) {
		struct segment segment;
		frame_t frame;

		EXPECT_OK(cursor_jump(&cursor, iaddr(start)));
		switch (next_random(random) % 6) {
		case 0:
		case 1:
			segment = world_segment(world, pages,
						pages * PAGE_SIZE == MIB(2) ? MIB(2) : PAGE_SIZE);
			if (cursor_map_segment(&cursor, &segment, property) != MM_OK)
				segment_drop(&segment);
			break;
		case 2:
			EXPECT_OK(cursor_unmap(&cursor, pages * PAGE_SIZE, NULL));
			break;
		case 3:
			(void)!cursor_protect_next(&cursor, pages * PAGE_SIZE, become, &property,
						   NULL);
			break;
		case 4:
			EXPECT_OK(cursor_protect(&cursor, pages * PAGE_SIZE, become, &property,
						 NULL));
			break;
		default:
			frame = world_frame(world);
			if (cursor_replace(&cursor, &frame, property) != MM_OK)
				frame_drop(&frame);
		}
	}
	cursor_close(&cursor);
}

/* Blocks of 1 GiB and 2 MiB and pages of one great mapping: made, cut, changed, joined again. */
static void random_large_step(struct vm_space *space, uint32_t *random)
{
	static const uint64_t units[] = { PAGE_SIZE, MIB(2), GIB(1) };
	static const struct page_property properties[] = {
		{ PAGE_READ | PAGE_ACCESSED, CACHE_DEVICE },
		{ PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_DEVICE },
	};
	struct page_property property = properties[next_random(random) % COUNT_OF(properties)];
	uint64_t unit = units[next_random(random) % COUNT_OF(units)];
	uint64_t start = next_random(random) % (GIB(4) / unit) * unit;
	uint64_t size = (1 + next_random(random) % 3) * unit;
	struct cursor cursor;

	if (size > GIB(4) - start)
		size = GIB(4) - start;
	open_at(space, start, size, &cursor);
#if STRATA_CHECKED
	mm_fail_allocation(next_random(random) % 4);
#endif
	switch (next_random(random) % 5) {
	case 0:
		(void)!cursor_unmap(&cursor, size, NULL);
		break;
	case 2:
		(void)!cursor_protect(&cursor, size, become, &property, NULL);
		break;
	case 1:
		(void)!cursor_protect_next(&cursor, size, become, &property, NULL);
		break;
	default:
		(void)!cursor_map_iomem(
			&cursor,
			prange(paddr(NO_MEMORY_BASE + start), paddr(NO_MEMORY_BASE + start + size)),
			property);
	}
#if STRATA_CHECKED
	mm_fail_allocation(0);
#endif
	cursor_close(&cursor);
}

TEST(random_changes_of_large_blocks_leave_nothing_stale)
{
	static const uint64_t addresses[] = {
		0,	MIB(2) - PAGE_SIZE, MIB(512), GIB(1) - PAGE_SIZE,
		GIB(1), GIB(1) + MIB(6),    GIB(2),   GIB(3) - MIB(2),
		GIB(3), GIB(4) - PAGE_SIZE, MIB(4),   GIB(2) + PAGE_SIZE,
	};

	for (uint32_t seed = 1; seed <= 4; seed++) {
		struct world_config config = world_default_config();
		uint32_t random = seed;
		struct vm_space space;

		config.machine.features = features_of(seed - 1);
		world_restart(world, &config);
		world_space(world, &space);
		watch_on_two_cpus(&space, addresses, COUNT_OF(addresses));
		for (unsigned int step = 0; step < 400; step++) {
			random_large_step(&space, &random);
			expect_no_stale(&space, addresses, COUNT_OF(addresses));
			if (machine_violations_total() != 0)
				FAIL("a rule was broken: seed %u, step %u", seed, step);
		}
		end_watch();
		EXPECT_OK(vm_space_destroy(&space));
		EXPECT_EQUAL(world_pages(PAGE_TABLE), 0);
	}
}

TEST(random_changes_leave_nothing_stale)
{
	uint64_t addresses[24];

	for (size_t i = 0; i < COUNT_OF(addresses); i++)
		addresses[i] = i * (MIB(8) / COUNT_OF(addresses)) & ~(PAGE_SIZE - 1);
	addresses[1] = MIB(2) - PAGE_SIZE;
	for (uint32_t seed = 1; seed <= 4; seed++) {
		struct world_config config = world_default_config();
		uint32_t random = seed;
		struct vm_space space;

		config.machine.features = features_of(seed - 1);
		world_restart(world, &config);
		world_space(world, &space);
		watch_on_two_cpus(&space, addresses, COUNT_OF(addresses));
		for (unsigned int step = 0; step < 150; step++) {
			random_step(world, &space, &random);
			expect_no_stale(&space, addresses, COUNT_OF(addresses));
			if (machine_violations_total() != 0)
				FAIL("a rule was broken: seed %u, step %u", seed, step);
		}
		end_watch();
		EXPECT_OK(vm_space_destroy(&space));
		EXPECT_EQUAL(world_pages(PAGE_FRAME), 0);
		EXPECT_EQUAL(world_pages(PAGE_TABLE), 0);
	}
}

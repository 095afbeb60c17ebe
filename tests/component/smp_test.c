/* SPDX-License-Identifier: BSD-3-Clause */
/* What several CPUs do at once. */
#include "draw.h"
#include "several_cpus.h"
#include "vmid.h"
#include <stdlib.h>

enum { ROUNDS = 300, PAGES = 1024, DEVICE_PAGES = 4096 };

static struct vm_space shared;
static _Atomic uint32_t holders[PAGES];

static void juggle_frames(unsigned int cpu)
{
	uint32_t random = cpu + 1;
	enum { LIVE = 100 };
	frame_t live[LIVE] = { { .paddr = { 0 } } };

	for (unsigned int i = 0; i < 100 * ROUNDS; i++) {
		frame_t *frame = &live[next_random(&random) % LIVE];
		frame_t *other = &live[next_random(&random) % LIVE];

		if (frame->paddr.value == 0) {
			if (frame_alloc(FRAME_UNDEFINED, frame) != MM_OK) {
				complain("memory ran out");
				break;
			}
			world_write(frame->paddr, frame->paddr.value ^ random);
		} else if (other->paddr.value == 0 && random % 3 == 0) {
			if (frame_clone(frame, other) != MM_OK)
				complain("a clone failed");
		} else {
			frame_drop(frame);
			frame->paddr.value = 0;
		}
	}
	for (size_t i = 0; i < LIVE; i++)
		if (live[i].paddr.value != 0)
			frame_drop(&live[i]);
}

/* Counts come out even when frames are taken and dropped everywhere. */
TEST(frames_on_several_cpus)
{
	run_on_cpus(juggle_frames, CPUS);
	EXPECT_EQUAL(world_pages(PAGE_FRAME), 0);
}

/* One page, its references taken and dropped by all. */
static frame_t common;

static void share_a_frame(unsigned int cpu)
{
	(void)cpu;
	for (unsigned int i = 0; i < 100 * ROUNDS; i++) {
		frame_t clone;

		if (i % 2 == 0 ? frame_clone(&common, &clone) != MM_OK
			       : frame_from_in_use(common.paddr, &clone) != MM_OK) {
			complain("a reference was refused");
			return;
		}
		frame_drop(&clone);
	}
}

TEST(one_frame_on_several_cpus)
{
	common = world_frame(world);
	run_on_cpus(share_a_frame, CPUS);
	EXPECT_EQUAL(frame_reference_count(&common), 1);
	frame_drop(&common);
}

static void note_holders(struct irange range, uint32_t from, uint32_t to)
{
	for (uint64_t ia = range.start.value; ia < range.end.value; ia += PAGE_SIZE) {
		uint32_t expected = from;

		if (!atomic_compare_exchange_strong(&holders[ia / PAGE_SIZE], &expected, to))
			complain("two cursors hold one page");
	}
}

static void work_on_ranges(unsigned int cpu)
{
	uint32_t mark = cpu + 1;
	uint32_t random = mark;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t start = next_random(&random) % PAGES;
		uint64_t pages = 1 + next_random(&random) % 40;
		struct irange range;
		struct cursor cursor;

		if (next_random(&random) % 8 == 0)
			pages = 600;
		if (pages > PAGES - start)
			pages = PAGES - start;
		range = span(start * PAGE_SIZE, pages * PAGE_SIZE);
		if (cursor_open(&shared, range, CURSOR_MUTABLE, &cursor) != MM_OK) {
			complain("a cursor was refused");
			return;
		}
		note_holders(range, 0, mark);
		if (cursor_unmap(&cursor, irange_size(range), NULL) != MM_OK ||
		    cursor_jump(&cursor, range.start) != MM_OK)
			complain("unmap failed");
		for (uint64_t page = 0; page < pages && page < 20; page++) {
			frame_t frame;

			if (frame_alloc(FRAME_UNDEFINED, &frame) != MM_OK ||
			    cursor_map(&cursor, &frame, READ_WRITE) != MM_OK)
				complain("map failed");
		}
		note_holders(range, mark, 0);
		cursor_close(&cursor);
	}
}

/* Cursors on overlapping ranges exclude each other, and nothing is lost or locked for ever. */
TEST(cursors_on_several_cpus)
{
	world_space(world, &shared);
	run_on_cpus(work_on_ranges, CPUS);
	EXPECT_TRUE(world_pages(PAGE_FRAME) > 0);
	EXPECT_OK(vm_space_destroy(&shared));
}

/* The same while every CPU runs in the space and looks ahead: no rule is broken in between. */
static void work_while_active(unsigned int cpu)
{
	if (vm_space_activate(&shared) != MM_OK)
		complain("activate failed");
	work_on_ranges(cpu);
	vm_space_deactivate();
}

TEST(cursors_on_several_cpus_that_run_in_the_space)
{
	world_space(world, &shared);
	for (uint64_t ia = 0; ia < PAGES * PAGE_SIZE; ia += PAGES * PAGE_SIZE / 4)
		machine_watch_guest(iaddr(ia));
	run_on_cpus(work_while_active, CPUS);
	machine_watch_nothing();
	EXPECT_OK(vm_space_destroy(&shared));
}

/* Each CPU maps its pages of a device and finds them at once: first every eighth page, so that there
 * are many regions, then what is between. */
static void map_device_pages(unsigned int cpu)
{
	struct prange region;
	struct cursor cursor;

	for (uint64_t i = 0; i < DEVICE_PAGES / CPUS; i++) {
		uint64_t number = (i * 2 * CPUS + cpu * 2) % DEVICE_PAGES +
				  (i >= DEVICE_PAGES / (2 * CPUS) ? 1 : 0);
		uint64_t page = NO_MEMORY_BASE + number * PAGE_SIZE;
		uint64_t ia = GIB(cpu) + i * PAGE_SIZE;

		if (cursor_open(&shared, span(ia, PAGE_SIZE), CURSOR_MUTABLE, &cursor) != MM_OK ||
		    cursor_map_iomem(&cursor, prange(paddr(page), paddr(page + PAGE_SIZE)),
				     DEVICE) != MM_OK)
			complain("map failed");
		cursor_close(&cursor);
		if (vm_space_find_iomem(&shared, paddr(page), &region) != MM_OK ||
		    !prange_has(region, paddr(page)))
			complain("what was mapped is not remembered");
	}
}

TEST(devices_on_several_cpus_become_one_region)
{
	struct prange region;

	world_space(world, &shared);
	run_on_cpus(map_device_pages, CPUS);
	EXPECT_OK(vm_space_find_iomem(&shared, paddr(NO_MEMORY_BASE), &region));
	EXPECT_EQUAL(region.start.value, NO_MEMORY_BASE);
	EXPECT_EQUAL(prange_size(region), DEVICE_PAGES * PAGE_SIZE);
	EXPECT_OK(vm_space_destroy(&shared));
}

/* Spaces that come, run and go on all CPUs, more of them than there are VMIDs. */
static void live_short_lives(unsigned int cpu)
{
	(void)cpu;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct machine_translation used;
		struct machine_fault fault;
		struct vm_space space;
		struct cursor cursor;
		frame_t frame;
		struct paddr page;

		if (vm_space_new_stage2(32, &space) != MM_OK ||
		    frame_alloc(FRAME_ZEROED, &frame) != MM_OK) {
			complain("memory ran out");
			return;
		}
		page = frame.paddr;
		if (vm_space_activate(&space) != MM_OK)
			complain("activate failed");
		if (machine_guest_translate(iaddr(0), MACHINE_READ, &used, &fault))
			complain("a new space has somebody else's translation");
		if (cursor_open(&space, span(0, PAGE_SIZE), CURSOR_MUTABLE, &cursor) != MM_OK ||
		    cursor_map(&cursor, &frame, READ_WRITE) != MM_OK)
			complain("map failed");
		cursor_close(&cursor);
		if (!machine_guest_translate(iaddr(0), MACHINE_READ, &used, &fault) ||
		    used.output.value != page.value)
			complain("a space does not see its own page");
		vm_space_deactivate();
		if (vm_space_destroy(&space) != MM_OK)
			complain("destroy failed");
	}
}

TEST(spaces_on_several_cpus)
{
	struct world_config config = world_default_config();

	config.machine.features = machine_features_v8_0();
	world_restart(world, &config);
	run_on_cpus(live_short_lives, CPUS);
}

/* ---- More spaces than VMIDs, on all CPUs --------------------------------------------------- */

enum { EACH = 80 };

static struct vm_space many[CPUS][EACH];
static struct paddr own_page[CPUS][EACH];

static void switch_spaces(unsigned int cpu)
{
	uint32_t random = cpu + 1;

	for (unsigned int i = 0; i < 40 * ROUNDS; i++) {
		unsigned int n = next_random(&random) % EACH;
		struct vm_space *space = &many[cpu][n];
		struct machine_translation used;
		struct machine_fault fault;

		if (vm_space_activate(space) != MM_OK)
			complain("activate failed");
		if (!machine_guest_translate(iaddr(0), MACHINE_READ, &used, &fault) ||
		    used.output.value != own_page[cpu][n].value)
			complain("a space sees another one's page");
		if (i % 4 == 0) {
			/* Of a space that may not be the active one. */
			struct vm_space *other = &many[cpu][next_random(&random) % EACH];
			struct cursor cursor;

			if (cursor_open(other, span(PAGE_SIZE, PAGE_SIZE), CURSOR_MUTABLE,
					&cursor) != MM_OK ||
			    cursor_unmap(&cursor, PAGE_SIZE, NULL) != MM_OK) {
				complain("unmap failed");
				return;
			}
			cursor_close(&cursor);
			if (cursor_open(other, span(PAGE_SIZE, PAGE_SIZE), CURSOR_MUTABLE,
					&cursor) != MM_OK ||
			    cursor_map_iomem(&cursor,
					     prange(paddr(NO_MEMORY_BASE),
						    paddr(NO_MEMORY_BASE + PAGE_SIZE)),
					     DEVICE) != MM_OK) {
				complain("map failed");
				return;
			}
			cursor_close(&cursor);
		}
	}
	vm_space_deactivate();
}

/* VMIDs roll over under the feet of CPUs that switch, invalidate and look ahead: no space ever sees
 * another one's page. */
TEST(vmids_roll_over_on_several_cpus)
{
	struct world_config config = world_default_config();

	/* Fewer than any CPU has, so that it happens often. */
	config.machine.features = machine_features_v8_0();
	config.machine.features.vmid_bits = 5;
	world_restart(world, &config);
	for (size_t cpu = 0; cpu < CPUS; cpu++)
		for (size_t i = 0; i < EACH; i++) {
			EXPECT_OK(vm_space_new_stage2(32, &many[cpu][i]));
			own_page[cpu][i] = map_frame_at(world, &many[cpu][i], 0, READ_ONLY);
		}
	machine_watch_guest(iaddr(0));
	run_on_cpus(switch_spaces, CPUS);
	machine_watch_nothing();
	EXPECT_TRUE(mm_statistics().vmid_rollovers >= 20);
	for (size_t cpu = 0; cpu < CPUS; cpu++)
		for (size_t i = 0; i < EACH; i++)
			EXPECT_OK(vm_space_destroy(&many[cpu][i]));
}

/* What a flush asks first: whether the space has a VMID. */
static void ask_for_vmid(unsigned int cpu)
{
	(void)cpu;
	while (!first_has_ended()) {
		if (vmid_visit(&shared)) {
			complain("a space without a VMID has something cached");
			vmid_end_visit();
		}
		if (vmid_visit(&many[0][0])) {
			for (unsigned int i = 0; i < 16; i++)
				if (vm_space_vmid(&many[0][0]) == 0)
					complain("a space lost its VMID while it was visited");
			vmid_end_visit();
		}
	}
}

static void roll_over(unsigned int cpu)
{
	const uint64_t rollovers = mm_statistics().vmid_rollovers + 60;

	(void)cpu;
	for (size_t i = 0; mm_statistics().vmid_rollovers < rollovers; i++) {
		if (vm_space_activate(&many[0][i % EACH]) != MM_OK)
			complain("activate failed");
		if (vm_space_vmid(&shared) != 0)
			complain("a space that nobody activated has a VMID");
	}
	vm_space_deactivate();
}

/* A CPU that is about to invalidate in a space says so before it knows whether there is anything to do. A space
 * that has a VMID keeps it until that is done; one that has none gets none, and nobody else's, by that. */
TEST(a_visit_keeps_the_vmid_that_there_is_and_makes_none)
{
	cpu_work *const works[CPUS] = { roll_over, ask_for_vmid, ask_for_vmid, ask_for_vmid };
	struct world_config config = world_default_config();

	config.machine.features = machine_features_v8_0();
	config.machine.features.vmid_bits = 5;
	world_restart(world, &config);
	world_space(world, &shared);
	for (size_t i = 0; i < EACH; i++)
		EXPECT_OK(vm_space_new_stage2(32, &many[0][i]));
	/* It had one, of a generation that is over. */
	EXPECT_OK(vm_space_activate(&shared));
	for (size_t i = 0; i < EACH; i++)
		EXPECT_OK(vm_space_activate(&many[0][i]));
	vm_space_deactivate();
	EXPECT_EQUAL(vm_space_vmid(&shared), 0);
	run_each(works, CPUS);
	for (size_t i = 0; i < EACH; i++)
		EXPECT_OK(vm_space_destroy(&many[0][i]));
	EXPECT_OK(vm_space_destroy(&shared));
}

/* What another CPU freed last lies in its cache, and is free. */
TEST(a_page_in_another_cpus_cache_is_free)
{
	frame_t *frames = calloc(world_pages(PAGE_UNUSED), sizeof(*frames));
	uint64_t count = 0;
	frame_t again;

	while (frame_alloc(FRAME_UNDEFINED, &frames[count]) == MM_OK)
		count++;
	machine_set_cpu(1);
	frame_drop(&frames[--count]);
	machine_set_cpu(0);
	EXPECT_EQUAL(world_pages(PAGE_UNUSED), 1);
	EXPECT_OK(frame_alloc(FRAME_UNDEFINED, &again));
	EXPECT_STATUS(frame_alloc(FRAME_UNDEFINED, &frames[count]), MM_NO_MEMORY);
	frame_drop(&again);
	while (count > 0)
		frame_drop(&frames[--count]);
	free(frames);
}

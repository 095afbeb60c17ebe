/* SPDX-License-Identifier: BSD-3-Clause */
/* Window spaces on several simulated CPUs: each has its own one active, or they share one. */
#include "draw.h"
#include "several_cpus.h"
#include "window_spaces.h"

enum { SPACES = 3, PAGES = 8, ROUNDS = 600 };

static struct vm_space spaces[SPACES];

/* CPUs 0 to CPUS - 1 run on EL2's own table. */
static void start_cpus(struct world *world)
{
	const struct vm_space *el2 = world_el2_space(world);

	for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
		machine_set_cpu(cpu);
		el2_stage1_load(el2->root, el2->geometry);
	}
	machine_set_cpu(0);
}

static void make_spaces(struct world *world)
{
	start_cpus(world);
	for (size_t i = 0; i < SPACES; i++)
		EXPECT_OK(vm_space_new_window(world_el2_space(world), &spaces[i]));
}

static void destroy_spaces(void)
{
	for (size_t i = 0; i < SPACES; i++)
		EXPECT_OK(vm_space_destroy(&spaces[i]));
}

/* All CPUs look ahead at the same addresses. What one has, and unmaps, is nothing to the others. */
TEST(window_spaces_of_two_cpus_are_apart)
{
	make_spaces(world);
	machine_watch_el2(iaddr(PLACE));
	machine_watch_el2(iaddr(PLACE + PAGE_SIZE));
	for (uint64_t i = 0; i < SPACES; i++) {
		map_value(world, &spaces[i], PLACE, 10 + i);
		map_value(world, &spaces[i], PLACE + PAGE_SIZE, 20 + i);
	}
	for (unsigned int round = 0; round < 2 * SPACES; round++) {
		for (unsigned int cpu = 0; cpu < 2; cpu++) {
			machine_set_cpu(cpu);
			EXPECT_OK(vm_space_activate(&spaces[(round + cpu) % SPACES]));
		}
		for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
			machine_set_cpu(cpu);
			EXPECT_EQUAL(load(PLACE),
				     cpu < 2 ? 10 + (round + cpu) % SPACES : UINT64_MAX);
		}
		/* By a third CPU, on which it is not active. */
		unmap_at(&spaces[round % SPACES], PLACE + PAGE_SIZE, PAGE_SIZE);
		for (unsigned int cpu = 0; cpu < 2; cpu++) {
			uint64_t value = 20 + (round + cpu) % SPACES;

			machine_set_cpu(cpu);
			EXPECT_EQUAL(load(PLACE + PAGE_SIZE), cpu == 0 ? UINT64_MAX : value);
		}
		map_value(world, &spaces[round % SPACES], PLACE + PAGE_SIZE, 20 + round % SPACES);
	}
	machine_watch_nothing();
	machine_set_cpu(1);
	EXPECT_STATUS(vm_space_destroy(&spaces[(2 * SPACES - 1) % SPACES]), MM_BUSY);
	vm_space_deactivate_window();
	machine_set_cpu(0);
	vm_space_deactivate_window();
	destroy_spaces();
}

/* A CPU whose EL2 runs on another table gets no window. */
TEST(window_space_needs_el2s_table_on_its_cpu)
{
	struct vm_space other, window, *el2 = world_el2_space(world);

	make_spaces(world);
	EXPECT_OK(vm_space_new_el2(&other));
	machine_set_cpu(CPUS);
	EXPECT_STATUS(vm_space_new_window(el2, &window), MM_NOT_SUPPORTED);
	EXPECT_STATUS(vm_space_activate(&spaces[0]), MM_NOT_SUPPORTED);
	el2_stage1_load(other.root, other.geometry);
	EXPECT_STATUS(vm_space_activate(&spaces[0]), MM_NOT_SUPPORTED);
	EXPECT_OK(vm_space_new_window(&other, &window));
	EXPECT_OK(vm_space_activate(&window));
	EXPECT_STATUS(vm_space_activate(&spaces[0]), MM_NOT_SUPPORTED);
	EXPECT_STATUS(vm_space_new_window(el2, &other), MM_NOT_SUPPORTED);
	vm_space_deactivate_window();
	EXPECT_OK(vm_space_destroy(&window));
	el2_stage1_load(el2->root, el2->geometry);
	EXPECT_OK(vm_space_activate(&spaces[0]));
	vm_space_deactivate_window();
	EXPECT_OK(vm_space_destroy(&other));
	machine_set_cpu(0);
	destroy_spaces();
}

/* A page of a space says whose it is, or is not mapped. */
static void change_a_page(struct vm_space *space, uint64_t index, uint32_t random)
{
	const uint64_t ia = PLACE + random % PAGES * PAGE_SIZE;
	struct cursor cursor;
	frame_t frame;

	if (cursor_open(space, span(ia, PAGE_SIZE), CURSOR_MUTABLE, &cursor) != MM_OK) {
		complain("a cursor was refused");
		return;
	}
	if (random & 0x100) {
		if (cursor_unmap(&cursor, PAGE_SIZE, NULL) != MM_OK)
			complain("an unmap failed");
	} else if (frame_alloc(FRAME_UNDEFINED, &frame) == MM_OK) {
		world_write(frame.paddr, index);
		if (cursor_map(&cursor, &frame, READ_WRITE) != MM_OK)
			frame_drop(&frame);
	}
	cursor_close(&cursor);
}

static void switch_and_look(unsigned int cpu)
{
	uint32_t random = cpu + 77;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t index = next_random(&random) % SPACES;
		uint64_t other = next_random(&random) % SPACES;

		if (vm_space_activate(&spaces[index]) != MM_OK)
			complain("a space was not activated");
		for (uint64_t page = 0; page < PAGES; page++) {
			uint64_t value = load(PLACE + page * PAGE_SIZE);

			if (value != UINT64_MAX && value != index)
				complain("a page of another space, or of nobody");
		}
		if (vm_space_destroy(&spaces[index]) != MM_BUSY)
			complain("an active space was destroyed");
		change_a_page(&spaces[other], other, next_random(&random));
		if (i % 5 == 0)
			vm_space_deactivate_window();
	}
	vm_space_deactivate_window();
}

/* Every CPU switches, looks, and changes the tables of spaces that others have active. A page that was
 * freed too early would soon be somebody else's. */
TEST(window_spaces_on_several_cpus)
{
	make_spaces(world);
	for (uint64_t page = 0; page < PAGES; page++)
		machine_watch_el2(iaddr(PLACE + page * PAGE_SIZE));
	run_on_cpus(switch_and_look, CPUS);
	machine_watch_nothing();
	destroy_spaces();
}

static struct vm_space *own_table;

static void make_and_destroy(unsigned int cpu)
{
	const uint64_t far = (UINT64_C(1) << 47) + cpu * GIB(1024);

	for (unsigned int i = 0; i < ROUNDS / 4; i++) {
		struct vm_space space;
		struct cursor cursor;
		frame_t frame;

		if (vm_space_new_window(own_table, &space) != MM_OK ||
		    vm_space_activate(&space) != MM_OK || frame_alloc(0, &frame) != MM_OK ||
		    cursor_open(own_table, span(far, PAGE_SIZE), CURSOR_MUTABLE, &cursor) !=
			    MM_OK) {
			complain("something was refused");
			return;
		}
		world_write(frame.paddr, cpu);
		if (cursor_map(&cursor, &frame, READ_WRITE) != MM_OK)
			complain("a map failed");
		if (load(far) != cpu)
			complain("EL2 does not see its own page");
		if (cursor_jump(&cursor, iaddr(far)) != MM_OK ||
		    cursor_unmap(&cursor, PAGE_SIZE, NULL) != MM_OK)
			complain("an unmap failed");
		cursor_close(&cursor);
		if (load(far) != UINT64_MAX)
			complain("EL2 sees a page that is gone");
		vm_space_deactivate_window();
		if (vm_space_destroy(&space) != MM_OK)
			complain("a space was not destroyed");
	}
}

/* Roots come and go while EL2's own root changes. */
TEST(window_spaces_follow_el2_on_several_cpus)
{
	own_table = world_el2_space(world);
	start_cpus(world);
	run_on_cpus(make_and_destroy, CPUS);
}

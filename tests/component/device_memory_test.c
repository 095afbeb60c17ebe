/* SPDX-License-Identifier: BSD-3-Clause */
/* What is mapped as a device is not memory, and does not become it: on a machine with more memory than
 * the subsystem is told. */
#include "areas.h"
#include "device_regions.h"
#include "several_cpus.h"
#include <pthread.h>
#include <strata/io_mem.h>
#include <strata/memory.h>
#include <unistd.h>

enum { ROUNDS = 300 };

#define ADDED prange(paddr(UINT64_C(0x50000000)), paddr(UINT64_C(0x51000000)))
#define INSIDE prange(paddr(UINT64_C(0x50800000)), paddr(UINT64_C(0x50802000)))

static void start(struct world *world)
{
	const struct world_config config =
		world_config_of(prange(paddr(MIB(1024)), paddr(MIB(1024 + 32))), ADDED);

	world_restart_told(world, &config, (struct mm_config){ 0 });
}

/* Whatever part of a range some device has, and wherever it begins: all of the range is refused. */
static void expect_in_use(void)
{
	struct mm_usage before = mm_usage();

	EXPECT_STATUS(mm_memory_add(ADDED), MM_IN_USE);
	EXPECT_STATUS(mm_memory_add(prange(ADDED.start, paddr(INSIDE.start.value + PAGE_SIZE))),
		      MM_IN_USE);
	EXPECT_STATUS(mm_memory_add(prange(paddr(INSIDE.end.value - PAGE_SIZE), ADDED.end)),
		      MM_IN_USE);
	expect_pages(&before);
	/* What touches it is none of it. */
	EXPECT_OK(mm_memory_add(prange(ADDED.start, INSIDE.start)));
	EXPECT_OK(mm_memory_remove(prange(ADDED.start, INSIDE.start)));
	EXPECT_OK(mm_memory_add(prange(INSIDE.end, ADDED.end)));
	EXPECT_OK(mm_memory_remove(prange(INSIDE.end, ADDED.end)));
}

static void expect_free(void)
{
	EXPECT_OK(mm_memory_add(ADDED));
	EXPECT_OK(mm_memory_remove(ADDED));
}

/* A mapping that was removed is remembered too: only when the space goes nobody can have it back. */
static void map_in(struct vm_space *space, uint64_t ia)
{
	map_iomem_at(space, ia, INSIDE.start.value, PAGE_SIZE, DEVICE);
	map_iomem_at(space, ia + PAGE_SIZE, INSIDE.start.value + PAGE_SIZE, PAGE_SIZE, DEVICE);
	expect_in_use();
	EXPECT_EQUAL(unmap_at(space, ia, 2 * PAGE_SIZE), 2);
	expect_in_use();
	EXPECT_OK(vm_space_destroy(space));
	expect_free();
}

TEST(memory_that_a_space_has_as_a_device_is_not_added)
{
	struct vm_space space;

	start(world);
	world_space(world, &space);
	map_in(&space, MIB(4));
	EXPECT_OK(vm_space_new_window(world_el2_space(world), &space));
	map_in(&space, VM_SPACE_WINDOW.start.value + MIB(4));
}

TEST(memory_that_an_io_mem_has_is_not_added)
{
	struct io_mem first, second;
	struct kvirt_space *kvirt;

	start(world);
	kvirt = make_kvirt(world);
	EXPECT_OK(io_mem_new(kvirt, INSIDE, &first));
	EXPECT_OK(io_mem_new(kvirt, INSIDE, &second));
	EXPECT_OK(io_mem_drop(&first));
	expect_in_use();
	EXPECT_OK(io_mem_drop(&second));
	expect_free();

	/* Nor does what failed stand in the way. */
	EXPECT_OK(kvirt_space_destroy(kvirt));
	kvirt = make_small_kvirt(world, 3);
	EXPECT_STATUS(io_mem_new(kvirt, INSIDE, &first), MM_OUT_OF_BOUND);
	expect_free();
	EXPECT_OK(kvirt_space_destroy(kvirt));
}

TEST(memory_that_could_not_be_mapped_as_a_device_is_added)
{
	struct vm_space space;
	struct cursor cursor;

	start(world);
	world_space(world, &space);
	map_frame_at(world, &space, 0, READ_WRITE);
	open_at(&space, 0, MIB(2), &cursor);
	EXPECT_STATUS(cursor_map_iomem(&cursor, INSIDE, DEVICE), MM_EXISTS);
	cursor_close(&cursor);
	expect_free();
	EXPECT_OK(vm_space_destroy(&space));
}

static struct vm_space raced;
static pthread_barrier_t barrier;
static _Atomic bool done;
static enum mm_status map_status, add_status;

static void map_on_cpu_1(unsigned int cpu)
{
	struct cursor cursor;

	(void)cpu;
	EXPECT_OK(cursor_open(&raced, span(0, MIB(2)), CURSOR_MUTABLE, &cursor));
	pthread_barrier_wait(&barrier);
	map_status = cursor_map_iomem(&cursor, INSIDE, DEVICE);
	done = true;
	cursor_close(&cursor);
}

static void add_on_cpu_1(unsigned int cpu)
{
	(void)cpu;
	pthread_barrier_wait(&barrier);
	add_status = mm_memory_add(ADDED);
	done = true;
}

/* Neither comes to an end while somebody else is between looking and acting. */
TEST(memory_is_added_and_mapped_as_a_device_one_after_the_other)
{
	cpu_work *const works[] = { map_on_cpu_1, add_on_cpu_1 };

	start(world);
	world_space(world, &raced);
	EXPECT_EQUAL(pthread_barrier_init(&barrier, NULL, 2), 0);
	for (size_t i = 0; i < COUNT_OF(works); i++) {
		bool early;

		done = false;
		device_regions_lock();
		begin_on(1, works[i]);
		pthread_barrier_wait(&barrier);
		usleep(50000);
		early = done;
		device_regions_unlock();
		wait_for_cpus();
		EXPECT_FALSE(early);
	}
	EXPECT_OK(map_status);
	EXPECT_STATUS(add_status, MM_IN_USE);
	pthread_barrier_destroy(&barrier);
	EXPECT_OK(vm_space_destroy(&raced));
}

/* On two CPUs at once one of them is first, and the other one finds that. */
TEST(memory_is_added_or_mapped_as_a_device_never_both)
{
	start(world);
	EXPECT_EQUAL(pthread_barrier_init(&barrier, NULL, 2), 0);
	for (int round = 0; round < ROUNDS; round++) {
		enum mm_status added;

		world_space(world, &raced);
		begin_on(1, map_on_cpu_1);
		pthread_barrier_wait(&barrier);
		added = mm_memory_add(ADDED);
		wait_for_cpus();
		if (added == MM_OK) {
			EXPECT_STATUS(map_status, MM_ACCESS_DENIED);
			EXPECT_OK(mm_memory_remove(ADDED));
		} else {
			EXPECT_STATUS(added, MM_IN_USE);
			EXPECT_OK(map_status);
		}
		EXPECT_OK(vm_space_destroy(&raced));
	}
	pthread_barrier_destroy(&barrier);
}

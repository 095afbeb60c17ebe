/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables that a CPU may be reading when they are taken out: nobody waits for it, and nobody lacks them. */
#include "two_cpus.h"
#include "deferred_tables.h"
#include "page_allocator.h"
#include "read_section.h"
#include <strata/memory.h>
#include <strata/segment.h>
#include <arch/observe.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* A page that is alone here has two tables of its own: of level 3, and of level 2. */
#define ALONE MIB(2)
#define ALONE_TOO GIB(3)
#define ITS_TABLES 2

static struct vm_space space;

/* @cpu is on its way down, as every CPU that opens a cursor is for a moment. */
static void enter(unsigned int cpu)
{
	machine_set_cpu(cpu);
	read_section_enter();
	machine_set_cpu(0);
}

static void leave(unsigned int cpu)
{
	machine_set_cpu(cpu);
	read_section_leave();
	machine_set_cpu(0);
}

/* This CPU takes out the two tables of a page that was just mapped. */
static void retire_two(struct world *world, uint64_t ia)
{
	map_frame_at(world, &space, ia, READ_WRITE);
	EXPECT_EQUAL(unmap_at(&space, ia, PAGE_SIZE), 1);
}

/* Two tables on the queue of @cpu, which nobody reads any more. */
static void defer_two(struct world *world, unsigned int cpu)
{
	uint64_t deferred = mm_statistics().tables_deferred;

	enter(1);
	machine_set_cpu(cpu);
	retire_two(world, ALONE);
	machine_set_cpu(0);
	leave(1);
	EXPECT_EQUAL(mm_statistics().tables_deferred - deferred, ITS_TABLES);
}

/* This call returns: nobody waits. What CPU 1 may have found stays a table until it has left, and goes
 * with what is taken out next. */
TEST(deferred_tables_are_freed_when_their_cpu_takes_out_others)
{
	struct mm_statistics before;
	uint64_t tables;

	world_space(world, &space);
	tables = world_pages(PAGE_TABLE);
	before = mm_statistics();

	enter(1);
	retire_two(world, ALONE);
	EXPECT_EQUAL(mm_statistics().tables_deferred - before.tables_deferred, ITS_TABLES);
	EXPECT_EQUAL(mm_statistics().tables_freed - before.tables_freed, 0);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables + ITS_TABLES);
	retire_two(world, ALONE_TOO);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables + 2 * ITS_TABLES);

	leave(1);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables + 2 * ITS_TABLES);
	retire_two(world, ALONE);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	EXPECT_EQUAL(mm_statistics().tables_deferred - before.tables_deferred, 2 * ITS_TABLES);
	EXPECT_EQUAL(mm_statistics().tables_freed - before.tables_freed, 3 * ITS_TABLES);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Nothing is deferred, and nothing left, where nobody reads. */
TEST(deferred_tables_are_none_if_nobody_reads)
{
	struct mm_statistics before;
	uint64_t tables;

	world_space(world, &space);
	tables = world_pages(PAGE_TABLE);
	before = mm_statistics();
	enter(1);
	leave(1);
	retire_two(world, ALONE);
	EXPECT_EQUAL(mm_statistics().tables_deferred - before.tables_deferred, 0);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	EXPECT_EQUAL(deferred_tables_drain(), 0);
	EXPECT_OK(vm_space_destroy(&space));
}

/* What was taken out before CPU 2 entered goes when CPU 1 has left; what came later stays for CPU 2. */
TEST(deferred_tables_wait_for_those_alone_who_can_have_found_them)
{
	uint64_t tables;

	world_space(world, &space);
	tables = world_pages(PAGE_TABLE);
	enter(1);
	retire_two(world, ALONE); /* one has noted CPU 1, the other comes after it */
	enter(2);
	leave(1);
	retire_two(world, ALONE_TOO);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables + 2 * ITS_TABLES - 1);
	/* CPU 2 has left and is in another section, where it can find none of them. */
	leave(2);
	enter(2);
	retire_two(world, ALONE);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables + 2 * ITS_TABLES - 1);
	leave(2);
	EXPECT_EQUAL(deferred_tables_drain(), 2 * ITS_TABLES - 1);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Though at every moment some CPU reads, tables come free: those that are left are those of the last rounds. */
TEST(deferred_tables_come_free_under_readers_without_end)
{
	uint64_t tables;

	world_space(world, &space);
	tables = world_pages(PAGE_TABLE);
	enter(1);
	for (unsigned int round = 0; round < 100; round++) {
		/* The one who read when tables were taken out reads when the next ones are. */
		retire_two(world, ALONE);
		enter(2);
		retire_two(world, ALONE_TOO);
		leave(1);
		retire_two(world, ALONE);
		enter(1);
		retire_two(world, ALONE_TOO);
		leave(2);
		EXPECT_TRUE(world_pages(PAGE_TABLE) <= tables + 6 * ITS_TABLES);
	}
	leave(1);
	EXPECT_TRUE(deferred_tables_drain() > 0);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Whichever CPU has them, when a space is gone nothing of it is left. */
TEST(deferred_tables_do_not_outlive_their_space)
{
	for (unsigned int cpu = 0; cpu < 3; cpu += 2) {
		uint64_t tables = world_pages(PAGE_TABLE);

		world_space(world, &space);
		defer_two(world, cpu);
		EXPECT_TRUE(world_pages(PAGE_TABLE) > tables + ITS_TABLES);
		EXPECT_OK(vm_space_destroy(&space));
		EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	}
}

/* ---- Memory that is only on its way ------------------------------------------------------------ */

/* All free pages that this CPU can have; returns how many. */
static uint64_t take_all(frame_t *frames)
{
	uint64_t count = 0;

	while (frame_alloc(FRAME_UNDEFINED, &frames[count]) == MM_OK)
		count++;
	return count;
}

/* An allocation is not refused for tables that are on the queue of this CPU, or of another one. */
TEST(deferred_tables_are_no_page_the_less)
{
	frame_t *frames = calloc(world_pages(PAGE_UNUSED), sizeof(*frames));

	for (unsigned int cpu = 0; cpu < 3; cpu += 2) {
		uint64_t tables, count;

		world_space(world, &space);
		tables = world_pages(PAGE_TABLE);
		defer_two(world, cpu);
		EXPECT_EQUAL(world_pages(PAGE_TABLE), tables + ITS_TABLES);
		count = take_all(frames);
		EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
		while (count > 0)
			frame_drop(&frames[--count]);
		EXPECT_OK(vm_space_destroy(&space));
	}
	free(frames);
}

/* The pages of the tables that are deferred: of all, but of the space's root. */
static size_t find_deferred(struct paddr *out)
{
	const struct world_config config = world_default_config();
	size_t count = 0;

	for (size_t i = 0; i < config.machine.memory_count; i++)
		for (struct paddr page = config.machine.memory[i].start;
		     page.value < config.machine.memory[i].end.value; page.value += PAGE_SIZE) {
			struct page_state state;
			bool is_root = page.value - space.root.value <
				       (uint64_t)space.geometry.root_tables * PAGE_SIZE;

			EXPECT_OK(page_state(page, &state));
			if (state.usage != PAGE_TABLE || is_root)
				continue;
			EXPECT_EQUAL(state.references, 1);
			EXPECT_TRUE(count < ITS_TABLES);
			out[count++] = page;
		}
	return count;
}

/* Who wants one particular page gets it. That of a table which is linked is refused. */
TEST(deferred_tables_are_free_pages_to_who_names_one)
{
	struct paddr pages[ITS_TABLES];
	struct segment segment;
	frame_t frame;

	world_space(world, &space);
	defer_two(world, 0);
	EXPECT_EQUAL(find_deferred(pages), ITS_TABLES);
	EXPECT_OK(frame_from_unused(pages[0], &frame));
	EXPECT_OK(segment_from_unused(page_range(pages[1]), &segment));
	EXPECT_STATUS(frame_from_unused(space.root, &frame), MM_IN_USE);
	frame_drop(&frame);
	segment_drop(&segment);
	EXPECT_OK(vm_space_destroy(&space));
}

/* Two pages of which a deferred table has one, or both, are a block again, where there is no other. */
TEST(deferred_tables_keep_no_block_apart)
{
	frame_t *frames = calloc(world_pages(PAGE_UNUSED), sizeof(*frames));
	struct paddr pages[ITS_TABLES];
	struct segment segment;
	uint64_t count;

	world_space(world, &space);
	map_frame_at(world, &space, ALONE, READ_WRITE);
	count = take_all(frames);
	enter(1);
	EXPECT_EQUAL(unmap_at(&space, ALONE, PAGE_SIZE), 1);
	leave(1);
	EXPECT_EQUAL(find_deferred(pages), ITS_TABLES);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t other = frames[i].paddr.value ^ PAGE_SIZE;

		if (other != pages[0].value && other != pages[1].value)
			continue;
		frame_drop(&frames[i]);
		frames[i--] = frames[--count];
	}
	EXPECT_OK(segment_alloc(2, 2 * PAGE_SIZE, FRAME_UNDEFINED, &segment));
	segment_drop(&segment);
	while (count > 0)
		frame_drop(&frames[--count]);
	EXPECT_OK(vm_space_destroy(&space));
	free(frames);
}

#define ADDED UINT64_C(0x50000000)

static void __attribute__((noreturn)) panicked(const char *invariant, uint64_t value)
{
	FAIL("%s (0x%llx)", invariant, (unsigned long long)value);
}

/* Memory that has nothing but deferred tables can be given back. */
TEST(deferred_tables_do_not_keep_memory)
{
	const struct prange added = prange(paddr(ADDED), paddr(ADDED + MIB(16)));
	struct world_config config = world_default_config();
	struct prange memory = prange(config.machine.memory[0].start,
				      paddr(config.machine.memory[0].start.value + MIB(16)));
	struct mm_config hooks = { .memory = &memory, .memory_count = 1, .panic = panicked };
	frame_t *frames = calloc(MIB(16) >> PAGE_SHIFT, sizeof(*frames));
	uint64_t count;

	config.machine.memory[0] = memory;
	config.machine.memory[1] = added;
	config.machine.memory_count = 2;
	config.reservation_count = 0;
	world_restart(world, &config);
	hooks.linear_offset = machine_linear_offset();
	EXPECT_OK(mm_init(&hooks));
	world_begin(world);

	world_space(world, &space);
	count = take_all(frames);
	EXPECT_OK(mm_memory_add(added));
	defer_two(world, 0);
	while (count > 0)
		frame_drop(&frames[--count]);
	EXPECT_OK(mm_memory_remove(added));
	EXPECT_OK(vm_space_destroy(&space));
	free(frames);
}

/* ---- Who waits --------------------------------------------------------------------------------- */

static _Atomic bool drained;
static uint64_t freed;

static void *drain_on_cpu_0(void *context)
{
	(void)context;
	machine_set_cpu(0);
	freed = deferred_tables_drain();
	drained = true;
	return NULL;
}

/* Who drains waits for CPU 1, and no table is freed before that has left. */
TEST(deferred_tables_are_drained_after_every_reader_has_left)
{
	pthread_t other;
	uint64_t tables, early;
	bool waited;

	world_space(world, &space);
	tables = world_pages(PAGE_TABLE);
	enter(1);
	retire_two(world, ALONE);
	drained = false;
	EXPECT_EQUAL(pthread_create(&other, NULL, drain_on_cpu_0, NULL), 0);
	usleep(50000);
	early = world_pages(PAGE_TABLE);
	waited = !drained;
	machine_set_cpu(1);
	read_section_leave();
	EXPECT_EQUAL(pthread_join(other, NULL), 0);
	machine_set_cpu(0);
	EXPECT_TRUE(waited);
	EXPECT_EQUAL(early, tables + ITS_TABLES);
	EXPECT_EQUAL(freed, ITS_TABLES);
	EXPECT_EQUAL(world_pages(PAGE_TABLE), tables);
	EXPECT_OK(vm_space_destroy(&space));
}

/* ---- Who comes second -------------------------------------------------------------------------- */

static struct paddr wanted;
static pthread_t second;
static unsigned int events;
static enum mm_status second_status;

static void *want_one_page(void *context)
{
	frame_t frame;

	(void)context;
	machine_set_cpu(2);
	second_status = frame_from_unused(wanted, &frame);
	if (second_status == MM_OK)
		frame_drop(&frame);
	return NULL;
}

static void see_last_freed(const struct observe_event *event)
{
	if (event->kind != OBSERVE_TABLE_FREE || ++events != ITS_TABLES)
		return;
	wanted = event->address;
	EXPECT_EQUAL(pthread_create(&second, NULL, want_one_page, NULL), 0);
	usleep(50000);
}

/* Who finds that another CPU is freeing them does not find none: he waits until they are free. */
TEST(deferred_tables_are_free_to_who_comes_while_they_are_freed)
{
	static struct observer observer = { .see = see_last_freed };

	world_space(world, &space);
	defer_two(world, 0);
	events = 0;
	observe_attach(&observer);
	EXPECT_EQUAL(deferred_tables_drain(), ITS_TABLES);
	observe_detach(&observer);
	EXPECT_EQUAL(events, ITS_TABLES);
	EXPECT_EQUAL(pthread_join(second, NULL), 0);
	EXPECT_OK(second_status);
	EXPECT_OK(vm_space_destroy(&space));
}

static void *want_any_page(void *context)
{
	frame_t frame;

	(void)context;
	machine_set_cpu(2);
	second_status = frame_alloc(FRAME_UNDEFINED, &frame);
	if (second_status == MM_OK)
		frame_drop(&frame);
	return NULL;
}

/* Two CPUs are short of memory: who waits while the other one drains is not refused what that one freed. */
TEST(deferred_tables_are_free_to_who_waited_for_another_to_drain_them)
{
	frame_t *frames = calloc(world_pages(PAGE_UNUSED), sizeof(*frames));
	pthread_t first;
	uint64_t count;
	frame_t mapped;

	world_space(world, &space);
	map_frame_at(world, &space, ALONE, READ_WRITE);
	EXPECT_OK(frame_from_in_use(item_at(&space, ALONE).output, &mapped));
	count = take_all(frames);
	enter(1);
	EXPECT_EQUAL(unmap_at(&space, ALONE, PAGE_SIZE), 1);
	EXPECT_EQUAL(pthread_create(&first, NULL, drain_on_cpu_0, NULL), 0);
	usleep(50000);
	EXPECT_EQUAL(pthread_create(&second, NULL, want_any_page, NULL), 0);
	usleep(50000);
	machine_set_cpu(1);
	read_section_leave();
	EXPECT_EQUAL(pthread_join(first, NULL), 0);
	EXPECT_EQUAL(pthread_join(second, NULL), 0);
	machine_set_cpu(0);
	EXPECT_OK(second_status);
	frame_drop(&mapped);
	while (count > 0)
		frame_drop(&frames[--count]);
	EXPECT_OK(vm_space_destroy(&space));
	free(frames);
}

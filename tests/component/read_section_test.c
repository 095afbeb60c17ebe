/* SPDX-License-Identifier: BSD-3-Clause */
/* A table is not freed while a CPU that may have found it is still reading, and it is not touched later. */
#include "two_cpus.h"
#include "deferred_tables.h"
#include "read_section.h"
#include <arch/observe.h>
#include <strata/vm_reader.h>
#include <pthread.h>
#include <unistd.h>

#if STRATA_CHECKED

static struct vm_space space;
static unsigned int tables_freed;

static void note(const struct observe_event *event)
{
	if (event->kind == OBSERVE_TABLE_FREE)
		tables_freed++;
}

static struct observer watcher = { .see = note };

/* CPU 1 reads; CPU 0 takes the last page out of two tables, and does not wait. */
TEST(tables_are_freed_after_every_reader_has_left)
{
	const uint64_t address = MIB(2);
	unsigned int early;

	world_space(world, &space);
	map_frame_at(world, &space, address, READ_WRITE);
	watch_on_two_cpus(&space, &address, 1);
	end_watch();
	EXPECT_OK(vm_space_activate(&space));
	tables_freed = 0;
	observe_attach(&watcher);

	machine_set_cpu(1);
	read_section_enter();
	machine_set_cpu(0);
	EXPECT_EQUAL(unmap_at(&space, address, PAGE_SIZE), 1);
	early = tables_freed;
	machine_set_cpu(1);
	read_section_leave();
	machine_set_cpu(0);
	EXPECT_EQUAL(deferred_tables_drain(), 2);
	observe_detach(&watcher);
	EXPECT_EQUAL(early, 0);
	EXPECT_EQUAL(tables_freed, 2);
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

static void __attribute__((noreturn)) panicked(const char *invariant, uint64_t value)
{
	FAIL("%s (0x%llx)", invariant, (unsigned long long)value);
}

/* How far CPU 1 is: it has found the table, it may try its lock, it gives a lock back. */
static _Atomic bool table_found, table_detached, lock_returned;
static bool returned_in_section;

static bool in_section(void)
{
	return mm_this_cpu()->read_sections & 1;
}

/* The only lock that a reader takes in a section is that of the node it has found. */
static void stop_before_the_lock(enum mm_held what, const void *object)
{
	(void)object;
	if (what != MM_HELD_CPU || cpu_index() != 1 || !in_section() || table_found)
		return;
	table_found = true;
	while (!table_detached)
		usleep(1000);
}

static void note_detachment(const struct observe_event *event)
{
	static _Atomic unsigned int flushes;

	/* The first flush is the leaf's, with the table's lock; the second is that of the table. */
	if (event->kind == OBSERVE_TLBI_VMID_STAGE1 && table_found && ++flushes == 2)
		table_detached = true;
	if (event->kind == OBSERVE_UNLOCK && event->cpu == 1 && !lock_returned) {
		returned_in_section = in_section();
		lock_returned = true;
	}
}

static struct observer detachment = { .see = note_detachment };

static void *read_on_cpu_1(void *context)
{
	struct vm_reader reader;
	uint64_t word, length;

	(void)context;
	machine_set_cpu(1);
	EXPECT_OK(vm_reader_from_space(&space, iaddr(MIB(2)), sizeof(word), &reader));
	EXPECT_STATUS(vm_reader_collect(&reader, &word, sizeof(word), &length), MM_PAGE_FAULT);
	return NULL;
}

/* CPU 1 has found the table of a page, and locks it when CPU 0 has detached it and wants to free it. */
TEST(a_detached_table_is_given_back_before_it_may_be_freed)
{
	const uint64_t address = MIB(2);
	struct world_config config = world_default_config();
	struct mm_config hooks = {
		.memory = config.machine.memory,
		.memory_count = config.machine.memory_count,
		.panic = panicked,
		.assert_held = stop_before_the_lock,
	};
	pthread_t reader;

	config.reservation_count = 0;
	world_restart(world, &config);
	hooks.linear_offset = machine_linear_offset();
	EXPECT_OK(mm_init(&hooks));
	world_begin(world);
	world_space(world, &space);
	map_frame_at(world, &space, address, READ_WRITE);
	EXPECT_OK(vm_space_activate(&space));

	observe_attach(&detachment);
	EXPECT_EQUAL(pthread_create(&reader, NULL, read_on_cpu_1, NULL), 0);
	while (!table_found)
		usleep(1000);
	EXPECT_EQUAL(unmap_at(&space, address, PAGE_SIZE), 1);
	EXPECT_EQUAL(pthread_join(reader, NULL), 0);
	observe_detach(&detachment);
	EXPECT_TRUE(lock_returned);
	EXPECT_TRUE(returned_in_section);
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

#endif

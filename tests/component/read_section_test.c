/* SPDX-License-Identifier: BSD-3-Clause */
/* A table is not freed while a CPU that may have found it is still reading. */
#include "two_cpus.h"
#include "read_section.h"
#include <arch/observe.h>
#include <pthread.h>
#include <unistd.h>

#if STRATA_CHECKED

static struct vm_space space;
static _Atomic unsigned int tables_freed;
static _Atomic bool invalidated;

static void note(const struct observe_event *event)
{
	if (event->kind == OBSERVE_TABLE_FREE)
		tables_freed++;
	if (event->kind == OBSERVE_TLBI_VMID_STAGE1)
		invalidated = true;
}

static struct observer watcher = { .see = note };

static void *unmap_on_cpu_0(void *context)
{
	(void)context;
	machine_set_cpu(0);
	EXPECT_EQUAL(unmap_at(&space, MIB(2), PAGE_SIZE), 1);
	return NULL;
}

/* CPU 1 reads; CPU 0 takes the last page out of two tables, and waits. */
TEST(tables_are_freed_after_every_reader_has_left)
{
	const uint64_t address = MIB(2);
	pthread_t other;
	unsigned int early;

	world_space(world, &space);
	map_frame_at(world, &space, address, READ_WRITE);
	watch_on_two_cpus(&space, &address, 1);
	end_watch();
	EXPECT_OK(vm_space_activate(&space));
	tables_freed = 0;
	invalidated = false;
	observe_attach(&watcher);

	machine_set_cpu(1);
	read_section_enter();
	EXPECT_EQUAL(pthread_create(&other, NULL, unmap_on_cpu_0, NULL), 0);
	while (!invalidated)
		usleep(1000);
	usleep(50000);
	early = tables_freed;
	read_section_leave();
	EXPECT_EQUAL(pthread_join(other, NULL), 0);
	observe_detach(&watcher);
	machine_set_cpu(0);
	EXPECT_EQUAL(early, 0);
	EXPECT_EQUAL(tables_freed, 2);
	vm_space_deactivate();
	EXPECT_OK(vm_space_destroy(&space));
}

#endif

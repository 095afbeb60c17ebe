/* SPDX-License-Identifier: BSD-3-Clause */
/* Locks: who asks first, enters first; what is counted; that what would be a deadlock is named. */
#include "several_cpus.h"
#if STRATA_CHECKED
#include "discipline.h"
#include "model.h"
#endif
#include "lock.h"
#include "node.h"
#include <host/machine.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <string.h>
#include <strata/statistics.h>
#include <unistd.h>

static struct vm_space space;

static struct mm_lock_statistics since(enum mm_lock_class class, struct mm_lock_statistics before)
{
	struct mm_lock_statistics now = mm_lock_statistics(class);

	now.taken -= before.taken;
	now.waited -= before.waited;
	return now;
}

static struct ticket_lock lock;
static _Atomic unsigned int entered;
static unsigned int order[4];

static void enter(unsigned int cpu)
{
	ticket_lock(&lock, MM_LOCK_ZONE);
	order[entered++] = cpu;
	ticket_unlock(&lock);
}

/* CPUs 3, 1 and 2 ask in this order, while CPU 0 has the lock. */
TEST(locks_are_entered_in_the_order_of_asking)
{
	static const unsigned int asking[] = { 3, 1, 2 };
	struct mm_lock_statistics before = mm_lock_statistics(MM_LOCK_ZONE), counted;

	lock = (struct ticket_lock){ 0 };
	entered = 0;
	ticket_lock(&lock, MM_LOCK_ZONE);
	for (unsigned int i = 0; i < COUNT_OF(asking); i++) {
		begin_on(asking[i], enter);
		while (since(MM_LOCK_ZONE, before).waited != i + 1)
			usleep(100);
	}
	ticket_unlock(&lock);
	wait_for_cpus();
	for (unsigned int i = 0; i < COUNT_OF(asking); i++)
		EXPECT_EQUAL(order[i], asking[i]);
	counted = since(MM_LOCK_ZONE, before);
	EXPECT_EQUAL(counted.waited, COUNT_OF(asking));
	EXPECT_EQUAL(counted.taken, STRATA_CHECKED ? 1 + COUNT_OF(asking) : 0);
}

static uint64_t wanted;

static void open_wanted(unsigned int cpu)
{
	struct cursor cursor;

	(void)cpu;
	if (cursor_open(&space, span(wanted, PAGE_SIZE), CURSOR_MUTABLE, &cursor) == MM_OK)
		cursor_close(&cursor);
	else
		complain("a cursor was refused");
}

/* CPU 1 opens a cursor on @page while CPU 0 has one on @held, which stays until CPU 1 waits, or has finished. */
static struct mm_lock_statistics count_beside(struct irange held, uint64_t page, bool waits)
{
	struct mm_lock_statistics before;
	struct cursor cursor;

	wanted = page;
	EXPECT_OK(cursor_open(&space, held, CURSOR_MUTABLE, &cursor));
	before = mm_lock_statistics(MM_LOCK_NODE);
	begin_on(1, open_wanted);
	if (!waits)
		wait_for_cpus();
	while (waits && since(MM_LOCK_NODE, before).waited == 0)
		usleep(100);
	cursor_close(&cursor);
	if (waits)
		wait_for_cpus();
	return since(MM_LOCK_NODE, before);
}

/* Where nobody is in the way no wait is counted. */
TEST(waits_for_nodes_are_counted_where_ranges_overlap)
{
	struct mm_lock_statistics counted;

	world_space(world, &space);
	map_frame_at(world, &space, MIB(2), READ_WRITE);
	map_frame_at(world, &space, MIB(4), READ_WRITE);
	world_not_alone(world);

	counted = count_beside(span(MIB(2), PAGE_SIZE), MIB(2), true);
	EXPECT_TRUE(counted.waited >= 1);
	EXPECT_EQUAL(counted.taken, STRATA_CHECKED ? 1 : 0);
	counted = count_beside(span(MIB(2), MIB(4)), MIB(4), true);
	EXPECT_TRUE(counted.waited >= 1);
	counted = count_beside(span(MIB(4), PAGE_SIZE), MIB(2), false);
	EXPECT_EQUAL(counted.waited, 0);
	EXPECT_OK(vm_space_destroy(&space));
}

#if STRATA_CHECKED

static jmp_buf after_panic;
static char broken[200];

static void __attribute__((noreturn)) remember(const char *invariant, uint64_t value)
{
	(void)value;
	strncpy(broken, invariant, sizeof(broken) - 1);
	longjmp(after_panic, 1);
}

static struct ticket_lock inner, outer;

static void take_twice(void)
{
	ticket_lock(&inner, MM_LOCK_ZONE);
	ticket_lock(&inner, MM_LOCK_ZONE);
}

static void take_against_the_order(void)
{
	ticket_lock(&inner, MM_LOCK_ZONE);
	ticket_lock(&outer, MM_LOCK_VMID);
}

static void take_two_of_a_rank(void)
{
	ticket_lock(&outer, MM_LOCK_HEAP);
	ticket_lock(&inner, MM_LOCK_DEVICE_REGIONS);
}

/* The last lock is given back before the one that forbids the next. */
static void take_after_another_was_given_back(void)
{
	ticket_lock(&outer, MM_LOCK_OWNERSHIP);
	ticket_lock(&inner, MM_LOCK_ZONE);
	ticket_unlock(&inner);
	ticket_lock(&inner, MM_LOCK_OWNERSHIP);
}

static void unlock_what_another_cpu_has(void)
{
	ticket_lock(&inner, MM_LOCK_ZONE);
	machine_set_cpu(1);
	ticket_unlock(&inner);
}

static void lock_node_under_a_lock(void)
{
	struct cursor cursor;

	ticket_lock(&inner, MM_LOCK_VMID);
	EXPECT_OK(cursor_open(&space, span(0, PAGE_SIZE), CURSOR_MUTABLE, &cursor));
}

static void close_on_another_cpu(void)
{
	struct cursor cursor;

	EXPECT_OK(cursor_open(&space, span(0, PAGE_SIZE), CURSOR_MUTABLE, &cursor));
	machine_set_cpu(1);
	cursor_close(&cursor);
}

static struct slot *root_page(uint64_t page)
{
	return slot_of(paddr(space.root.value + page * PAGE_SIZE));
}

static void lock_root_descending(void)
{
	EXPECT_TRUE(node_lock(root_page(1), NODE_WAIT));
	NODE_FOLLOWS(root_page(0), root_page(1));
}

static void wait_with_a_cursor_open(void)
{
	struct cursor cursor;

	EXPECT_OK(cursor_open(&space, span(0, PAGE_SIZE), CURSOR_MUTABLE, &cursor));
	(void)node_lock(root_page(1), NODE_WAIT);
}

static void lock_below_what_is_not_held(void)
{
	NODE_FOLLOWS(root_page(1), root_page(0));
}

static const struct {
	void (*act)(void);
	const char *sentence;
} misuses[] = {
	{ take_twice, "no CPU takes a lock twice: that of a zone, under that of a zone" },
	{ take_against_the_order,
	  "locks are taken in order: that of VMIDs does not come after that of a zone" },
	{ take_two_of_a_rank, "locks are taken in order: that of device regions does not come "
			      "after that of a size class of the heap" },
	{ take_after_another_was_given_back,
	  "locks are taken in order: that of ownership does not come after that of ownership" },
	{ unlock_what_another_cpu_has, "a lock is given back by the CPU that has it" },
	{ lock_node_under_a_lock,
	  "locks are taken in order: that of a node does not come after that of VMIDs" },
	{ close_on_another_cpu, "a node is unlocked by the CPU that has it" },
	{ lock_root_descending,
	  "nodes are locked from the root down, and the pages of a root ascending" },
	{ wait_with_a_cursor_open, "a CPU that has a cursor open waits for no node" },
	{ lock_below_what_is_not_held,
	  "a node is locked after the one above it, or the page before it" },
};

static void start_anew(void)
{
	const struct prange memory = world_default_config().machine.memory[0];
	const struct mm_config config = {
		.memory = &memory,
		.memory_count = 1,
		.linear_offset = machine_linear_offset(),
		.panic = remember,
	};

	EXPECT_OK(mm_init(&config));
}

/* After each the subsystem is left as it is, in the middle: nothing goes beside it. */
TEST(misused_locks_are_named)
{
	struct world_config again = world_default_config();

	discipline_stop();
	model_stop();
	for (size_t i = 0; i < COUNT_OF(misuses); i++) {
		start_anew();
		/* Its root is of two pages. */
		EXPECT_OK(vm_space_new_stage2(40, &space));
		inner = outer = (struct ticket_lock){ 0 };
		strcpy(broken, "nothing");
		if (setjmp(after_panic) == 0)
			misuses[i].act();
		machine_set_cpu(0);
		if (strcmp(broken, misuses[i].sentence) != 0)
			FAIL("case %zu: \"%s\" instead of \"%s\"", i, broken, misuses[i].sentence);
	}
	start_anew();
	world_restart(world, &again);
}

#endif

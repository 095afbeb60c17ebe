/* SPDX-License-Identifier: BSD-3-Clause */
/* The lock of a guest, with threads as CPUs. */
#define _GNU_SOURCE
#include <exit.h>
#include <monitor/guest_lock.h>
#include <stop.h>

#include <host/machine.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CPUS 4
#define TURNS 5000

static struct guest_lock lock, other;
static jmp_buf refused;
static const char *broken;

/* The run does not end here; who waits says so. */
static atomic_bool waits;

void stop_if_asked(void)
{
	atomic_store_explicit(&waits, true, memory_order_relaxed);
	sched_yield();
}

void boot_panic(const char *invariant, uint64_t value)
{
	(void)value;
	broken = invariant;
	longjmp(refused, 1);
}

static uint64_t counter; /* plain: the lock protects it */
static pthread_barrier_t all_are_here;

static void *take_turns(void *cpu)
{
	machine_set_cpu((unsigned int)(uintptr_t)cpu);
	pthread_barrier_wait(&all_are_here);
	for (unsigned int i = 0; i < TURNS; i++) {
		guest_lock_take(&lock);

		const uint64_t before = counter;

		if (i % 100 == 0)
			sched_yield();
		counter = before + 1;
		guest_lock_give(&lock);
	}
	return NULL;
}

static void one_has_it_at_a_time(void **state)
{
	pthread_t threads[CPUS];

	(void)state;
	lock = (struct guest_lock){ .next = UINT16_MAX - 3, .serving = UINT16_MAX - 3 };
	pthread_barrier_init(&all_are_here, NULL, CPUS);
	for (uintptr_t cpu = 0; cpu < CPUS; cpu++)
		assert_int_equal(pthread_create(&threads[cpu], NULL, take_turns, (void *)cpu), 0);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		pthread_join(threads[cpu], NULL);
	assert_int_equal(counter, CPUS * TURNS);
}

static void *take_it(void *cpu)
{
	machine_set_cpu((unsigned int)(uintptr_t)cpu);
	guest_lock_take(&lock);
	guest_lock_give(&lock);
	return NULL;
}

/* Who waits is counted, once, however long it takes. */
static void waits_are_counted(void **state)
{
	pthread_t thread;

	(void)state;
	machine_set_cpu(0);
	waits = false;
	lock = (struct guest_lock){ .next = 0 };
	guest_lock_take(&lock);
	assert_int_equal(pthread_create(&thread, NULL, take_it, (void *)1), 0);
	while (!atomic_load_explicit(&waits, memory_order_relaxed))
		;
	assert_int_equal(lock.waited, 0);
	guest_lock_give(&lock);
	pthread_join(thread, NULL);
	guest_lock_take(&lock);
	assert_int_equal(lock.waited, 1);
	guest_lock_give(&lock);
}

#if STRATA_CHECKED

static void expect_refused(void (*call)(struct guest_lock *lock), struct guest_lock *which,
			   const char *invariant)
{
	broken = "nothing";
	if (setjmp(refused) == 0)
		call(which);
	assert_string_equal(broken, invariant);
}

static void misuse_is_named(void **state)
{
	(void)state;
	machine_set_cpu(0);
	lock = other = (struct guest_lock){ .next = 0 };
	guest_lock_take(&lock);
	expect_refused(guest_lock_take, &lock, "no CPU takes the lock of a guest twice");
	expect_refused(guest_lock_take, &other,
		       "no CPU takes the lock of a guest under that of another");
	machine_set_cpu(1);
	expect_refused(guest_lock_give, &lock,
		       "the lock of a guest is given back by the CPU that has it");
	machine_set_cpu(0);
	guest_lock_give(&lock);
	expect_refused(guest_lock_give, &lock,
		       "the lock of a guest is given back by the CPU that has it");
	guest_lock_take(&other);
	guest_lock_give(&other);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_has_it_at_a_time),
		cmocka_unit_test(waits_are_counted),
#if STRATA_CHECKED
		cmocka_unit_test(misuse_is_named),
#endif
	};

	return cmocka_run_group_tests_name("the lock of a guest", tests, NULL, NULL);
}

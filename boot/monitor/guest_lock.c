/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest_lock.h"

#include <arch/cpu.h>
#include <stddef.h>
#include "../exit.h"
#include "../stop.h"

#if STRATA_CHECKED

/* What each CPU has; it alone writes and reads its own. */
static const struct guest_lock *held[STRATA_MAX_CPUS];

static void check_asked(const struct guest_lock *lock)
{
	const struct guest_lock *mine = held[cpu_index()];

	if (mine == lock)
		boot_panic("no CPU takes the lock of a guest twice", (uintptr_t)lock);
	if (mine != NULL)
		boot_panic("no CPU takes the lock of a guest under that of another",
			   (uintptr_t)lock);
}

static void note_taken(const struct guest_lock *lock)
{
	held[cpu_index()] = lock;
}

static void check_given(const struct guest_lock *lock)
{
	if (held[cpu_index()] != lock)
		boot_panic("the lock of a guest is given back by the CPU that has it",
			   (uintptr_t)lock);
	held[cpu_index()] = NULL;
}

#define CHECK_ASKED(lock) check_asked(lock)
#define NOTE_TAKEN(lock) note_taken(lock)
#define CHECK_GIVEN(lock) check_given(lock)

#else

#define CHECK_ASKED(lock) ((void)0)
#define NOTE_TAKEN(lock) ((void)0)
#define CHECK_GIVEN(lock) ((void)0)

#endif

void guest_lock_take(struct guest_lock *lock)
{
	CHECK_ASKED(lock);

	/* Relaxed: it is the load of `serving` that acquires. */
	const uint16_t ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
	uint64_t waited = 0;

	while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket) {
		waited = 1;
		stop_if_asked();
		cpu_relax();
	}
	lock->waited += waited;
	NOTE_TAKEN(lock);
}

void guest_lock_give(struct guest_lock *lock)
{
	CHECK_GIVEN(lock);

	/* Relaxed: nobody else writes it while this CPU has the lock. */
	const uint16_t serving = atomic_load_explicit(&lock->serving, memory_order_relaxed);

	atomic_store_explicit(&lock->serving, (uint16_t)(serving + 1), memory_order_release);
}

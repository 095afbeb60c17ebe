/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ticket locks: who asks first, enters first. What one protects is said where it is declared; in which
 * order locks are taken, by the ranks of their classes (strata/lock_class.h).
 *
 * Taking is an acquire and giving back a release, so that what was written under the lock is seen
 * under the lock. The ticket itself may be drawn relaxed: the load that sees it called acquires.
 *
 * In a checked build each CPU knows what locks it has, and it is a panic, by the names of the classes, to
 * take a lock twice, to take one whose rank is not higher than those of all others that the CPU has, and to
 * give back one that it has not. All of that is looked at before anybody waits: what would be a deadlock one
 * day is found in the run where it was merely possible. Nodes are no such locks: of them the order inside one
 * cursor is looked at, and that who has a cursor open is not ready to wait for any (node.h).
 */
#pragma once

#include <arch/cpu.h>
#include <stdatomic.h>
#include <stdint.h>
#include <strata/lock_class.h>
#include "host.h"
#include "linear.h"

struct ticket_lock {
	_Atomic uint16_t next;
	_Atomic uint16_t serving;
};

#if STRATA_CHECKED

#define LOCKS_HELD_MAX 8

/* What locks a CPU has, nodes aside: a node says itself who has it. */
struct locks_held {
	uint32_t count;
	struct {
		const void *lock;
		enum mm_lock_class class;
	} locks[LOCKS_HELD_MAX];
};

/* This CPU is about to ask for @lock; it has it; it is about to give it back. */
void lock_asked(const void *lock, enum mm_lock_class class);
void lock_taken(const void *lock, enum mm_lock_class class);
void lock_given(const void *lock);
/* As lock_asked, for a node. */
void lock_node_asked(const void *node);
void lock_count_taken(enum mm_lock_class class);

#define LOCK_ASKED(lock, class) lock_asked((lock), (class))
#define LOCK_TAKEN(lock, class) lock_taken((lock), (class))
#define LOCK_GIVEN(lock) lock_given(lock)
#define LOCK_NODE_ASKED(node) lock_node_asked(node)
#define LOCK_COUNT_TAKEN(class) lock_count_taken(class)

#else

#define LOCK_ASKED(lock, class) ((void)0)
#define LOCK_TAKEN(lock, class) ((void)0)
#define LOCK_GIVEN(lock) ((void)0)
#define LOCK_NODE_ASKED(node) ((void)0)
#define LOCK_COUNT_TAKEN(class) ((void)0)

#endif

/* Another CPU has a lock of @class that this one wants: counts that, and waits for a moment. */
MM_PRIVATE void lock_wait(enum mm_lock_class class);

/* Until @ticket is called: an acquire. */
MM_PRIVATE void ticket_wait(struct ticket_lock *lock, uint16_t ticket, enum mm_lock_class class);

static inline void ticket_lock(struct ticket_lock *lock, enum mm_lock_class class)
{
	ASSERT_HELD(MM_HELD_CPU, NULL);
	LOCK_ASKED(lock, class);

	uint16_t ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);

	if (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
		ticket_wait(lock, ticket, class);
	LOCK_TAKEN(lock, class);
}

static inline void ticket_unlock(struct ticket_lock *lock)
{
	LOCK_GIVEN(lock);

	uint16_t serving = atomic_load_explicit(&lock->serving, memory_order_relaxed);

	atomic_store_explicit(&lock->serving, (uint16_t)(serving + 1), memory_order_release);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ticket locks: who asks first, enters first.
 *
 * Taking is an acquire and giving back a release, so that what was written under the lock is seen
 * under the lock. The ticket itself may be drawn relaxed: the load that sees it called acquires.
 * Order of the subsystem's locks, outermost first: nodes (from the root down, ascending on one
 * level), the VMID lock, the ownership lock, a size class of the heap or device regions
 * (device_regions.c), a zone. Under the lock of list numbers (frame_list.c), that of a list of areas
 * (kvirt_area.c), that of dirty logs (dirty_log_list.c) and, in checked builds, that of the share table
 * (share_table.h) no other is taken.
 */
#pragma once

#include <arch/cpu.h>
#include <stdatomic.h>
#include <stdint.h>
#include "host.h"

struct ticket_lock {
	_Atomic uint16_t next;
	_Atomic uint16_t serving;
};

static inline void ticket_lock(struct ticket_lock *lock)
{
	ASSERT_HELD(MM_HELD_CPU, NULL);

	uint16_t ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);

	while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
		cpu_relax();
}

static inline void ticket_unlock(struct ticket_lock *lock)
{
	uint16_t serving = atomic_load_explicit(&lock->serving, memory_order_relaxed);

	atomic_store_explicit(&lock->serving, (uint16_t)(serving + 1), memory_order_release);
}

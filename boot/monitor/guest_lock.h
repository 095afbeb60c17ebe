/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lock of a guest: a ticket lock, so who asks first, enters first.
 *
 * All of them are one class, which comes before every class of the subsystem (strata/lock_class.h): a CPU
 * has one at the most, and takes the subsystem's under it. In a checked build it is a panic to take one
 * twice, to take that of another guest under it, and to give back one that another CPU has; each is looked
 * at before anybody waits. A CPU that waits ends where the run does (stop.h).
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* All zero: nobody has it. */
struct guest_lock {
	_Atomic uint16_t next;
	_Atomic uint16_t serving;
	uint64_t waited; /* how often somebody else had it; written by who has it */
};

/* An acquire: what the last holder wrote is seen. Does not return if another CPU ends the run. */
void guest_lock_take(struct guest_lock *lock);

/* A release. */
void guest_lock_give(struct guest_lock *lock);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Barriers for devices and system registers. Those of arch/barrier.h are for translation tables: who observes
 * them may wait for a lock, and must not between an interrupt's acknowledge and its end.
 */
#pragma once

static inline void device_isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

/* What was stored before is seen by other CPUs before what follows. */
static inline void device_dsb(void)
{
	__asm__ volatile("dsb ish" : : : "memory");
}

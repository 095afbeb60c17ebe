/* SPDX-License-Identifier: BSD-3-Clause */
#include "stop.h"
#include "console.h"
#include "cpus.h"
#include "interrupts.h"
#include <arch/cpu.h>
#include <stdatomic.h>

/* The CPU that ends the run, + 1. It only chooses one: nothing else is read for it, so relaxed. */
static _Atomic unsigned int stopper;

static _Noreturn void halt(void)
{
	console_release();
	for (;;)
		__asm__ volatile("msr daifset, #0xf\n\twfe");
}

void stop_others(void)
{
	const unsigned int self = cpu_index();
	unsigned int before = 0;

	if (!atomic_compare_exchange_strong_explicit(&stopper, &before, self + 1,
						     memory_order_relaxed, memory_order_relaxed)) {
		if (before != self + 1)
			halt();
		return;
	}
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		if (cpu != self && cpus_is_up(cpu))
			interrupts_wake(cpu);
	}
}

void stop_if_asked(void)
{
	unsigned int who = atomic_load_explicit(&stopper, memory_order_relaxed);

	if (who != 0 && who != cpu_index() + 1)
		halt();
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#if STRATA_CHECKED

#include <arch/cpu.h>
#include <stdatomic.h>

static mm_operation_observer operation_observer;

void mm_operation_attach(mm_operation_observer observer)
{
	operation_observer = observer;
}

void operation_report(const struct mm_operation *operation)
{
	if (operation_observer != NULL)
		operation_observer(operation);
}

static _Atomic uint32_t cpus_in_flight;
static uint32_t depth[STRATA_MAX_CPUS]; /* of functions in functions; each CPU's own */

struct in_flight in_flight_enter(void)
{
	unsigned int cpu = cpu_index();

	/* Sequentially consistent, as the fence: who sees what is changed next sees this before. */
	if (depth[cpu]++ == 0)
		atomic_fetch_or(&cpus_in_flight, UINT32_C(1) << cpu);
	atomic_thread_fence(memory_order_seq_cst);
	return (struct in_flight){ cpu };
}

void in_flight_leave(struct in_flight *in_flight)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (--depth[in_flight->cpu] == 0)
		atomic_fetch_and(&cpus_in_flight, ~(UINT32_C(1) << in_flight->cpu));
}

uint32_t mm_cpus_in_flight(void)
{
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load(&cpus_in_flight);
}

#endif

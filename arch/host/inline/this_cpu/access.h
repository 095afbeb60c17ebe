/* SPDX-License-Identifier: BSD-3-Clause */
/* On the simulated machine a thread is the CPU that it named by machine_set_cpu. */
#pragma once

extern _Thread_local unsigned int machine_current_cpu;

void *cpu_local_of(unsigned int index);

static inline unsigned int this_cpu_index(void)
{
	return machine_current_cpu;
}

static inline void *this_cpu_local(void)
{
	return cpu_local_of(machine_current_cpu);
}

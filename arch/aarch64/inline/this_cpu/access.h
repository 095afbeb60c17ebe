/* SPDX-License-Identifier: BSD-3-Clause */
/* TPIDR_EL2 holds the address of this CPU's element of percpu_data. */
#pragma once

#include <aarch64/percpu.h>

static inline unsigned int this_cpu_index(void)
{
	uintptr_t offset = (uintptr_t)percpu_this() - (uintptr_t)percpu_data;

	return (unsigned int)(offset >> PERCPU_STRIDE_SHIFT);
}

static inline void *this_cpu_local(void)
{
	return (char *)percpu_this() + PERCPU_LOCAL;
}

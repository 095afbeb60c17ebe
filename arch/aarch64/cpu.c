/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/percpu.h>
#include <arch/cpu.h>
#include <stddef.h>

union percpu_element percpu_data[STRATA_MAX_CPUS]
	__attribute__((aligned(PERCPU_STRIDE), section(".bss.percpu")));

_Static_assert(sizeof(union percpu_element) == PERCPU_STRIDE, "the array's stride");
_Static_assert(sizeof(struct percpu) <= PERCPU_STATE_SIZE, "the state ends below the guard page");
_Static_assert(offsetof(struct percpu, vcpu) == PERCPU_VCPU, "as assembly knows it");
_Static_assert(offsetof(struct percpu, scratch) == PERCPU_SCRATCH, "as assembly knows it");
_Static_assert(offsetof(struct percpu, overflowed) == PERCPU_OVERFLOWED, "as assembly knows it");

unsigned int cpu_index(void)
{
	uintptr_t offset = (uintptr_t)percpu_this() - (uintptr_t)percpu_data;

	return (unsigned int)(offset >> PERCPU_STRIDE_SHIFT);
}

void cpu_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}

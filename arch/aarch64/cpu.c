/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/percpu.h>
#include <aarch64/relax.h>
#include <arch/cpu.h>
#include <stddef.h>

union percpu_element percpu_data[STRATA_MAX_CPUS]
	__attribute__((aligned(PERCPU_STRIDE), section(".bss.percpu")));

_Static_assert(sizeof(union percpu_element) == PERCPU_STRIDE, "the array's stride");
_Static_assert(sizeof(struct percpu) <= PERCPU_LOCAL, "the state ends below what others keep");
_Static_assert(PERCPU_LOCAL + CPU_LOCAL_SIZE <= PERCPU_STATE_SIZE, "and that below the guard page");
_Static_assert(PERCPU_LOCAL % CPU_LOCAL_ALIGNMENT == 0, "aligned as promised");
_Static_assert(offsetof(struct percpu, vcpu) == PERCPU_VCPU, "as assembly knows it");
_Static_assert(offsetof(struct percpu, scratch) == PERCPU_SCRATCH, "as assembly knows it");
_Static_assert(offsetof(struct percpu, overflowed) == PERCPU_OVERFLOWED, "as assembly knows it");

void *cpu_local_of(unsigned int index)
{
	return percpu_data[index].bytes + PERCPU_LOCAL;
}

static void (*relax_doze)(void);

void cpu_relax_doze(void (*doze)(void))
{
	relax_doze = doze;
}

void cpu_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
	if (relax_doze != NULL && ++percpu_this()->relaxed % CPU_RELAX_DOZE == 0)
		relax_doze();
}

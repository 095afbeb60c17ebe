/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions executed at EL2, by the cycle counter: under QEMU's -icount shift=0 one cycle is one
 * instruction, and the count is exact and the same in every run.
 */
#pragma once

#include <stdint.h>

#define FIELD_MDCR_HPME (UINT64_C(1) << 7)	/* MDCR_EL2: event counters of EL2 are enabled */
#define FIELD_PMCCFILTR_NSH (UINT64_C(1) << 27) /* PMCCFILTR_EL0: count cycles at EL2 */
#define FIELD_PMCNTEN_C (UINT64_C(1) << 31)	/* PMCNTENSET_EL0: the cycle counter */
#define FIELD_PMCR_E_C_LC (UINT64_C(1) | UINT64_C(1) << 2 | UINT64_C(1) << 6)

static inline void cycles_start(void)
{
	uint64_t mdcr;

	__asm__ volatile("mrs %0, mdcr_el2" : "=r"(mdcr));
	__asm__ volatile("msr mdcr_el2, %0" : : "r"(mdcr | FIELD_MDCR_HPME));
	__asm__ volatile("msr pmccfiltr_el0, %0" : : "r"(FIELD_PMCCFILTR_NSH));
	__asm__ volatile("msr pmcntenset_el0, %0" : : "r"(FIELD_PMCNTEN_C));
	__asm__ volatile("msr pmcr_el0, %0\n\tisb" : : "r"(FIELD_PMCR_E_C_LC));
}

static inline uint64_t cycles(void)
{
	uint64_t count;

	__asm__ volatile("isb\n\tmrs %0, pmccntr_el0" : "=r"(count) : : "memory");
	return count;
}

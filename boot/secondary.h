/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a CPU that is started finds before it can find anything: its line of a table, by its own number.
 * For C and assembly.
 */
#pragma once

#define SECONDARY_AFFINITY 0
#define SECONDARY_PERCPU 8
#define SECONDARY_STACK 16
#define SECONDARY_ROOT 24
#define SECONDARY_TRANSLATION_CONTROL 32
#define SECONDARY_SIZE 64

#ifndef __ASSEMBLER__

#include <arch/cpu.h>
#include <stdint.h>

struct secondary {
	_Alignas(SECONDARY_SIZE) uint64_t affinity; /* BOOT_CPU_AFFINITY_NONE: nobody's */
	uint64_t percpu;			    /* its element of percpu_data */
	uint64_t stack;				    /* its top */
	uint64_t root;				    /* as the boot CPU has it: TTBR0_EL2 */
	uint64_t translation_control;		    /* and TCR_EL2 */
};

/* By index. Written before the CPU is started, and cleaned to memory: it is read with the MMU off. */
extern struct secondary secondaries[STRATA_MAX_CPUS];

/* Where CPUs are started, MMU off. No C function. */
extern const char secondary_start[];

#endif

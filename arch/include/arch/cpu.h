/* SPDX-License-Identifier: BSD-3-Clause */
/* The CPU that runs this code, and what each CPU has of its own. */
#pragma once

#include <arch/max_cpus.h>
/* Each CPU directory's own: on every path, so it must not cost a call. */
#include <this_cpu/access.h>

/* 0 for the boot CPU, then in the order the CPUs were brought up; below STRATA_MAX_CPUS. */
static inline unsigned int cpu_index(void)
{
	return this_cpu_index();
}

/* Bytes that each CPU keeps for mm/, zero at first. */
#define CPU_LOCAL_SIZE 2048
#define CPU_LOCAL_ALIGNMENT 64

/* This CPU's, and those of any CPU below STRATA_MAX_CPUS. */
static inline void *cpu_local(void)
{
	return this_cpu_local();
}

void *cpu_local_of(unsigned int index);

/* A hint inside a wait loop (YIELD). */
void cpu_relax(void);

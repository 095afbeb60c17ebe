/* SPDX-License-Identifier: BSD-3-Clause */
/* The CPU that runs this code. */
#pragma once

#ifndef STRATA_MAX_CPUS
#define STRATA_MAX_CPUS 8
#endif

/* 0 for the boot CPU, then in the order the CPUs were brought up; below STRATA_MAX_CPUS. */
unsigned int cpu_index(void);

/* A hint inside a wait loop (YIELD). */
void cpu_relax(void);

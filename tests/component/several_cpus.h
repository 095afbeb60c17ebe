/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several simulated CPUs at once, each a thread. What a thread finds wrong it writes down; the test
 * fails when all have ended.
 */
#pragma once

#include "mapping.h"
#include <stdatomic.h>

enum { CPUS = 4 };

/* What CPU @cpu does. */
typedef void cpu_work(unsigned int cpu);

/* CPUs 0 to @cpus - 1, at most CPUS, all do @work; or each has its own. */
void run_on_cpus(cpu_work *work, unsigned int cpus);
void run_each(cpu_work *const work[], unsigned int cpus);

/* CPU 0 does @work, and may begin others. Who has not ended after @seconds is stopped wherever it waits, and
 * the test fails. */
void run_in_time(cpu_work *work, unsigned int seconds);

/* CPU @cpu begins, beside the one that calls this; a test waits for all that began. */
void begin_on(unsigned int cpu, cpu_work *work);
void wait_for_cpus(void);

/* For a CPU: something is wrong. The last complaint is the one that is said. */
void complain(const char *text);

/* CPU 0 has done its work: who works beside it may end. */
bool first_has_ended(void);

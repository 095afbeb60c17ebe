/* SPDX-License-Identifier: BSD-3-Clause */
#include "several_cpus.h"
#include <pthread.h>

static struct thread {
	pthread_t thread;
	cpu_work *work;
	unsigned int cpu;
} threads[CPUS];

static _Atomic(const char *) complaint;
static _Atomic bool ended;

void complain(const char *text)
{
	atomic_store(&complaint, text);
}

bool first_has_ended(void)
{
	return atomic_load(&ended);
}

static void *be_cpu(void *context)
{
	const struct thread *thread = context;

	machine_set_cpu(thread->cpu);
	thread->work(thread->cpu);
	if (thread->cpu == 0)
		atomic_store(&ended, true);
	return NULL;
}

void run_each(cpu_work *const work[], unsigned int cpus)
{
	atomic_store(&complaint, NULL);
	atomic_store(&ended, false);
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		threads[cpu].work = work[cpu];
		threads[cpu].cpu = cpu;
		EXPECT_EQUAL(pthread_create(&threads[cpu].thread, NULL, be_cpu, &threads[cpu]), 0);
	}
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		EXPECT_EQUAL(pthread_join(threads[cpu].thread, NULL), 0);
	if (atomic_load(&complaint) != NULL)
		FAIL("%s", atomic_load(&complaint));
}

void run_on_cpus(cpu_work *work, unsigned int cpus)
{
	cpu_work *const works[CPUS] = { work, work, work, work };

	run_each(works, cpus);
}

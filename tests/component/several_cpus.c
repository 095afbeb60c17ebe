/* SPDX-License-Identifier: BSD-3-Clause */
#include "several_cpus.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

static struct thread {
	cpu_work *work;
	pthread_t thread;
	_Atomic bool runs, ended;
} threads[CPUS];

static _Atomic(const char *) complaint;
static _Thread_local sigjmp_buf before_work;

void complain(const char *text)
{
	atomic_store(&complaint, text);
}

bool first_has_ended(void)
{
	return atomic_load(&threads[0].ended);
}

/* Wherever the CPU waits. */
static void stop(int signal)
{
	(void)signal;
	siglongjmp(before_work, 1);
}

static void *be_cpu(void *context)
{
	struct thread *thread = context;
	const unsigned int cpu = (unsigned int)(thread - threads);

	machine_set_cpu(cpu);
	if (sigsetjmp(before_work, 1) == 0)
		thread->work(cpu);
	atomic_store(&thread->ended, true);
	return NULL;
}

void begin_on(unsigned int cpu, cpu_work *work)
{
	threads[cpu].work = work;
	atomic_store(&threads[cpu].ended, false);
	if (pthread_create(&threads[cpu].thread, NULL, be_cpu, &threads[cpu]) != 0)
		complain("no thread");
	else
		atomic_store(&threads[cpu].runs, true);
}

static bool all_ended(void)
{
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		if (atomic_load(&threads[cpu].runs) && !atomic_load(&threads[cpu].ended))
			return false;
	return true;
}

void wait_for_cpus(void)
{
	const char *text;

	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		if (atomic_exchange(&threads[cpu].runs, false))
			EXPECT_EQUAL(pthread_join(threads[cpu].thread, NULL), 0);
	text = atomic_exchange(&complaint, NULL);
	if (text != NULL)
		FAIL("%s", text);
}

void run_each(cpu_work *const work[], unsigned int cpus)
{
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		begin_on(cpu, work[cpu]);
	wait_for_cpus();
}

void run_on_cpus(cpu_work *work, unsigned int cpus)
{
	cpu_work *const works[CPUS] = { work, work, work, work };

	run_each(works, cpus);
}

void run_in_time(cpu_work *work, unsigned int seconds)
{
	bool ended = false;

	signal(SIGUSR1, stop);
	begin_on(0, work);
	for (unsigned int i = 0; i < seconds * 1000 && !ended; i++) {
		usleep(1000);
		ended = all_ended();
	}
	for (unsigned int cpu = 0; cpu < CPUS && !ended; cpu++)
		if (atomic_load(&threads[cpu].runs) && !atomic_load(&threads[cpu].ended))
			pthread_kill(threads[cpu].thread, SIGUSR1);
	if (!ended)
		complain("CPUs wait for each other");
	wait_for_cpus();
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* CPUs as threads on the simulated machine. */
#define _GNU_SOURCE
#include "machine_stage.h"
#include "stress.h"

#include <arch/observe.h>
#include <host/machine.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Fewer than a world has spaces: the CPU has no more, or the host keeps others. */
#define VMID_BITS 5
#define VMID_LIMIT 20
/* How long the others may take to stop, and all to end a step. */
#define STOP_SECONDS 2
#define HANG_SECONDS 120

/* So often others get their turn in the middle of an operation: between a descriptor and its DSB, a TLBI
 * and what relies on it, two locks. */
#define YIELD_EVENTS 13

#if STRATA_CHECKED

static void let_others(const struct observe_event *event)
{
	static _Thread_local unsigned int events;

	(void)event;
	if (++events % YIELD_EVENTS == 0)
		sched_yield();
}

static void interleave(void)
{
	static struct observer observer = { .see = let_others };

	observe_attach(&observer);
}

#else

static void interleave(void)
{
}

#endif

bool stage_begin(struct stage *stage)
{
	struct arch_features features =
		stress.world % 2 == 0 ? machine_features_v8_0() : machine_features_v8_4();

	features.vmid_bits = VMID_BITS;
	interleave();
	if (!machine_stage(features, STAGE_BYTES, stage))
		return false;
	stage->vmid_limit = stress.world % 3 == 0 ? VMID_LIMIT : 0;
	return true;
}

const char *stage_complaint(void)
{
	const char *complaint = machine_stage_complaint();

	/* What a CPU may do at any moment, and what keeps the simulated TLBs short. */
	if (complaint == NULL)
		machine_tlb_evict();
	return complaint;
}

bool stage_prepare_space(struct worker *worker, struct guest_space *guest)
{
	(void)worker;
	(void)guest;
	return true;
}

/* ---- CPUs -------------------------------------------------------------------------------------- */

static void *be_cpu(void *context)
{
	struct worker *worker = context;

	machine_set_cpu(worker->cpu);
	worker_run(worker);
	return NULL;
}

void stage_halt(void)
{
	for (;;)
		pause();
}

/* NULL: all have left. */
static struct worker *one_that_stays(void)
{
	for (unsigned int cpu = 0; cpu < stress.options.cpus; cpu++)
		if (!atomic_load_explicit(&stress.workers[cpu].left, memory_order_acquire))
			return &stress.workers[cpu];
	return NULL;
}

/* What is found when a CPU does not come back ends the program: its thread cannot be taken away. */
static _Noreturn void end_here(void)
{
	stress_report();
	fflush(stdout);
	_exit(1);
}

static void wait_for_all(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	time_t last = time(NULL), stopped_at = 0;
	uint32_t steps = 0;

	while (one_that_stays() != NULL) {
		time_t now = time(NULL);

		nanosleep(&moment, NULL);
		if (stopped() && stopped_at == 0)
			stopped_at = now;
		if (stopped() && now - stopped_at > STOP_SECONDS)
			end_here();
		if (steps != stress.next_tie)
			last = now;
		steps = stress.next_tie;
		if (now - last > HANG_SECONDS)
			find(one_that_stays(), JUDGE_HANG, "no step ended for %d s", HANG_SECONDS);
	}
}

void stage_run(void)
{
	pthread_t threads[STRESS_CPUS_MAX];

	machine_watch_guest(iaddr(MIB(2) - 2 * PAGE_SIZE));
	machine_watch_guest(iaddr(LOG_START));
	for (unsigned int cpu = 0; cpu < stress.options.cpus; cpu++)
		if (pthread_create(&threads[cpu], NULL, be_cpu, &stress.workers[cpu]) != 0)
			abort();
	wait_for_all();
	for (unsigned int cpu = 0; cpu < stress.options.cpus; cpu++)
		pthread_join(threads[cpu], NULL);
	machine_watch_nothing();
	machine_set_cpu(0);
}

/* ---- Guests ------------------------------------------------------------------------------------ */

static enum guest_result result_of(bool done, const struct machine_fault *fault)
{
	if (done)
		return GUEST_DONE;
	switch (fault->kind) {
	case MACHINE_FAULT_TRANSLATION:
		return GUEST_TRANSLATION;
	case MACHINE_FAULT_ACCESS_FLAG:
		return GUEST_ACCESS_FLAG;
	case MACHINE_FAULT_PERMISSION:
		return GUEST_PERMISSION;
	default:
		return GUEST_OTHER;
	}
}

enum guest_result stage_load(struct worker *worker, uint64_t ia, uint64_t *value)
{
	struct machine_fault fault = { .kind = MACHINE_FAULT_NONE };

	(void)worker;
	return result_of(machine_guest_load(iaddr(ia), value, &fault), &fault);
}

enum guest_result stage_store(struct worker *worker, uint64_t ia, uint64_t value)
{
	struct machine_fault fault = { .kind = MACHINE_FAULT_NONE };

	(void)worker;
	return result_of(machine_guest_store(iaddr(ia), value, &fault), &fault);
}

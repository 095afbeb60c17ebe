/* SPDX-License-Identifier: BSD-3-Clause */
#include "beside.h"
#include "stress.h"

#include <stdio.h>

static struct {
	struct counts counts;
	uint64_t worlds, checks, events, full_checks;
	struct mm_statistics statistics;
	struct mm_lock_statistics nodes;
} sums;

static void add_world(void)
{
	struct mm_statistics statistics = mm_statistics();
	struct mm_lock_statistics nodes = mm_lock_statistics(MM_LOCK_NODE);

	for (unsigned int cpu = 0; cpu < stress.options.cpus; cpu++)
		counts_add(&sums.counts, &stress.workers[cpu].counts, sizeof(sums.counts));
	counts_add(&sums.statistics, &statistics, sizeof(statistics));
	sums.nodes.taken += nodes.taken;
	sums.nodes.waited += nodes.waited;
	sums.worlds++;
	sums.checks += beside_checked();
	sums.full_checks += beside_full_checks();
	sums.events += beside_events();
}

void stress_report(void)
{
	const struct finding *finding = &stress.finding;

	printf("DIFFERENT at seed %llu, world %llu, CPU %u, step %u (%s)\n  %s: %s\n",
	       (unsigned long long)stress.options.seed, (unsigned long long)stress.world,
	       finding->cpu, finding->index, act_name(finding->act), judge_name(finding->judge),
	       finding->text);
	journal->finding = *finding;
	journal_print(journal);
}

static void print_operations(void)
{
	printf("operations, and how they ended\n");
	for (unsigned int kind = 0; kind < OPERATION_COUNT; kind++) {
		const uint64_t *statuses = sums.counts.statuses[kind];
		uint64_t all = 0;

		for (unsigned int status = 0; status < STATUSES_COUNT; status++)
			all += statuses[status];
		if (all != 0)
			counts_print(call_name((enum mm_operation_kind)kind), statuses);
	}
}

static void print_sums(void)
{
	const struct counts *counts = &sums.counts;

	print_operations();
	printf("guests: %llu accesses, %llu faults served, %llu of them spurious\n",
	       (unsigned long long)counts->accesses, (unsigned long long)counts->faults,
	       (unsigned long long)counts->spurious);
	printf("contents: %llu pages, every byte of them looked at between steps\n",
	       (unsigned long long)counts->pages);
	printf("contention: %llu nodes locked, %llu tries in vain, %llu blocks split, %llu tables "
	       "merged, %llu "
	       "tables "
	       "freed, %llu of them deferred, %llu rollovers of VMIDs\n",
	       (unsigned long long)sums.nodes.taken, (unsigned long long)sums.nodes.waited,
	       (unsigned long long)sums.statistics.blocks_split,
	       (unsigned long long)sums.statistics.tables_merged,
	       (unsigned long long)sums.statistics.tables_freed,
	       (unsigned long long)sums.statistics.tables_deferred,
	       (unsigned long long)sums.statistics.vmid_rollovers);
	printf("stress: %llu operations on %u CPUs in %llu worlds; model: %llu checked, %llu times "
	       "everything, 0 differences; discipline: %llu events, 0 reports\n",
	       (unsigned long long)counts->calls, stress.options.cpus,
	       (unsigned long long)sums.worlds, (unsigned long long)sums.checks,
	       (unsigned long long)sums.full_checks, (unsigned long long)sums.events);
}

/* A step is about so many operations. */
#define STEP_OPERATIONS 10

/* As many as are missing, if that is less than a whole world. */
static uint32_t steps_of_world(void)
{
	uint64_t left = stress.options.operations - sums.counts.calls;
	uint64_t steps = left / (STEP_OPERATIONS * stress.options.cpus) + 1;

	return steps < WORLD_STEPS ? (uint32_t)steps : WORLD_STEPS;
}

int stress_run(void)
{
	printf("stress: seed %llu, %llu operations, %u CPUs\n",
	       (unsigned long long)stress.options.seed,
	       (unsigned long long)stress.options.operations, stress.options.cpus);
	for (stress.world = 1; sums.counts.calls < stress.options.operations; stress.world++) {
		stress.steps = steps_of_world();
		if (world_begin())
			stage_run();
		if (!stopped())
			world_end();
		if (stopped()) {
			stress_report();
			world_print_states();
			return 1;
		}
		add_world();
		world_leave();
		printf("stress: world %llu, %llu operations\n", (unsigned long long)stress.world,
		       (unsigned long long)sums.counts.calls);
	}
	print_sums();
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Measures the rows on 1, 2, 4 and 8 CPUs, and says whether what is promised of them holds. */
#include "smp.h"
#include "cycles.h"
#include <aarch64/registers.h>
#include <aarch64/relax.h>
#include <arch/cpu.h>
#include <boot_info.h>
#include <cpus.h>
#include <stdio.h>
#include <strata/statistics.h>

#define TIMER_ENABLE_SILENT UINT64_C(3) /* CNTHP_CTL_EL2: ENABLE and IMASK */
#define DEADLINE_SPAN 1024		/* instructions at most until another CPU's turn */
#define INSTRUCTIONS_PER_SECOND UINT64_C(1000000000) /* -icount shift=0 */

/* That an operation on a range of one's own costs at most this much more on all CPUs. */
#define PERCENT_MORE 10

static const unsigned int cpu_counts[] = { 1, 2, 4, SMP_CPUS_MAX };

#define COUNTS (sizeof(cpu_counts) / sizeof(cpu_counts[0]))

struct cost {
	uint64_t instructions;
	uint64_t waits;
	uint64_t nodes; /* locks of nodes taken: in checked builds only, as the next */
	uint64_t others;
};

/* What all CPUs are doing. */
static struct {
	smp_operation operation;
	enum smp_place place;
	unsigned int cpus;
	uint32_t deadline_span; /* in ticks of the counter */
} work;

/* Another sequence of moments in each run of each CPU. */
static uint32_t randoms[SMP_CPUS_MAX];

static void set_deadline(uint32_t *random)
{
	*random = *random * 1664525 + 1013904223;
	__asm__ volatile("msr cnthp_tval_el2, %0"
			 :
			 : "r"((uint64_t)((*random >> 8) % work.deadline_span)));
}

static void set_timer(uint64_t control)
{
	__asm__ volatile("msr cnthp_ctl_el2, %0\n\tisb" : : "r"(control));
}

static void work_on_this_cpu(void *argument)
{
	unsigned int cpu = cpu_index();

	(void)argument;
	if (cpu >= work.cpus)
		return;
	set_timer(TIMER_ENABLE_SILENT);
	for (unsigned int page = 0; page < SMP_PAGES; page++) {
		set_deadline(&randoms[cpu]);
		work.operation(cpu, page, work.place);
	}
	set_timer(0);
}

static void do_nothing(unsigned int cpu, unsigned int page, enum smp_place place)
{
	(void)cpu, (void)page, (void)place;
}

/* Locks that only checked builds have are no part of what is measured. */
static bool is_of_release_builds(enum mm_lock_class class)
{
	return class != MM_LOCK_ACTIVITY && class != MM_LOCK_SHARES;
}

static struct cost cost_so_far(void)
{
	struct cost cost = { .waits = 0 };

	for (int i = 0; i < MM_LOCK_CLASS_COUNT; i++) {
		struct mm_lock_statistics locks = mm_lock_statistics((enum mm_lock_class)i);

		if (!is_of_release_builds((enum mm_lock_class)i))
			continue;
		cost.waits += locks.waited;
		if (i == MM_LOCK_NODE)
			cost.nodes += locks.taken;
		else
			cost.others += locks.taken;
	}
	cost.instructions = cycles();
	return cost;
}

/* Adds to @sum what it costs that all do @operation on all of their pages. */
static void run(smp_operation operation, struct cost *sum)
{
	struct cost before, after;

	if (operation == NULL)
		return;
	work.operation = operation;
	before = cost_so_far();
	cpus_run(work_on_this_cpu, NULL);
	after = cost_so_far();
	sum->instructions += after.instructions - before.instructions;
	sum->waits += after.waits - before.waits;
	sum->nodes += after.nodes - before.nodes;
	sum->others += after.others - before.others;
}

/* The rows of one place on the first @cpus CPUs. Rows rely on those before them: a page is mapped first. */
static void measure(enum smp_place place, unsigned int cpus, struct cost costs[])
{
	work.place = place;
	work.cpus = cpus;
	smp_activate(place == SMP_VISITED ? 0 : cpus);
	/* The first round is not counted: caches of pages are filled in it. */
	for (unsigned int round = 0; round <= SMP_ROUNDS; round++)
		for (unsigned int row = 0; row < smp_row_count; row++) {
			struct cost idle = { .waits = 0 };
			struct cost unmeasured = { .waits = 0 };

			run(do_nothing, &idle);
			run(smp_rows[row].before, &unmeasured);
			run(smp_rows[row].operation, round > 0 ? &costs[row] : &unmeasured);
			run(smp_rows[row].after, &unmeasured);
			if (round > 0)
				costs[row].instructions -= idle.instructions;
		}
	smp_deactivate();
}

static struct cost costs[SMP_PLACES][COUNTS][SMP_ROWS_MAX];

static uint64_t operations(size_t count)
{
	return (uint64_t)cpu_counts[count] * SMP_PAGES * SMP_ROUNDS;
}

static void print_per_operation(uint64_t sum, size_t count)
{
	uint64_t tenths = (sum * 10 + operations(count) / 2) / operations(count); /* rounded */

	printf("%6llu.%llu", (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10));
}

static void print_columns(const char *what)
{
	printf("%-36s", what);
	for (int block = 0; block < (STRATA_CHECKED ? 3 : 2); block++)
		for (size_t i = 0; i < COUNTS; i++)
			printf("%8u", cpu_counts[i]);
	printf("\n");
}

static void print_row(enum smp_place place, unsigned int row)
{
	printf("  %-34s", smp_rows[row].name);
	for (size_t i = 0; i < COUNTS; i++) {
		const struct cost *cost = &costs[place][i][row];

		print_per_operation(STRATA_CHECKED ? cost->nodes : cost->instructions, i);
	}
	for (size_t i = 0; STRATA_CHECKED && i < COUNTS; i++)
		print_per_operation(costs[place][i][row].others, i);
	for (size_t i = 0; i < COUNTS; i++)
		printf("%8llu", (unsigned long long)costs[place][i][row].waits);
	printf("\n");
}

/* Of a checked build's instructions nothing is promised. */
static bool costs_too_much(enum smp_place place, unsigned int row)
{
	const uint64_t one = costs[place][0][row].instructions;
	const uint64_t all = costs[place][COUNTS - 1][row].instructions;

	return all * operations(0) * 100 > one * operations(COUNTS - 1) * (100 + PERCENT_MORE) &&
	       !STRATA_CHECKED;
}

/* Prints what of the promise about @row does not hold; whether all of it does. */
static bool keeps_its_promise(enum smp_place place, unsigned int row)
{
	bool too_much = costs_too_much(place, row);
	uint64_t waits = 0;
	uint64_t others = 0;

	for (size_t i = 0; i < COUNTS; i++) {
		waits += costs[place][i][row].waits;
		others += costs[place][i][row].others;
	}
	if (too_much)
		printf("%s: costs over %d %% more on %u CPUs than on one\n", smp_rows[row].name,
		       PERCENT_MORE, SMP_CPUS_MAX);
	if (waits != 0)
		printf("%s: somebody waits for a lock\n", smp_rows[row].name);
	if (others != 0)
		printf("%s: takes a lock that is not a node's\n", smp_rows[row].name);
	return !too_much && waits == 0 && others == 0;
}

int image_main(const struct boot_info *info)
{
	static const char *const places[] = { "disjoint ranges of 2 MiB", "one range of 2 MiB",
					      "disjoint, active nowhere" };
	bool kept = true;

	(void)info;
	if (cpus_up() < SMP_CPUS_MAX) {
		printf("%u CPUs of %u\n", cpus_up(), SMP_CPUS_MAX);
		return 1;
	}
	cpu_relax_doze(NULL); /* who waits leaves QEMU's one thread to another CPU by YIELD */
	cycles_start();
	work.deadline_span =
		(uint32_t)(DEADLINE_SPAN * register_read(cntfrq_el0) / INSTRUCTIONS_PER_SECOND);
	for (uint32_t cpu = 0; cpu < SMP_CPUS_MAX; cpu++)
		randoms[cpu] = cpu;
	smp_stage_start();
	for (int place = 0; place < SMP_PLACES; place++)
		for (size_t i = 0; i < COUNTS; i++)
			measure((enum smp_place)place, cpu_counts[i], costs[place][i]);
	smp_stage_end();

	printf("by number of CPUs: %s, waits in all\n",
	       STRATA_CHECKED ? "locks of nodes and other locks taken per operation"
			      : "instructions per operation");
	for (int place = 0; place < SMP_PLACES; place++) {
		print_columns(places[place]);
		for (unsigned int row = 0; row < smp_row_count; row++)
			print_row((enum smp_place)place, row);
	}
	for (unsigned int row = 0; row < smp_row_count; row++)
		if (smp_rows[row].promised &&
		    (!keeps_its_promise(SMP_DISJOINT, row) || !keeps_its_promise(SMP_VISITED, row)))
			kept = false;
	printf(kept ? "disjoint ranges: as promised\n" : "disjoint ranges: not as promised\n");
	return kept ? 0 : 1;
}

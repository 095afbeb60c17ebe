/* SPDX-License-Identifier: BSD-3-Clause */
#include "beside.h"
#include "stress.h"

#include <arch/cpu.h>
#include <stdarg.h>
#include <stdio.h>

const char *call_name(enum mm_operation_kind kind)
{
#define OP(name, ...) #name,
	static const char *const names[] = {
#include <strata/ops.def>
	};

	return names[kind];
}

const char *act_name(unsigned int act)
{
#define STRESS_ACT_NAME(name, often, function) #name,
	static const char *const names[] = { STRESS_ACTS(STRESS_ACT_NAME) };
#undef STRESS_ACT_NAME

	return act < sizeof(names) / sizeof(names[0]) ? names[act] : "the end";
}

/* Who sets it writes the finding, before the others stop and one of them reads it. */
static atomic_flag found = ATOMIC_FLAG_INIT;

void find(struct worker *worker, enum judge judge, const char *format, ...)
{
	va_list arguments;

	if (atomic_flag_test_and_set_explicit(&found, memory_order_relaxed))
		return;
	stress.finding.judge = judge;
	stress.finding.cpu = worker->cpu;
	stress.finding.act = worker->act;
	stress.finding.index = worker->place.index;
	va_start(arguments, format);
	vsnprintf(stress.finding.text, sizeof(stress.finding.text), format, arguments);
	va_end(arguments);
	/* Release: who sees it sees the finding. */
	atomic_store_explicit(&stress.stopped, true, memory_order_release);
}

bool stopped(void)
{
	return atomic_load_explicit(&stress.stopped, memory_order_acquire);
}

void take_place(struct worker *worker)
{
	if (worker->placed)
		return;
	worker->placed = true;
	worker->place.order = model_order();
	/* Relaxed: what orders two steps of equal place is the exchange that hands something over. */
	worker->place.tie = atomic_fetch_add_explicit(&stress.next_tie, 1, memory_order_relaxed);
}

bool called(struct worker *worker, enum mm_operation_kind kind, enum mm_status status,
	    uint32_t allowed)
{
	worker->counts.calls++;
	worker->counts.statuses[kind][status]++;
	worker->place.digest = worker->place.digest * 31 + (uint32_t)kind * 16 + (uint32_t)status;
	/* While something is held, or is half done: now the others. */
	if (worker->counts.calls % 3 == 0)
		cpu_relax();
	if (stress.options.print)
		printf("    CPU %u: %s %s\n", worker->cpu, call_name(kind), mm_status_name(status));
	if ((allowed & BIT(status)) == 0)
		find(worker, JUDGE_STATUS, "%s: %s", call_name(kind), mm_status_name(status));
	return status == MM_OK;
}

void meet(void)
{
	/* Release what this CPU did, acquire what the others did. */
	uint32_t mine = atomic_fetch_add_explicit(&stress.arrived, 1, memory_order_acq_rel);
	uint32_t all = (mine / stress.options.cpus + 1) * stress.options.cpus;

	while (atomic_load_explicit(&stress.arrived, memory_order_acquire) < all && !stopped())
		cpu_relax();
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "discipline.h"
#include <arch/cpu.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include "discipline_state.h"

/*
 * One per machine. The lock makes the events of all CPUs a sequence, and is taken below every other:
 * no event is reported under it, and nothing is asked of the subsystem.
 */
static struct discipline discipline;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static void (*print_trace)(const char *line);
static bool machine_described; /* since there is a trace, and a machine */

static void lock_take(void)
{
	/* Acquire: what the CPU before has noted is seen. */
	while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
		cpu_relax();
}

static void lock_release(void)
{
	atomic_flag_clear_explicit(&lock, memory_order_release);
}

/* What comes after a step that could not be noted would be judged by a wrong state. */
static void say_full(void)
{
	char line[160];

	discipline.reports++;
	if (discipline.complain == NULL)
		return;
	snprintf(line, sizeof(line),
		 "the arena of %zu bytes is full: nothing is judged after event %" PRIu64,
		 discipline.arena.used, discipline.events);
	discipline.complain(line);
}

static void see(const struct observe_event *event)
{
	lock_take();
	if (!discipline.full) {
		if (print_trace != NULL && !machine_described)
			discipline_describe_machine(discipline.events, print_trace);
		machine_described = true;
		if (print_trace != NULL)
			discipline_describe(event, discipline.events + 1, print_trace);
		discipline_step(&discipline, event);
		if (discipline.full)
			say_full();
	}
	lock_release();
}

static struct observer observer = { .see = see };

void discipline_start(void *arena, size_t size, void (*complain)(const char *text))
{
	discipline_begin(&discipline, arena, size, complain);
	machine_described = false;
	observe_attach(&observer);
}

void discipline_trace(void (*print)(const char *line))
{
	lock_take();
	print_trace = print;
	machine_described = false;
	lock_release();
}

struct discipline_report discipline_report(void)
{
	struct discipline_report report;

	lock_take();
	report = (struct discipline_report){
		.events = discipline.events,
		.reports = discipline.reports,
		.arena_used = discipline.arena.used,
		.full = discipline.full,
		.first = discipline.first,
	};
	lock_release();
	return report;
}

void discipline_stop(void)
{
	observe_detach(&observer);
}

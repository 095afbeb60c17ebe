/* SPDX-License-Identifier: BSD-3-Clause */
/* The running of the job's guests, on all CPUs. */
#include <arch/cpu.h>
#include <inttypes.h>
#include "../cpus.h"
#include "../interrupts.h"
#include "../log.h"
#include "../stop.h"
#include "fault.h"
#include "guest_calls.h"
#include "job.h"
#include "services.h"

/* A guest gives its turn away after this much time or this many exits, whichever comes first. */
#define SLICE_MICROSECONDS 2000
#define SLICE_EXITS 256

/* The page is where the guest's own tables say: it names a virtual address. */
static enum mm_status serve_progress(struct guest *guest, unsigned int index, uint64_t address)
{
	struct iaddr in_use;

	if (guest_translate(guest, &guest->vcpus[index], address, &in_use) != MM_OK) {
		guest->stopped = "it says that it uses an address that it does not have";
		return MM_ACCESS_DENIED;
	}
	return services_step(guest, index, in_use);
}

/* Virtual CPU @index is done; the last one ends what is under way. */
static enum mm_status serve_report(struct job_guest *guest, unsigned int index)
{
	const uint64_t *x = guest->guest.vcpus[index].x;

	if (guest->reports == 0)
		guest->sum = (uint32_t)x[0];
	guest->repetitions += x[1];
	guest->different += x[2] + ((uint32_t)x[0] != guest->sum);
	guest->done[index] = true;
	if (++guest->reports < guest->guest.vcpu_count)
		return MM_OK;

	guest->reported = true;
	log_info("  %s has its sum, after %" PRIu64 " calls", guest->guest.name,
		 guest->guest.service_steps);
	return services_finish(&guest->guest);
}

static enum mm_status serve_call(struct job_guest *guest, unsigned int index,
				 const struct vcpu_exit *exit)
{
	switch (vcpu_exit_immediate(exit)) {
	case GUEST_CALL_PROGRESS:
		return serve_progress(&guest->guest, index, guest->guest.vcpus[index].x[0]);
	case GUEST_CALL_REPORT:
		return serve_report(guest, index);
	default:
		guest->guest.stopped = "it took an exception that its program does not";
		return MM_ACCESS_DENIED;
	}
}

/* Time without a call of any of the virtual CPUs. Relaxed: it is a measure, no more. */
static enum mm_status add_silence(struct job_guest *guest, uint32_t silence)
{
	const uint32_t before =
		atomic_fetch_add_explicit(&guest->silence, silence, memory_order_relaxed);

	return before + silence > JOB_SILENCE_MAX ? MM_BUSY : MM_OK;
}

/* One turn of virtual CPU @index of @guest. */
static enum mm_status run_slice(struct job_guest *job_guest, unsigned int index)
{
	struct guest *guest = &job_guest->guest;
	enum mm_status status = vm_space_activate(&guest->space);

	timer_start(SLICE_MICROSECONDS);
	for (unsigned int exits = 0; status == MM_OK && exits < SLICE_EXITS; exits++) {
		struct vcpu_exit exit;

		guest_run(guest, index, &exit);
		stop_if_asked();
		switch (guest_handle_exit(guest, &guest->vcpus[index], &exit)) {
		case EXIT_RESUME:
			break;
		case EXIT_CALL:
			/* Relaxed: as in add_silence. */
			atomic_store_explicit(&job_guest->silence, 0, memory_order_relaxed);
			guest_lock_take(&guest->lock);
			status = serve_call(job_guest, index, &exit);
			guest_lock_give(&guest->lock);
			if (job_guest->done[index])
				exits = SLICE_EXITS;
			break;
		case EXIT_YIELD:
			exits = SLICE_EXITS;
			status = add_silence(job_guest, 1);
			/* What it waits for may need the machine under an emulator. */
			cpu_relax();
			break;
		case EXIT_SLICE_OVER:
			exits = SLICE_EXITS;
			status = add_silence(job_guest, JOB_SLICE_SILENCE / guest->vcpu_count);
			break;
		case EXIT_STOPPED:
			status = MM_ACCESS_DENIED;
			break;
		case EXIT_NO_MEMORY:
			status = MM_NO_MEMORY;
			break;
		}
	}
	timer_stop();
	return status;
}

/* Of a guest that did not come to its end it is still worth knowing what it wrote that it should not. */
static void finish_the_rest(struct job *job)
{
	for (size_t i = 0; i < job->guest_count; i++) {
		if (job->guests[i].reported)
			continue;

		/* Something was wrong already: that is the status that counts. */
		enum mm_status status = services_finish(&job->guests[i].guest);
		(void)status;
	}
}

/* How many CPUs that are up come before this one. */
static unsigned int rank_of_this_cpu(void)
{
	unsigned int rank = 0;

	for (unsigned int cpu = 0; cpu < cpu_index(); cpu++)
		rank += cpus_is_up(cpu);
	return rank;
}

/* The first status that is not MM_OK is the job's. Relaxed: it is read for itself. */
static bool goes_on(struct job *job, enum mm_status status)
{
	enum mm_status none = MM_OK;

	if (status != MM_OK)
		atomic_compare_exchange_strong_explicit(&job->status, &none, status,
							memory_order_relaxed, memory_order_relaxed);
	return atomic_load_explicit(&job->status, memory_order_relaxed) == MM_OK;
}

/*
 * Runs this CPU's virtual CPUs in turns. They are numbered guest by guest: this CPU has one of every so
 * many, beginning with the one of its rank, so that those of one guest are on different CPUs.
 */
static void run_on_this_cpu(void *argument)
{
	struct job *job = argument;
	const unsigned int step = cpus_up(), first = rank_of_this_cpu();
	const unsigned int each = job->guests[0].guest.vcpu_count;
	const unsigned int all = job_vcpus(job);

	if (first >= all)
		return;

	const unsigned int own = (all - first + step - 1) / step;
	unsigned int running = own;
	uint64_t switches = 0;

	for (unsigned int turn = 0; running > 0; turn = (turn + 1) % own) {
		const unsigned int number = first + turn * step;
		struct job_guest *guest = &job->guests[number / each];

		if (guest->done[number % each])
			continue;
		if (!goes_on(job, run_slice(guest, number % each)))
			break;
		running -= guest->done[number % each];
		switches += own > 1 && running == own;
	}
	vm_space_deactivate();
	/* Relaxed: sums, that cpus_run lets the boot CPU see. */
	atomic_fetch_add_explicit(&job->switches, switches, memory_order_relaxed);
	atomic_fetch_add_explicit(&job->cpus, 1, memory_order_relaxed);
}

enum mm_status job_run(struct job *job)
{
	const unsigned int before = cpus_came_late();

	cpus_run(run_on_this_cpu, job);
	job->came_late = cpus_came_late() - before;
	finish_the_rest(job);
	/* Relaxed: cpus_run has ended on all CPUs. */
	return atomic_load_explicit(&job->status, memory_order_relaxed);
}

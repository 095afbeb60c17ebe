/* SPDX-License-Identifier: BSD-3-Clause */
#include "job.h"

#include <arch/features.h>
#include <inttypes.h>
#include "../interrupts.h"
#include "../log.h"
#include "fault.h"
#include "guest_calls.h"
#include "programs.h"
#include "services.h"

#define WORKING_SET_MIN (UINT64_C(64) << 20)

#define INPUT_OFFSET (UINT64_C(16) << 30)
#define WORK_OFFSET (UINT64_C(24) << 30)
#define LAYOUT_BITS 35 /* all of the layout lies below 2^35 */
#define AREA_SIZE_MAX (WORK_OFFSET - INPUT_OFFSET)

/* A guest gives its turn away after this much time or this many exits, whichever comes first. */
#define SLICE_MICROSECONDS 2000
#define SLICE_EXITS 256

/*
 * How the guests differ: in the shape of their Stage-2 tables and in the order they work in. 39 bits
 * of IPA are one table at level 1; 40 bits are two concatenated ones, and the guest lives in the
 * second.
 */
struct guest_plan {
	const char *name;
	unsigned int ia_bits; /* at most; the CPU may have less */
	uint64_t seed;
	uint64_t stride_parts; /* of 1024 parts of the working area, about */
};

static const struct guest_plan plans[JOB_GUESTS] = {
	{ "guest 1", 39, 0x5eed0001, 633 }, /* about the golden section: far apart */
	{ "guest 2", 40, 0x5eed0002, 391 },
};

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* A step that visits each of @slots slots once before it comes back to the first. */
static uint64_t scatter_stride(uint64_t slots, uint64_t parts)
{
	uint64_t stride = slots * parts / 1024;

	while (greatest_common_divisor(stride, slots) != 1)
		stride++;
	return stride;
}

enum job_region { REGION_PROGRAM, REGION_DATA, REGION_INPUT, REGION_WORK, REGION_COUNT };

static enum mm_status add_regions(const struct job *job, struct guest *guest, uint64_t base)
{
	const struct segment *file = &job->input->pages;
	const uint64_t data = base + GUEST_DATA_OFFSET;
	const uint64_t input = base + INPUT_OFFSET + file->start.value % BLOCK_SIZE;
	const uint64_t work = base + WORK_OFFSET;
	const uint8_t readable = PAGE_READ | PAGE_ACCESSED;
	const struct guest_region regions[REGION_COUNT] = {
		[REGION_PROGRAM] = {
			.name = "program",
			.range = irange(iaddr(base), iaddr(base + page_align_up(guest_crc_size()))),
			.property = page_property(readable | PAGE_EXECUTE, CACHE_WRITEBACK),
			.backing = BACKING_PROGRAM,
			.program = guest_crc_start,
			.program_size = guest_crc_size(),
		},
		[REGION_DATA] = {
			.name = "data",
			.range = irange(iaddr(data), iaddr(data + GUEST_DATA_SIZE)),
			.property = page_property(readable | PAGE_WRITE, CACHE_WRITEBACK),
			.backing = BACKING_ZERO,
		},
		[REGION_INPUT] = {
			.name = "input",
			.range = irange(iaddr(input), iaddr(input + segment_size(file))),
			.property = page_property(readable, CACHE_WRITEBACK),
			.backing = BACKING_SHARED,
			.blocks = true,
			.shared = file,
		},
		[REGION_WORK] = {
			.name = "work",
			.range = irange(iaddr(work), iaddr(work + job->working_pages * PAGE_SIZE)),
			.property = page_property(readable | PAGE_WRITE, CACHE_WRITEBACK),
			.backing = BACKING_ZERO,
			.blocks = true,
		},
	};

	enum mm_status status = MM_OK;

	for (size_t i = 0; status == MM_OK && i < REGION_COUNT; i++)
		status = guest_add_region(guest, &regions[i]);
	return status;
}

static enum mm_status create_guest(struct job *job, unsigned int index)
{
	const struct guest_plan *plan = &plans[index];
	struct guest *guest = &job->guests[index].guest;
	unsigned int ia_bits = arch_features()->pa_bits;

	if (ia_bits > plan->ia_bits)
		ia_bits = plan->ia_bits;
	if (ia_bits < LAYOUT_BITS)
		return MM_NOT_SUPPORTED;

	enum mm_status status = guest_create(guest, plan->name, ia_bits, plan->seed);
	if (status != MM_OK)
		return status;

	uint64_t base = ia_bits > 39 ? UINT64_C(1) << 39 : 0;
	status = add_regions(job, guest, base);
	if (status != MM_OK) {
		guest_destroy(guest);
		return status;
	}
	guest->violation = VIOLATION_STOP;
	guest->colour = index % GUEST_COLOURS;
	guest->calls =
		1u << GUEST_CALL_PROGRESS | 1u << GUEST_CALL_REPORT | 1u << GUEST_CALL_UNEXPECTED;

	vcpu_reset(&guest->vcpu, iaddr(base), index);
	guest->vcpu.system.sp_el1 = base + GUEST_DATA_OFFSET + GUEST_DATA_SIZE;
	guest->vcpu.x[0] = guest->regions[REGION_INPUT].range.start.value;
	guest->vcpu.x[1] = job->input->size;
	guest->vcpu.x[2] = guest->regions[REGION_WORK].range.start.value;
	guest->vcpu.x[3] = job->working_pages;
	guest->vcpu.x[4] = scatter_stride(job->working_pages, plan->stride_parts);
	return MM_OK;
}

/* Both guests may map the file, and nobody else's guest. */
static enum mm_status share_input(struct job *job)
{
	const struct vm_space *spaces[JOB_GUESTS];
	enum mm_status status;

	for (unsigned int i = 0; i < JOB_GUESTS; i++)
		spaces[i] = &job->guests[i].guest.space;
	status = sharing_new(NULL, spaces, JOB_GUESTS, &job->sharing);
	if (status == MM_OK)
		status = ownership_share(&job->input->pages, job->sharing);
	return status;
}

/* The file is the hypervisor's alone again. What is not given back shows in the pages by usage. */
static void end_sharing(struct job *job)
{
	enum mm_status status = ownership_unshare(&job->input->pages, job->sharing);

	if (status == MM_OK)
		status = sharing_destroy(job->sharing);
	if (status != MM_OK)
		log_error("the file stays shared: %s", mm_status_name(status));
	job->sharing = NULL;
}

enum mm_status job_create(struct job *job, struct job_input *input)
{
	uint64_t working_set = segment_size(&input->pages);

	if (working_set < WORKING_SET_MIN)
		working_set = WORKING_SET_MIN;
	if (working_set > AREA_SIZE_MAX - BLOCK_SIZE)
		return MM_NOT_SUPPORTED;

	*job = (struct job){ .input = input, .working_pages = working_set >> PAGE_SHIFT };
	enum mm_status status = MM_OK;

	while (status == MM_OK && job->guests_created < JOB_GUESTS) {
		status = create_guest(job, (unsigned int)job->guests_created);
		if (status == MM_OK)
			job->guests_created++;
	}
	if (status == MM_OK)
		status = share_input(job);
	if (status != MM_OK)
		job_destroy(job);
	return status;
}

/* The page is where the guest's own tables say: it names a virtual address. */
static enum mm_status serve_progress(struct guest *guest, uint64_t address)
{
	struct iaddr in_use;

	if (guest_translate(guest, address, &in_use) != MM_OK) {
		guest->stopped = "it says that it uses an address that it does not have";
		return MM_ACCESS_DENIED;
	}
	return services_step(guest, in_use);
}

static enum mm_status serve_call(struct job_guest *guest, const struct vcpu_exit *exit)
{
	const uint64_t *x = guest->guest.vcpu.x;

	switch (vcpu_exit_immediate(exit)) {
	case GUEST_CALL_PROGRESS:
		return serve_progress(&guest->guest, x[0]);
	case GUEST_CALL_REPORT:
		guest->reported = true;
		guest->sum = (uint32_t)x[0];
		guest->repetitions = x[1];
		guest->different = x[2];
		log_info("  %s has its sum, after %" PRIu64 " calls", guest->guest.name,
			 guest->guest.service_steps);
		return services_finish(&guest->guest);
	default:
		guest->guest.stopped = "it took an exception that its program does not";
		return MM_ACCESS_DENIED;
	}
}

/* One turn of @guest. */
static enum mm_status run_slice(struct job_guest *guest)
{
	enum mm_status status = vm_space_activate(&guest->guest.space);

	timer_start(SLICE_MICROSECONDS);
	for (unsigned int exits = 0; status == MM_OK && exits < SLICE_EXITS; exits++) {
		struct vcpu_exit exit;

		vcpu_run(&guest->guest.vcpu, &exit);
		switch (guest_handle_exit(&guest->guest, &exit)) {
		case EXIT_RESUME:
			break;
		case EXIT_CALL:
			guest->silent_slices = 0;
			status = serve_call(guest, &exit);
			if (guest->reported)
				exits = SLICE_EXITS;
			break;
		case EXIT_YIELD:
		case EXIT_SLICE_OVER:
			exits = SLICE_EXITS;
			if (++guest->silent_slices > JOB_SILENT_SLICES_MAX)
				status = MM_BUSY;
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
	for (size_t i = 0; i < JOB_GUESTS; i++) {
		if (job->guests[i].reported)
			continue;

		/* Something was wrong already: that is the status that counts. */
		enum mm_status status = services_finish(&job->guests[i].guest);
		(void)status;
	}
}

enum mm_status job_run(struct job *job)
{
	enum mm_status status = MM_OK;
	size_t running = JOB_GUESTS;

	for (size_t turn = 0; status == MM_OK && running > 0; turn++) {
		struct job_guest *guest = &job->guests[turn % JOB_GUESTS];

		if (guest->reported)
			continue;
		status = run_slice(guest);
		running -= guest->reported;
		job->switches += running == JOB_GUESTS;
	}
	vm_space_deactivate();
	finish_the_rest(job);
	return status;
}

void job_destroy(struct job *job)
{
	while (job->guests_created > 0)
		guest_destroy(&job->guests[--job->guests_created].guest);
	if (job->sharing != NULL)
		end_sharing(job);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "job.h"

#include <arch/features.h>
#include <stdio.h>
#include "../cpus.h"
#include "../log.h"
#include "guest_calls.h"
#include "programs.h"

#define WORKING_SET_MIN (UINT64_C(64) << 20)
#define EXTRA_WORKING_SET_MIN (UINT64_C(16) << 20) /* of guests after the first JOB_GUESTS */
#define GUEST_OVERHEAD (UINT64_C(4) << 20)

#define INPUT_OFFSET (UINT64_C(16) << 30)
#define WORK_OFFSET (UINT64_C(24) << 30)
#define LAYOUT_BITS 35 /* all of the layout lies below 2^35 */
#define AREA_SIZE_MAX (WORK_OFFSET - INPUT_OFFSET)

/*
 * How the guests differ: in the shape of their Stage-2 tables and in the order they work in. 39 bits
 * of IPA are one table at level 1; 40 bits are two concatenated ones, and the guest lives in the
 * second. There may be more guests than plans: they have the same in turn, but no seed twice.
 */
struct guest_plan {
	unsigned int ia_bits; /* at most; the CPU may have less */
	uint64_t seed;
	uint64_t stride_parts; /* of 1024 parts of the working area, about */
};

static const struct guest_plan plans[] = {
	{ 39, 0x5eed0001, 633 }, /* about the golden section: far apart */
	{ 40, 0x5eed0002, 391 },
};

#define PLANS (sizeof(plans) / sizeof(plans[0]))

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

static enum mm_status add_regions(const struct job *job, struct job_guest *job_guest, uint64_t base)
{
	const struct segment *file = &job->input->pages;
	struct guest *guest = &job_guest->guest;
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
			.range = irange(iaddr(work), iaddr(work + job_guest->working_pages * PAGE_SIZE)),
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

/* Bytes of the working area of guest @index, from 0. */
static uint64_t working_set(const struct job_input *input, size_t index)
{
	const uint64_t least = index < JOB_GUESTS ? WORKING_SET_MIN : EXTRA_WORKING_SET_MIN;
	const uint64_t file = segment_size(&input->pages);

	return file < least ? least : file;
}

/* See job.h. */
static unsigned int vcpus_per_guest(const struct job *job)
{
	const unsigned int guests = (unsigned int)job->guest_count;
	const unsigned int each = (cpus_up() + guests - 1) / guests;

	if (cpus_up() == 1)
		return 1;
	if (each < 2)
		return 2;
	return each < GUEST_VCPUS_MAX ? each : GUEST_VCPUS_MAX;
}

/* What the program is told at its entry. */
static void reset_vcpu(struct job *job, unsigned int index, unsigned int number, uint64_t base)
{
	const struct job_guest *job_guest = &job->guests[index];
	struct guest *guest = &job->guests[index].guest;
	struct vcpu *vcpu = &guest->vcpus[number];

	vcpu_reset(vcpu, iaddr(base), index * guest->vcpu_count + number);
	vcpu->system.sp_el1 =
		base + GUEST_DATA_OFFSET + GUEST_DATA_SIZE - number * (uint64_t)GUEST_STACK_SIZE;
	vcpu->x[0] = guest->regions[REGION_INPUT].range.start.value;
	vcpu->x[1] = job->input->size;
	vcpu->x[2] = guest->regions[REGION_WORK].range.start.value;
	vcpu->x[3] = job_guest->working_pages;
	vcpu->x[4] = scatter_stride(job_guest->working_pages, plans[index % PLANS].stride_parts);
	vcpu->x[5] = number;
	vcpu->x[6] = guest->vcpu_count;
}

static enum mm_status create_guest(struct job *job, unsigned int index)
{
	const struct guest_plan *plan = &plans[index % PLANS];
	struct job_guest *job_guest = &job->guests[index];
	struct guest *guest = &job_guest->guest;
	unsigned int ia_bits = arch_features()->pa_bits;

	if (ia_bits > plan->ia_bits)
		ia_bits = plan->ia_bits;
	if (ia_bits < LAYOUT_BITS)
		return MM_NOT_SUPPORTED;

	snprintf(job_guest->name, sizeof(job_guest->name), "guest %u", index + 1);
	job_guest->working_pages = working_set(job->input, index) >> PAGE_SHIFT;
	enum mm_status status = guest_create(guest, job_guest->name, ia_bits, plan->seed + index);
	if (status != MM_OK)
		return status;

	uint64_t base = ia_bits > 39 ? UINT64_C(1) << 39 : 0;
	status = add_regions(job, job_guest, base);
	if (status != MM_OK) {
		guest_destroy(guest);
		return status;
	}
	guest->violation = VIOLATION_STOP;
	guest->colour = index % GUEST_COLOURS;
	guest->calls =
		1u << GUEST_CALL_PROGRESS | 1u << GUEST_CALL_REPORT | 1u << GUEST_CALL_UNEXPECTED;

	guest->vcpu_count = vcpus_per_guest(job);
	for (unsigned int i = 0; i < guest->vcpu_count; i++)
		reset_vcpu(job, index, i, base);
	return MM_OK;
}

/* All guests of the job may map the file, and nobody else's. */
static enum mm_status share_input(struct job *job)
{
	const struct vm_space *spaces[JOB_GUESTS_MAX];
	enum mm_status status;

	for (size_t i = 0; i < job->guest_count; i++)
		spaces[i] = &job->guests[i].guest.space;
	status = sharing_new(NULL, spaces, job->guest_count, &job->sharing);
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

/*
 * One for every two CPUs, as long as there are pages for their working sets, their tables and what the
 * monitor holds back of each for a while.
 */
static size_t guests_for(const struct job_input *input)
{
	uint64_t left = mm_usage().pages[PAGE_UNUSED] << PAGE_SHIFT;
	const size_t pairs = cpus_up() / 2;
	const size_t most = pairs < JOB_GUESTS ? JOB_GUESTS : pairs;

	for (size_t i = 0; i < most; i++) {
		const uint64_t own = working_set(input, i);
		const uint64_t cost = own + own / 16 + GUEST_OVERHEAD;

		if (left < cost)
			return i < JOB_GUESTS ? JOB_GUESTS : i;
		left -= cost;
	}
	return most;
}

enum mm_status job_create(struct job *job, struct job_input *input)
{
	if (working_set(input, 0) > AREA_SIZE_MAX - BLOCK_SIZE)
		return MM_NOT_SUPPORTED;

	*job = (struct job){ .input = input, .guest_count = guests_for(input) };
	enum mm_status status = MM_OK;

	while (status == MM_OK && job->guests_created < job->guest_count) {
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

unsigned int job_vcpus(const struct job *job)
{
	unsigned int vcpus = 0;

	for (size_t i = 0; i < job->guest_count; i++)
		vcpus += job->guests[i].guest.vcpu_count;
	return vcpus;
}

void job_destroy(struct job *job)
{
	while (job->guests_created > 0)
		guest_destroy(&job->guests[--job->guests_created].guest);
	if (job->sharing != NULL)
		end_sharing(job);
}

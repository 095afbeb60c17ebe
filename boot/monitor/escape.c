/* SPDX-License-Identifier: BSD-3-Clause */
#include "escape.h"

#include <arch/features.h>
#include <inttypes.h>
#include <stdio.h>
#include <strata/cursor.h>
#include <strata/heap.h>
#include <strata/vm_object.h>
#include "../interrupts.h"
#include "../log.h"
#include "escape_map.h"
#include "escape_targets.h"
#include "expectation.h"
#include "fault.h"
#include "guest_calls.h"
#include "view.h"

#define PROBE_IA_BITS_MAX 39
#define PROBE_VALUE UINT64_C(0x6570616373652121) /* what it stores, "!!escape" in memory */
#define PROBE_EXITS_MAX 16			 /* one access takes at most a few */
#define PROBE_MICROSECONDS 500000 /* and far less than this, unless it got somewhere */

static const uint8_t flag_of_access[] = {
	[STAGE2_READ] = PAGE_READ,
	[STAGE2_WRITE] = PAGE_WRITE,
	[STAGE2_EXECUTE] = PAGE_EXECUTE,
};

static const char *const access_names[] = {
	[STAGE2_READ] = "read",
	[STAGE2_WRITE] = "write",
	[STAGE2_EXECUTE] = "execute",
};

static const uint64_t command_of_access[] = {
	[STAGE2_READ] = GUEST_COMMAND_READ,
	[STAGE2_WRITE] = GUEST_COMMAND_WRITE,
	[STAGE2_EXECUTE] = GUEST_COMMAND_EXECUTE,
};

struct escape {
	struct guest probe;
	struct segment
		read_only; /* a page, with a copy of the input file's first: that one is shared
				     by the other guests, and not the probe's to have */
	struct escape_targets targets;
	struct expectation_map map;
	struct escape_result *result;
	struct windows *windows; /* to look at memory with */
};

/* How one access went. */
struct attempt {
	bool aborted; /* exit is the Stage-2 abort that was not served */
	bool stopped; /* and the guest with it */
	struct vcpu_exit exit;
	struct stage2_abort abort;
	uint64_t command; /* GUEST_COMMAND_DONE or _ABORTED, as the guest says */
	uint64_t value;	  /* loaded */
	uint64_t esr_el1, far_el1;
};

/* Runs the probe until it asks for a command or is stopped; false if it does neither. */
static bool run_to_command(struct guest *probe, struct attempt *attempt)
{
	timer_start(PROBE_MICROSECONDS);
	for (unsigned int exits = 0; exits < PROBE_EXITS_MAX; exits++) {
		uint64_t injected = probe->statistics.injected;
		struct vcpu_exit exit;

		vcpu_run(&probe->vcpus[0], &exit);
		enum exit_outcome outcome = guest_handle_exit(probe, &probe->vcpus[0], &exit);

		if (outcome == EXIT_STOPPED || probe->statistics.injected != injected) {
			attempt->aborted = stage2_abort_decode(&exit, &attempt->abort);
			attempt->stopped = outcome == EXIT_STOPPED;
			attempt->exit = exit;
		}
		if (outcome == EXIT_STOPPED)
			return attempt->aborted;
		if (outcome == EXIT_CALL) {
			attempt->command = probe->vcpus[0].x[0];
			attempt->value = probe->vcpus[0].x[2];
			attempt->esr_el1 = probe->vcpus[0].x[3];
			attempt->far_el1 = probe->vcpus[0].x[4];
			return vcpu_exit_immediate(&exit) == GUEST_CALL_COMMAND;
		}
		if (outcome == EXIT_NO_MEMORY || outcome == EXIT_SLICE_OVER)
			return false;
	}
	return false;
}

static bool try_access(struct guest *probe, enum stage2_access access, struct iaddr address,
		       struct attempt *out)
{
	bool answered;

	*out = (struct attempt){ 0 };
	probe->vcpus[0].x[0] = command_of_access[access];
	probe->vcpus[0].x[1] = address.value;
	probe->vcpus[0].x[2] = PROBE_VALUE;
	answered = run_to_command(probe, out);
	timer_stop();
	return answered;
}

/* Stage 2 stopped the access in the way that @expected says. */
static bool abort_is_right(const struct attempt *attempt, const struct expectation *expected)
{
	return attempt->aborted && attempt->exit.syndrome == expected->esr &&
	       attempt->exit.far == expected->far &&
	       (!expected->hpfar_defined || attempt->exit.hpfar == expected->hpfar) &&
	       attempt->abort.ipa.value == expected->far;
}

/* The guest's own vector was told of it. */
static bool injection_is_right(const struct attempt *attempt, const struct expectation *expected)
{
	return attempt->command == GUEST_COMMAND_ABORTED && attempt->esr_el1 == expected->esr_el1 &&
	       attempt->far_el1 == expected->far;
}

/* The page that the probe has at @target, if it has one, holds what it should: read where it lies in
 * memory, not through what the probe sees. */
static bool own_page_is_right(struct escape *escape, const struct escape_target *target)
{
	struct guest *probe = &escape->probe;
	const struct iaddr page = iaddr(page_align_down(target->address.value));
	const struct irange range = irange(page, iaddr(page.value + PAGE_SIZE));
	struct cursor cursor;
	struct cursor_item item;

	if (!irange_contains(vm_space_range(&probe->space), range))
		return true;
	if (cursor_open(&probe->space, range, CURSOR_READ_ONLY, &cursor) != MM_OK)
		return false;

	bool right = cursor_peek(&cursor, &item) == MM_OK;

	cursor_close(&cursor);
	if (!right || !item.mapped)
		return right;

	/* The probe does not run, and nobody else changes its space. */
	uint64_t offset = target->address.value - item.range.start.value;
	uint64_t word;

	return view_word(escape->windows, paddr(item.output.value + offset), &word) == MM_OK &&
	       word == target->holds;
}

/* Nothing at the physical address became what the probe tries to store. */
static bool memory_is_untouched(const struct escape *escape, const struct boot_info *info,
				const struct escape_target *target)
{
	const struct paddr address = paddr(target->address.value);
	uint64_t word;

	if (!target->physical || !escape_is_memory(info, address))
		return true;
	return view_word(escape->windows, address, &word) == MM_OK && word != PROBE_VALUE;
}

static void print_expected(const struct expectation *expected)
{
	printf("    expected %s fault, level %d: esr 0x%08" PRIx64 " far 0x%010" PRIx64
	       " hpfar 0x%08" PRIx64 "\n",
	       expected->permission ? "permission" : "translation", expected->level, expected->esr,
	       expected->far, expected->hpfar);
}

static void count_attempt(struct escape *escape, bool right)
{
	escape->result->attempts++;
	escape->result->wrong += !right;
	printf(right ? "\n" : "  WRONG\n");
}

/* The access must take place, and move the right bytes. */
static void check_permitted(struct escape *escape, struct escape_target *target,
			    enum stage2_access access, const struct attempt *attempt)
{
	bool right = !attempt->aborted && attempt->command == GUEST_COMMAND_DONE;

	if (access == STAGE2_READ)
		right = right && attempt->value == target->holds;
	else if (access == STAGE2_WRITE)
		target->holds = PROBE_VALUE;
	right = right && own_page_is_right(escape, target);
	printf("permitted");
	count_attempt(escape, right);
	expect_mapped(&escape->map, iaddr(page_align_down(target->address.value)));
}

/* The access must be aborted, and the guest told or stopped. */
static void check_forbidden(struct escape *escape, const struct boot_info *info,
			    const struct escape_target *target, enum stage2_access access,
			    const struct attempt *attempt)
{
	struct expectation expected = expect(&escape->map, access, target->address);
	bool stop = escape->probe.violation == VIOLATION_STOP;
	bool right = abort_is_right(attempt, &expected) &&
		     memory_is_untouched(escape, info, target) &&
		     own_page_is_right(escape, target) && attempt->stopped == stop &&
		     (stop || injection_is_right(attempt, &expected));

	if (attempt->aborted)
		printf("%s fault, level %d: esr 0x%08" PRIx64 " far 0x%010" PRIx64
		       " hpfar 0x%08" PRIx64 ", %s",
		       attempt->abort.fault == STAGE2_FAULT_PERMISSION ? "permission"
								       : "translation",
		       attempt->abort.level, attempt->exit.syndrome, attempt->exit.far,
		       attempt->exit.hpfar, attempt->stopped ? "stopped" : "injected");
	else
		printf("it was done");
	count_attempt(escape, right);
	if (!right)
		print_expected(&expected);
}

static enum mm_status check_access(struct escape *escape, const struct boot_info *info,
				   struct escape_target *target, enum stage2_access access)
{
	struct attempt attempt;

	if (!try_access(&escape->probe, access, target->address, &attempt))
		return MM_ACCESS_DENIED;

	printf("  %-7s  %-20s  0x%010" PRIx64 "  ", access_names[access], target->name,
	       target->address.value);
	if (target->allowed & flag_of_access[access])
		check_permitted(escape, target, access, &attempt);
	else
		check_forbidden(escape, info, target, access, &attempt);
	return MM_OK;
}

/* What is permitted first, so that what is not meets a page that is there. */
static enum mm_status check_target(struct escape *escape, const struct boot_info *info,
				   struct escape_target *target)
{
	for (int permitted = 1; permitted >= 0; permitted--) {
		for (int access = STAGE2_READ; access <= STAGE2_EXECUTE; access++) {
			if (!!(target->allowed & flag_of_access[access]) != permitted)
				continue;

			enum mm_status status =
				check_access(escape, info, target, (enum stage2_access)access);
			if (status != MM_OK)
				return status;
		}
	}
	return MM_OK;
}

/* Not even the monitor can give the probe what is another's. */
static void check_mappings(struct escape *escape, const struct boot_info *info)
{
	for (size_t i = 0; i < escape->targets.count; i++) {
		const struct escape_target *target = &escape->targets.list[i];
		const struct paddr page = paddr(page_align_down(target->address.value));

		if (!target->physical || !escape_is_memory(info, page))
			continue;

		enum mm_status status = escape_map(&escape->probe, page);
		printf("  map      %-20s  0x%010" PRIx64 "  %s", target->name,
		       target->address.value, mm_status_name(status));
		count_attempt(escape, status == MM_ACCESS_DENIED);
	}
}

static enum mm_status check_all(struct escape *escape, const struct boot_info *info)
{
	struct escape_targets *targets = &escape->targets;
	struct attempt start = { 0 };

	if (!run_to_command(&escape->probe, &start) || start.command != GUEST_COMMAND_NONE)
		return MM_ACCESS_DENIED;
	for (size_t i = 0; i < targets->count; i++) {
		enum mm_status status = check_target(escape, info, &targets->list[i]);

		if (status != MM_OK)
			return status;
	}

	check_mappings(escape, info);

	/* The last attempt, on the last address, ends it. */
	escape->probe.violation = VIOLATION_STOP;
	return check_access(escape, info, &targets->list[targets->count - 1], STAGE2_WRITE);
}

static enum mm_status run_probe(struct escape *escape, const struct boot_info *info,
				struct job *job)
{
	struct guest *probe = &escape->probe;
	struct iaddr base;
	enum mm_status status = escape_add_regions(probe, &escape->read_only, &base);

	if (status != MM_OK)
		return status;
	probe->violation = VIOLATION_INJECT;
	probe->calls = 1u << GUEST_CALL_COMMAND | 1u << GUEST_CALL_UNEXPECTED;
	vcpu_reset(&probe->vcpus[0], base, (unsigned int)job->guest_count);

	status = escape_list_targets(info, job, probe, &escape->targets);
	if (status != MM_OK)
		return status;

	escape->map.geometry = stage2_active()->geometry;
	expect_mapped(&escape->map, base);
	return check_all(escape, info);
}

/* The first page of the file, for the probe alone. */
static enum mm_status copy_first_page(const struct segment *file, struct segment *out)
{
	enum mm_status status = segment_alloc(1, PAGE_SIZE, FRAME_UNDEFINED, out);
	struct vm_writer writer;

	if (status != MM_OK)
		return status;

	const struct vm_object from = vm_object_of_segment(file);
	const struct vm_object to = vm_object_of_segment(out);

	status = vm_object_writer(&to, 0, PAGE_SIZE, &writer);
	if (status == MM_OK)
		status = vm_object_read(&from, 0, &writer);
	if (status != MM_OK)
		segment_drop(out);
	return status;
}

static enum mm_status run(struct escape *escape, const struct boot_info *info, struct job *job)
{
	unsigned int ia_bits = arch_features()->pa_bits - 1;

	/* One bit below the physical address size, so that an IPA beyond the space is still one that
	 * Stage 1 lets through. */
	if (ia_bits > PROBE_IA_BITS_MAX)
		ia_bits = PROBE_IA_BITS_MAX;

	enum mm_status status = copy_first_page(&job->input->pages, &escape->read_only);
	if (status != MM_OK)
		return status;
	status = guest_create(&escape->probe, "the probing guest", ia_bits, 0);
	if (status == MM_OK) {
		status = run_probe(escape, info, job);
		if (status == MM_ACCESS_DENIED)
			log_error("the probing guest was given a command and did not say how it "
				  "ended");
		vm_space_deactivate();
		escape->result->statistics = escape->probe.statistics;
		guest_destroy(&escape->probe);
	}
	segment_drop(&escape->read_only);
	return status;
}

enum mm_status escape_run(const struct boot_info *info, struct job *job,
			  struct escape_result *result)
{
	struct escape *escape;
	void *memory;
	enum mm_status status = heap_alloc(sizeof(*escape), &memory);

	*result = (struct escape_result){ 0 };
	if (status != MM_OK)
		return status;
	escape = memory;
	*escape = (struct escape){ .result = result };
	status = windows_new(info->kvirt, &escape->windows);
	if (status == MM_OK) {
		status = run(escape, info, job);

		/* None is mapped, and no cursor is open. */
		enum mm_status destroyed = windows_destroy(escape->windows);
		if (status == MM_OK)
			status = destroyed;
	}
	heap_free(escape);
	return status;
}

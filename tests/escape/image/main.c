/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guests cannot break the hypervisor: 10,000 exits of random programs, handled by the product's own
 * code. Programs that go nowhere are replaced. TAP on the console; exit code 0 if all held.
 *
 * "seed=NUMBER" in bootargs draws other programs, "exits=NUMBER" more or fewer of them.
 */
#include <arch/memory.h>
#include <arch/observe.h>
#include <stdio.h>
#include <strata/mm.h>
#include "boot_info.h"
#include "interrupts.h"
#include "monitor/fault.h"
#include "monitor/guest_calls.h"
#include "monitor/services.h"
#include "program.h"
#if STRATA_CHECKED
#include <model.h>
#endif

#define EXITS_DEFAULT 10000
#define EXITS_PER_PROGRAM 32
#define SLICE_MICROSECONDS 100

#define IA_BITS 36
#define CODE_PAGES 4
#define CODE_BASE UINT64_C(0x10000000)
#define DATA_BASE UINT64_C(0x20000000)
#define DATA_SIZE (8 * BLOCK_SIZE)
#define READ_ONLY_BASE UINT64_C(0x30000000)

struct trial {
	struct guest guest;
	struct segment code, read_only;
	struct program_places places;
	struct random random;
	uint64_t exits, programs, stopped, calls, slices, no_memory;
	uint64_t repeated; /* served exits that were handled once more */
	uint64_t defects;  /* services that ended in a status they may not have */
};

static unsigned int points, failures;

static void check(bool held, const char *claim)
{
	points++;
	failures += !held;
	printf("%sok %u - %s\n", held ? "" : "not ", points, claim);
}

static enum mm_status add_region(struct trial *trial, const char *name, uint64_t base,
				 uint64_t size, uint8_t flags, const struct segment *shared)
{
	struct irange range = irange(iaddr(base), iaddr(base + size));

	trial->places.areas[trial->places.count++] = range;
	return guest_add_region(
		&trial->guest,
		&(struct guest_region){
			.name = name,
			.range = range,
			.property = page_property(flags | PAGE_ACCESSED, CACHE_WRITEBACK),
			.backing = shared ? BACKING_SHARED : BACKING_ZERO,
			.blocks = true,
			.shared = shared,
		});
}

static enum mm_status trial_create(struct trial *trial, uint64_t seed)
{
	enum mm_status status;

	*trial = (struct trial){ .random = { seed } };
	status = segment_alloc(CODE_PAGES, PAGE_SIZE, FRAME_ZEROED, &trial->code);
	if (status != MM_OK)
		return status;
	status = segment_alloc(1, PAGE_SIZE, FRAME_ZEROED, &trial->read_only);
	if (status == MM_OK) {
		status = guest_create(&trial->guest, "guest", IA_BITS, seed);
		if (status != MM_OK)
			segment_drop(&trial->read_only);
	}
	if (status != MM_OK) {
		segment_drop(&trial->code);
		return status;
	}

	trial->guest.calls = 1u << GUEST_CALL_PROGRESS;
	status = add_region(trial, "code", CODE_BASE, CODE_PAGES * PAGE_SIZE,
			    PAGE_READ | PAGE_EXECUTE, &trial->code);
	if (status == MM_OK)
		status = add_region(trial, "read-only", READ_ONLY_BASE, PAGE_SIZE, PAGE_READ,
				    &trial->read_only);
	if (status == MM_OK)
		status = add_region(trial, "data", DATA_BASE, DATA_SIZE, PAGE_READ | PAGE_WRITE,
				    NULL);
	return status;
}

static void trial_destroy(struct trial *trial)
{
	vm_space_deactivate();
	guest_destroy(&trial->guest);
	segment_drop(&trial->read_only);
	segment_drop(&trial->code);
}

static struct iaddr random_instruction(struct trial *trial)
{
	return iaddr(CODE_BASE + random_below(&trial->random, CODE_PAGES * PAGE_SIZE / 4) * 4);
}

/*
 * A random program soon ends in a loop, most often of exceptions whose vector is not there: so that
 * there is more to see, it is set down elsewhere, in a state of EL1 that it could have reached.
 */
static void set_down_elsewhere(struct trial *trial)
{
	struct vcpu fresh;

	vcpu_reset(&fresh, random_instruction(trial), 0);
	trial->guest.vcpus[0].pc = fresh.pc;
	trial->guest.vcpus[0].pstate = fresh.pstate;
	trial->guest.vcpus[0].x[random_below(&trial->random, 31)] =
		program_value(&trial->random, &trial->places);
}

/* Another program, another state; what an ill guest may do to a stopped one is drawn too. */
static void new_program(struct trial *trial)
{
	uint32_t *words = mm_linear(trial->code.start);
	uint64_t size = segment_size(&trial->code);

	for (uint64_t i = 0; i < size / sizeof(*words); i++)
		words[i] = program_instruction(&trial->random);
	instruction_cache_sync(words, size);

	vcpu_reset(&trial->guest.vcpus[0], random_instruction(trial), 0);
	program_registers(&trial->random, &trial->places, &trial->guest.vcpus[0]);
	trial->guest.stopped = NULL;
	trial->guest.violation =
		random_below(&trial->random, 4) == 0 ? VIOLATION_STOP : VIOLATION_INJECT;
	trial->programs++;
}

/* One exit of the program; false if another program should have its turn. */
static bool run_once(struct trial *trial)
{
	struct guest *guest = &trial->guest;
	struct vcpu_exit exit;

	timer_start(SLICE_MICROSECONDS);
	vcpu_run(&guest->vcpus[0], &exit);
	trial->exits++;

	uint64_t injected = guest->statistics.injected;
	enum exit_outcome outcome = guest_handle_exit(guest, &guest->vcpus[0], &exit);

	/* Of two CPUs that fault on one page, the second finds it served: here the same exit again. */
	if (outcome == EXIT_RESUME && guest->statistics.injected == injected &&
	    exit.reason == VCPU_EXIT_SYNCHRONOUS &&
	    vcpu_exit_class(&exit) == VCPU_CLASS_STAGE2_ABORT) {
		trial->repeated++;
		outcome = guest_handle_exit(guest, &guest->vcpus[0], &exit);
	}
	switch (outcome) {
	case EXIT_RESUME:
	case EXIT_YIELD:
		return true;
	case EXIT_SLICE_OVER:
		trial->slices++;
		return true;
	case EXIT_CALL:
		trial->calls++;
		trial->defects += services_step(guest, 0, iaddr(guest->vcpus[0].x[0])) != MM_OK;
		return true;
	case EXIT_STOPPED:
		trial->stopped++;
		return false;
	case EXIT_NO_MEMORY:
		trial->no_memory++;
		return false;
	}
	return false;
}

static void run(struct trial *trial, uint64_t exits)
{
	while (trial->exits < exits && trial->defects == 0) {
		new_program(trial);
		for (unsigned int i = 0; i < EXITS_PER_PROGRAM; i++) {
			if (!run_once(trial))
				break;
			if (random_below(&trial->random, 4) != 0)
				set_down_elsewhere(trial);
		}
	}
	timer_stop();
	trial->defects += services_finish(&trial->guest) != MM_OK;
}

static void print_counts(const struct trial *trial)
{
	static const char *const names[GUEST_EXIT_CLASSES] = {
		[VCPU_CLASS_STAGE2_ABORT] = "Stage-2 abort",
		[VCPU_CLASS_HYPERCALL] = "HVC",
		[VCPU_CLASS_MONITOR_CALL] = "SMC",
		[VCPU_CLASS_WAIT] = "WFI, WFE",
		[VCPU_CLASS_SYSTEM_REGISTER] = "system register",
		[VCPU_CLASS_GUEST_FAULT] = "the guest's own fault",
		[VCPU_CLASS_OTHER] = "other",
	};
	const struct guest_statistics *statistics = &trial->guest.statistics;

	printf("# %lu exits of %lu programs\n", trial->exits, trial->programs);
	for (size_t i = 0; i < GUEST_EXIT_CLASSES; i++)
		printf("# %-24s %8lu\n", names[i], statistics->exits[i]);
	printf("# %-24s %8lu\n", "interrupt", statistics->interrupts);
	printf("# faults served %lu, found served already %lu\n", trial->repeated,
	       statistics->spurious);
	printf("# exceptions injected %lu, stopped %lu, calls served %lu, slices over %lu\n",
	       statistics->injected, trial->stopped, trial->calls, trial->slices);
}

#if STRATA_CHECKED
static void complain(const char *text)
{
	printf("# model: %s\n", text);
}

void image_prepare(const struct boot_info *info)
{
	model_start(mm_linear(info->model_pool.start), prange_size(info->model_pool), complain);
}
#endif

int image_main(const struct boot_info *info)
{
	static struct trial trial;
	uint64_t exits = boot_number(info, "exits", EXITS_DEFAULT);

	check(interrupts_init(info), "a timer takes the CPU back from the guest");

	struct mm_usage before = mm_usage();
	enum mm_status status = trial_create(&trial, boot_number(info, "seed", 1));
	if (status == MM_OK)
		status = vm_space_activate(&trial.guest.space);
	check(status == MM_OK, "a guest can be made");
	if (status != MM_OK)
		return 1;
	run(&trial, exits);
	print_counts(&trial);
	trial_destroy(&trial);
	struct mm_usage after = mm_usage();

	const struct guest_statistics *statistics = &trial.guest.statistics;
	check(trial.exits >= exits, "every exit of a random program was handled");
	check(trial.no_memory == 0, "no program used memory up");
	check(trial.defects == 0 && statistics->pages_not_listed == 0 &&
		      statistics->pages_torn == 0,
	      "what was done behind the programs' backs went well");
	check(statistics->exits[VCPU_CLASS_STAGE2_ABORT] &&
		      statistics->exits[VCPU_CLASS_HYPERCALL] &&
		      statistics->exits[VCPU_CLASS_MONITOR_CALL] &&
		      statistics->exits[VCPU_CLASS_WAIT] &&
		      statistics->exits[VCPU_CLASS_SYSTEM_REGISTER] && statistics->interrupts &&
		      statistics->injected && trial.stopped && trial.calls,
	      "each kind of exit and each way to end it occurred");
	check(statistics->spurious > 0 && statistics->spurious <= trial.repeated,
	      "a fault that was served already changes nothing");
	bool same = true;
	for (size_t i = 0; i < PAGE_USAGE_COUNT; i++)
		same &= before.pages[i] == after.pages[i];
	check(same, "every frame came back");
#if STRATA_CHECKED
	check(model_check_all() == 0, "the model saw no difference");
#endif
	printf("1..%u\n", points);
	return failures == 0 ? 0 : 1;
}

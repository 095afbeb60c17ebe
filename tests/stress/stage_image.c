/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CPUs of the board, at EL2. Guests run: one page of program in each space, which loads or stores one
 * word.
 */
#include "stage_image.h"

#include "board_stage.h"
#include "cpus.h"
#include "exit.h"
#include "interrupts.h"

#include <aarch64/registers.h>
#include <aarch64/vcpu.h>
#include <arch/cpu.h>
#include <arch/memory.h>
#include <string.h>

/* How long the others may take to stop; the boot CPU waits less, so that one CPU reports. */
#define STOP_SECONDS 2
#define HALT_SECONDS 5
#define EXITS_MAX 64

#define LOAD_PROGRAM PROGRAM
#define STORE_PROGRAM (PROGRAM + 16)

static const uint32_t program[] = {
	0xf9400001,		/* ldr x1, [x0] */
	0xd4000002,		/* hvc #0 */
	0x14000000,		/* b . */
	0x14000000, 0xf9000001, /* str x1, [x0] */
	0xd4000002,		/* hvc #0 */
	0x14000000,		/* b . */
};

/* Fewer VMIDs than a world has spaces, so that they come round while other CPUs run guests. */
#define VMID_LIMIT 20

static uint32_t vmid_limit;

static struct vcpu vcpus[STRESS_CPUS_MAX];

bool stage_prepare(const struct boot_info *info)
{
	for (unsigned int cpu = 0; cpu < STRESS_CPUS_MAX; cpu++)
		vcpu_reset(&vcpus[cpu], iaddr(PROGRAM), cpu);
	vmid_limit = (uint32_t)boot_number(info, "vmids", VMID_LIMIT);
	return board_stage_take(info, STAGE_BYTES);
}

bool stage_begin(struct stage *stage)
{
	board_stage(stage);
	stage->vmid_limit = vmid_limit;
	return true;
}

/* ---- CPUs -------------------------------------------------------------------------------------- */

static bool all_left(void)
{
	for (unsigned int cpu = 0; cpu < stress.options.cpus; cpu++)
		if (!atomic_load_explicit(&stress.workers[cpu].left, memory_order_acquire))
			return false;
	return true;
}

/* Waits for the others; if they do not come, says what was found and ends the machine. */
static void wait_or_end(unsigned int seconds)
{
	const uint64_t begun = register_read(cntpct_el0);
	const uint64_t limit = register_read(cntfrq_el0) * seconds;

	while (!all_left()) {
		cpu_relax();
		if (!stopped() || register_read(cntpct_el0) - begun < limit)
			continue;
		stress_report();
		machine_exit(1);
	}
}

void stage_halt(void)
{
	for (;;)
		wait_or_end(cpu_index() == 0 ? STOP_SECONDS : HALT_SECONDS);
}

static void be_cpu(void *argument)
{
	(void)argument;
	if (cpu_index() >= stress.options.cpus)
		return;
	worker_run(&stress.workers[cpu_index()]);
	if (cpu_index() == 0)
		wait_or_end(STOP_SECONDS);
}

void stage_run(void)
{
	cpus_run(be_cpu, NULL);
}

/* ---- Guests ------------------------------------------------------------------------------------ */

static bool map_program(struct guest_space *guest, frame_t *frame)
{
	struct cursor cursor;
	bool mapped;

	if (cursor_open(&guest->space, irange(iaddr(PROGRAM), iaddr(PROGRAM + PAGE_SIZE)),
			CURSOR_MUTABLE, &cursor) != MM_OK)
		return false;
	mapped = cursor_map(&cursor, frame,
			    page_property(PAGE_READ | PAGE_EXECUTE | PAGE_ACCESSED,
					  CACHE_WRITEBACK)) == MM_OK;
	cursor_close(&cursor);
	return mapped;
}

bool stage_prepare_space(struct worker *worker, struct guest_space *guest)
{
	frame_t frame;
	void *page;

	(void)worker;
	if (frame_alloc(FRAME_ZEROED, &frame) != MM_OK)
		return false;
	page = mm_linear(frame.paddr);
	memcpy(page, program, sizeof(program));
	instruction_cache_sync(page, PAGE_SIZE);
	if (map_program(guest, &frame))
		return true;
	frame_drop(&frame);
	return false;
}

static enum guest_result result_of(const struct vcpu_exit *exit, uint64_t ia)
{
	struct stage2_abort abort;

	if (exit->reason != VCPU_EXIT_SYNCHRONOUS)
		return GUEST_OTHER;
	if (vcpu_exit_class(exit) == VCPU_CLASS_HYPERCALL)
		return GUEST_DONE;
	if (!stage2_abort_decode(exit, &abort) || abort.ipa.value != ia)
		return GUEST_OTHER;
	switch (abort.fault) {
	case STAGE2_FAULT_TRANSLATION:
		return GUEST_TRANSLATION;
	case STAGE2_FAULT_ACCESS_FLAG:
		return GUEST_ACCESS_FLAG;
	case STAGE2_FAULT_PERMISSION:
		return GUEST_PERMISSION;
	default:
		return GUEST_OTHER;
	}
}

static enum guest_result run(struct worker *worker, uint64_t entry, uint64_t ia, uint64_t *value)
{
	struct vcpu *vcpu = &vcpus[worker->cpu];
	struct vcpu_exit exit;

	for (unsigned int exits = 0; exits < EXITS_MAX; exits++) {
		vcpu->pc = entry;
		vcpu->x[0] = ia;
		vcpu->x[1] = *value;
		vcpu_run(vcpu, &exit);
		if (exit.reason != VCPU_EXIT_IRQ)
			break;
		/* Who has ended his part wakes the boot CPU, which is not waiting yet. */
		(void)interrupts_take_timer();
	}
	*value = vcpu->x[1];
	return result_of(&exit, ia);
}

enum guest_result stage_load(struct worker *worker, uint64_t ia, uint64_t *value)
{
	return run(worker, LOAD_PROGRAM, ia, value);
}

enum guest_result stage_store(struct worker *worker, uint64_t ia, uint64_t value)
{
	return run(worker, STORE_PROGRAM, ia, &value);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpus_probe.h"
#include <aarch64/percpu.h>
#include <aarch64/registers.h>
#include <arch/cpu.h>
#include <cpus.h>
#include <exit.h>
#include <interrupts.h>
#include <inttypes.h>
#include <log.h>
#include <stacks.h>
#include <stdatomic.h>
#include <stdio.h>
#include <strata/frame.h>
#include <strata/mm.h>

#define ROUNDS 2000
#define ROUNDS_BY_EVENTS                                                                           \
	50 /* without interrupts: QEMU makes a CPU that waits so look all the time */
#define LINES 200
#define FRAMES 64
#define TIMER_MICROSECONDS 2000
#define STACK_WORDS 64 /* of which a CPU that came so far has written some */
#define LATE_MILLISECONDS 20000
#define HARM_MILLISECONDS 300

/* Registers that say the same on every CPU. Those of optional features come with the names that the
 * boot CPU says it has. */
#define COMMON_REGISTERS                                                                           \
	X(sctlr_el2)                                                                               \
	X(tcr_el2)                                                                                 \
	X(mair_el2)                                                                                \
	X(amair_el2)                                                                               \
	X(ttbr0_el2)                                                                               \
	X(vbar_el2)                                                                                \
	X(hcr_el2)                                                                                 \
	X(cptr_el2)                                                                                \
	X(hstr_el2)                                                                                \
	X(hacr_el2)                                                                                \
	X(mdcr_el2)                                                                                \
	X(mdscr_el1)                                                                               \
	X(cnthctl_el2)                                                                             \
	X(cntvoff_el2)                                                                             \
	X(cnthp_ctl_el2)                                                                           \
	X(vtcr_el2)                                                                                \
	X(vttbr_el2)                                                                               \
	X(vpidr_el2)                                                                               \
	X(spsel)                                                                                   \
	X(daif)

enum {
#define X(name) READING_##name,
	COMMON_REGISTERS
#undef X
		READING_fine_grained_trap,
	READING_hcrx,
	READING_gic,
	READINGS
};

static const char *const names[READINGS] = {
#define X(name) #name,
	COMMON_REGISTERS
#undef X
	"hfgrtr_el2",
	"hcrx_el2",
	"icc_sre_el2",
};

static uint64_t readings[STRATA_MAX_CPUS][READINGS];
static uint64_t mpidr[STRATA_MAX_CPUS], vmpidr[STRATA_MAX_CPUS];
static struct prange stack[STRATA_MAX_CPUS];
static bool interrupts; /* the board has some */
static bool has_timer[STRATA_MAX_CPUS];
static uint64_t frames[STRATA_MAX_CPUS];

static uint64_t read_if(uint64_t id, unsigned int shift, uint64_t value)
{
	return id >> shift & 0xf ? value : 0;
}

/* Its own timer ends a wait. */
static bool timer_fires(void)
{
	timer_start(TIMER_MICROSECONDS);
	__asm__ volatile("wfi");
	for (unsigned int i = 0; i < 1000000; i++)
		if (interrupts_take_timer())
			return true;
	return false;
}

static void look(void *argument)
{
	const unsigned int self = cpu_index();
	uint64_t *mine = readings[self];
	frame_t frame[FRAMES];

	(void)argument;
#define X(name) mine[READING_##name] = register_read(name);
	COMMON_REGISTERS
#undef X
	if (read_if(register_read(id_aa64mmfr0_el1), 56, 1))
		mine[READING_fine_grained_trap] = register_read(REGISTER_HFGRTR_EL2);
	if (read_if(register_read(id_aa64mmfr1_el1), 40, 1))
		mine[READING_hcrx] = register_read(REGISTER_HCRX_EL2);
	if (read_if(register_read(id_aa64pfr0_el1), 24, 1))
		mine[READING_gic] = register_read(REGISTER_ICC_SRE_EL2);
	mpidr[self] = register_read(mpidr_el1);
	vmpidr[self] = register_read(vmpidr_el2);
	stack[self] = stack_at((uintptr_t)__builtin_frame_address(0));
	has_timer[self] = !interrupts || timer_fires();
	for (unsigned int i = 0; i < FRAMES; i++)
		frames[self] += frame_alloc(FRAME_ZEROED, &frame[i]) == MM_OK;
	for (uint64_t i = 0; i < frames[self]; i++)
		frame_drop(&frame[i]);
}

static bool is_right(unsigned int cpu)
{
	bool right = true;

	for (unsigned int i = 0; i < READINGS; i++) {
		if (readings[cpu][i] == readings[0][i])
			continue;
		log_error("CPU %u: %s is %#" PRIx64 ", not %#" PRIx64, cpu, names[i],
			  readings[cpu][i], readings[0][i]);
		right = false;
	}
	for (unsigned int other = 0; other < cpu; other++) {
		if (mpidr[other] == mpidr[cpu]) {
			log_error("CPU %u: it is CPU %u", cpu, other);
			right = false;
		}
	}
	if (stack[cpu].end.value != (uintptr_t)&cpu_stacks[cpu + 1] || vmpidr[cpu] != mpidr[cpu] ||
	    !has_timer[cpu] || frames[cpu] != FRAMES) {
		log_error("CPU %u: stack to %#" PRIx64 ", VMPIDR_EL2 %#" PRIx64
			  ", timer %d, frames %" PRIu64,
			  cpu, stack[cpu].end.value, vmpidr[cpu], has_timer[cpu], frames[cpu]);
		right = false;
	}
	return right;
}

int cpus_probe(const struct boot_info *info)
{
	unsigned int right = 0;

	interrupts = interrupts_init(info);
	cpus_run(look, NULL);
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++)
		right += cpus_is_up(cpu) && is_right(cpu);
	log_info("%u CPUs in the tree, %u up, %u right", info->cpu_count, cpus_up(), right);
	return right == cpus_up() ? 0 : 1;
}

static uint64_t round_number; /* plain: cpus_run orders it */
static uint64_t seen[STRATA_MAX_CPUS];
static atomic_uint_least64_t done;

static void note_round(void *argument)
{
	seen[cpu_index()] += *(const uint64_t *)argument == seen[cpu_index()];
	atomic_fetch_add_explicit(&done, 1, memory_order_relaxed);
}

static int rounds(unsigned int count)
{
	unsigned int right = 0;

	for (round_number = 0; round_number < count; round_number++)
		cpus_run(note_round, &round_number);
	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++)
		right += seen[cpu] == count;
	log_info("%u CPUs in step, %" PRIu64 " rounds done", right, atomic_load(&done));
	return right == cpus_up() && atomic_load(&done) == (uint64_t)right * count ? 0 : 1;
}

int cpus_rounds(const struct boot_info *info)
{
	(void)info;
	return rounds(ROUNDS);
}

/* It leaves all ones in its word when it goes on, and soon after that it is on its stack. */
static bool has_arrived(const struct boot_info *info, unsigned int cpu)
{
	const volatile uint64_t *word = mm_linear(info->cpus[cpu].release);
	const volatile uint64_t *top = (uint64_t *)(cpu_stacks[cpu].bytes + STACK_SIZE);
	bool on_its_stack = false;

	for (unsigned int i = 1; i <= STACK_WORDS; i++)
		on_its_stack |= *(top - i) != 0;
	return *word == UINT64_MAX && on_its_stack;
}

static uint64_t milliseconds_since(uint64_t start)
{
	return (register_read(cntpct_el0) - start) * 1000 / register_read(cntfrq_el0);
}

/* CPUs of a spin table, in its order, each of which comes at once or late. */
int cpus_late(const struct boot_info *info)
{
	for (unsigned int cpu = 1; cpu < info->cpu_count; cpu++) {
		const unsigned int before = cpus_up();

		if (cpus_is_up(cpu))
			continue;

		uint64_t start = register_read(cntpct_el0);

		while (!has_arrived(info, cpu)) {
			if (milliseconds_since(start) > LATE_MILLISECONDS) {
				log_error("CPU %u did not arrive", cpu);
				return 1;
			}
		}
		/* It has time to do what it should not. */
		start = register_read(cntpct_el0);
		while (milliseconds_since(start) < HARM_MILLISECONDS)
			;
		log_info("CPU %u arrived, %u CPUs up before and %u after", cpu, before, cpus_up());
	}
	return rounds(ROUNDS_BY_EVENTS) + cpus_probe(info);
}

static void print_lines(void *argument)
{
	(void)argument;
	for (unsigned int i = 0; i < LINES; i++)
		printf("line %u of CPU %u, %s\n", i, cpu_index(),
		       "which is long enough to be cut into");
}

int cpus_lines(const struct boot_info *info)
{
	(void)info;
	cpus_run(print_lines, NULL);
	return 0;
}

static atomic_uint waiting;

static void meet(void)
{
	atomic_fetch_add(&waiting, 1);
	while (atomic_load(&waiting) < cpus_up())
		cpu_relax();
}

static void find_broken(void *argument)
{
	(void)argument;
	meet();
	if (cpu_index() != 0)
		boot_panic("the probe holds nothing", cpu_index());
	for (;;)
		printf("the boot CPU goes on\n");
}

int cpus_panic(const struct boot_info *info)
{
	(void)info;
	cpus_run(find_broken, NULL);
	return 1;
}

static __attribute__((noinline)) uint64_t recurse(uint64_t depth)
{
	volatile uint64_t frame[64];

	frame[depth % 64] = depth;
	return depth == UINT64_MAX ? 0 : recurse(depth + 1) + frame[depth % 64];
}

static void overflow_last(void *argument)
{
	uint64_t *depth = argument;

	if (cpu_index() == cpus_up() - 1)
		*depth = recurse(0);
}

int cpus_overflow(const struct boot_info *info)
{
	uint64_t depth;

	(void)info;
	cpus_run(overflow_last, &depth);
	return 1;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpus.h"
#include "data_cache.h"
#include "exceptions.h"
#include "exit.h"
#include "image.h"
#include "interrupts.h"
#include "log.h"
#include "memory_map.h"
#include "psci.h"
#include "secondary.h"
#include "spin_table.h"
#include "stacks.h"
#include "stop.h"
#include <aarch64/features.h>
#include <aarch64/percpu.h>
#include <aarch64/registers.h>
#include <aarch64/relax.h>
#include <aarch64/vcpu.h>
#include <arch/barrier.h>
#include <arch/translation.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

_Static_assert(sizeof(struct secondary) == SECONDARY_SIZE, "as assembly knows it");
_Static_assert(offsetof(struct secondary, percpu) == SECONDARY_PERCPU, "as assembly knows it");
_Static_assert(offsetof(struct secondary, stack) == SECONDARY_STACK, "as assembly knows it");
_Static_assert(offsetof(struct secondary, root) == SECONDARY_ROOT, "as assembly knows it");
_Static_assert(offsetof(struct secondary, translation_control) == SECONDARY_TRANSLATION_CONTROL,
	       "as assembly knows it");

/* cntfrq_el0 that firmware never set: as if it were 67 MHz. */
#define FREQUENCY_UNKNOWN (UINT64_C(1) << 26)

#define BOOT_CPU 0

enum state {
	CPU_OFF,    /* nobody has this index */
	CPU_CALLED, /* the boot CPU waits for it */
	CPU_UP,
	CPU_UNFIT,    /* it came, and must not be used */
	CPU_LEFT_OUT, /* it did not come in time */
};

/*
 * A CPU that is called answers once, by an exchange: so the boot CPU's decision that it is too late, and
 * the answer, exclude each other. Release by who answers, acquire by the boot CPU: what the CPU did to come
 * up is seen by who then gives it work.
 */
static _Atomic enum state states[STRATA_MAX_CPUS];

/*
 * Work for one CPU. The boot CPU alone writes the first three, while `done` says that the last one is done
 * with: release and acquire on `posted` and `done` hand the rest, and all that either side stored before, to
 * the other.
 */
struct mailbox {
	_Alignas(64) cpus_function function;
	void *argument;
	_Atomic uint32_t posted;
	_Atomic uint32_t done;
};

static struct mailbox mailboxes[STRATA_MAX_CPUS];

struct secondary secondaries[STRATA_MAX_CPUS];

/* Relaxed: it is counted, and nothing follows from it. */
static atomic_uint came_late;

static const struct boot_info *boot;

void secondary_main(void);

unsigned int cpus_up(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < STRATA_MAX_CPUS; i++)
		count += cpus_is_up(i);
	return count;
}

bool cpus_is_up(unsigned int index)
{
	return index == BOOT_CPU ||
	       atomic_load_explicit(&states[index], memory_order_acquire) == CPU_UP;
}

unsigned int cpus_came_late(void)
{
	return atomic_load_explicit(&came_late, memory_order_relaxed);
}

/* ---- On the CPU that comes -------------------------------------------------------------------- */

/* Where it does no harm: with interrupts masked, on a stack and a table that stay its own and there. */
static _Noreturn void halt(void)
{
	for (;;)
		__asm__ volatile("wfi");
}

/* Whether the boot CPU still waited for it; else it is counted. */
static bool answer(enum state state)
{
	enum state called = CPU_CALLED;

	if (atomic_compare_exchange_strong_explicit(&states[cpu_index()], &called, state,
						    memory_order_release, memory_order_relaxed))
		return true;
	atomic_fetch_add_explicit(&came_late, 1, memory_order_relaxed);
	return false;
}

static _Noreturn void serve(struct mailbox *mailbox)
{
	uint32_t done = 0;

	for (;;) {
		while (atomic_load_explicit(&mailbox->posted, memory_order_acquire) == done) {
			interrupts_wait();
			stop_if_asked();
		}
		mailbox->function(mailbox->argument);
		done++;
		atomic_store_explicit(&mailbox->done, done, memory_order_release);
		interrupts_wake(BOOT_CPU);
	}
}

/* Called by secondary.S, on this CPU's stack, MMU and caches on, by EL2's own table. */
void secondary_main(void)
{
	exceptions_init_this_cpu();
	/* It is in TTBR0_EL2 already; who observes learns of it here. */
	el2_stage1_load(boot->el2_space->root, boot->el2_space->geometry);
	vcpu_host_init();
	if (!features_suffice_here() || !interrupts_init_this_cpu()) {
		answer(CPU_UNFIT);
		halt();
	}
	if (!answer(CPU_UP))
		halt();
	serve(&mailboxes[cpu_index()]);
}

/* ---- On the boot CPU -------------------------------------------------------------------------- */

static void leave_out(const struct boot_cpu *cpu, const char *reason)
{
	if (cpu->affinity == BOOT_CPU_AFFINITY_NONE)
		log_warning("CPU %s is left out: %s", cpu->name, reason);
	else
		log_warning("CPU %s (MPIDR_EL1 %#" PRIx64 ") is left out: %s", cpu->name,
			    cpu->affinity, reason);
}

static void describe(unsigned int index, const struct boot_cpu *cpu)
{
	struct secondary *secondary = &secondaries[index];

	*secondary = (struct secondary){
		.affinity = cpu->affinity,
		.percpu = (uintptr_t)&percpu_data[index],
		.stack = (uintptr_t)(cpu_stacks[index].bytes + STACK_SIZE),
		.root = register_read(ttbr0_el2),
		.translation_control = register_read(tcr_el2),
	};
	/* It is read past the caches. What is read with them, `boot` and the mailbox among it, needs
	 * no more than the DSB in here before the call. */
	data_cache_clean(secondary, secondary + 1);
}

/* Whether @cpu was called; if not, nothing of it will ever arrive. */
static bool call(const struct boot_cpu *cpu)
{
	const struct paddr entry = paddr((uintptr_t)secondary_start);

	if (cpu->method == BOOT_CPU_SPIN_TABLE) {
		const struct prange word =
			prange(cpu->release, paddr(cpu->release.value + sizeof(uint64_t)));

		if (!memory_map_has(boot, word) ||
		    prange_overlaps(word, image_range(image_start, image_end))) {
			leave_out(cpu, "its cpu-release-addr is not in memory outside the image");
			return false;
		}
		spin_table_release(cpu->release, entry);
		return true;
	}

	int32_t status = psci_cpu_on(boot->psci, boot->psci_cpu_on, cpu->affinity, entry, 0);

	if (status != PSCI_SUCCESS)
		leave_out(cpu, psci_error_name(status));
	return status == PSCI_SUCCESS;
}

static enum state wait_for(unsigned int index)
{
	uint64_t frequency = register_read(cntfrq_el0);
	enum state state;

	if (frequency == 0)
		frequency = FREQUENCY_UNKNOWN;

	const uint64_t limit = frequency / 1000 * CPUS_MILLISECONDS;
	const uint64_t start = register_read(cntpct_el0);

	do {
		state = atomic_load_explicit(&states[index], memory_order_acquire);
		if (state != CPU_CALLED)
			return state;
		cpu_relax();
		isb(); /* the counter is not read early */
	} while (register_read(cntpct_el0) - start < limit);
	if (atomic_compare_exchange_strong_explicit(&states[index], &state, CPU_LEFT_OUT,
						    memory_order_acquire, memory_order_acquire))
		return CPU_LEFT_OUT;
	return state;
}

/* Whether @index is used up. */
static bool start(unsigned int index, const struct boot_cpu *cpu)
{
	char late[48];

	describe(index, cpu);
	/* Relaxed: there is a DSB before the call. */
	atomic_store_explicit(&states[index], CPU_CALLED, memory_order_relaxed);
	if (!call(cpu)) {
		atomic_store_explicit(&states[index], CPU_OFF, memory_order_relaxed);
		secondaries[index].affinity = BOOT_CPU_AFFINITY_NONE;
		return false;
	}
	switch (wait_for(index)) {
	case CPU_UP:
		log_debug("CPU %s (MPIDR_EL1 %#" PRIx64 ") is up, index %u", cpu->name,
			  cpu->affinity, index);
		break;
	case CPU_UNFIT:
		leave_out(cpu, "it has less than the boot CPU, or no interrupts");
		break;
	default:
		snprintf(late, sizeof(late), "it did not come up within %d ms", CPUS_MILLISECONDS);
		leave_out(cpu, late);
	}
	return true;
}

void cpus_start(const struct boot_info *info)
{
	const uint64_t own = register_read(mpidr_el1) & BOOT_CPU_AFFINITY;
	unsigned int index = BOOT_CPU + 1;

	boot = info;
	for (unsigned int i = 0; i < STRATA_MAX_CPUS; i++)
		secondaries[i].affinity = BOOT_CPU_AFFINITY_NONE;
	data_cache_clean(secondaries, secondaries + STRATA_MAX_CPUS);
	if (info->cpu_count > 0 && !interrupts_init(info))
		log_debug("no interrupt controller: CPUs wait for events");
	if (machine_is_emulated())
		cpu_relax_doze(interrupts_doze);
	for (unsigned int i = 0; i < info->cpu_count && i < BOOT_CPUS_MAX; i++) {
		const struct boot_cpu *cpu = &info->cpus[i];

		if (cpu->affinity == own)
			continue;
		if (cpu->problem)
			leave_out(cpu, cpu->problem);
		else if (index == STRATA_MAX_CPUS)
			leave_out(cpu, "there is no room for one more");
		else if (start(index, cpu))
			index++;
	}
	if (info->cpu_count > BOOT_CPUS_MAX)
		log_warning("%u CPUs more are left out", info->cpu_count - BOOT_CPUS_MAX);
}

void cpus_run(cpus_function function, void *argument)
{
	for (unsigned int i = BOOT_CPU + 1; i < STRATA_MAX_CPUS; i++) {
		struct mailbox *mailbox = &mailboxes[i];
		uint32_t posted = atomic_load_explicit(&mailbox->posted, memory_order_relaxed);

		if (!cpus_is_up(i))
			continue;
		mailbox->function = function;
		mailbox->argument = argument;
		atomic_store_explicit(&mailbox->posted, posted + 1, memory_order_release);
		interrupts_wake(i);
	}
	function(argument);
	for (unsigned int i = BOOT_CPU + 1; i < STRATA_MAX_CPUS; i++) {
		struct mailbox *mailbox = &mailboxes[i];
		uint32_t posted = atomic_load_explicit(&mailbox->posted, memory_order_relaxed);

		while (atomic_load_explicit(&mailbox->done, memory_order_acquire) != posted) {
			interrupts_wait();
			stop_if_asked();
		}
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* CPUs that cache translations nobody asked for. */
#include "machine_internal.h"

static void watch(struct iaddr *list, size_t *count, struct iaddr address)
{
	machine_lock();
	if (*count < MACHINE_WATCH_MAX)
		list[(*count)++] = address;
	look_ahead();
	machine_unlock();
}

void machine_watch_el2(struct iaddr ia)
{
	watch(machine.watch_el2, &machine.watch_el2_count, ia);
}

void machine_watch_guest(struct iaddr va)
{
	watch(machine.watch_guest, &machine.watch_guest_count, va);
}

void machine_watch_nothing(void)
{
	machine.watch_el2_count = 0;
	machine.watch_guest_count = 0;
}

void look_ahead(void)
{
	struct tlb_entry entry;
	struct machine_fault fault;

	for (size_t i = 0; i < STRATA_MAX_CPUS; i++) {
		struct cpu *cpu = &machine.cpus[i];

		for (size_t j = 0; cpu->el2_loaded && j < machine.watch_el2_count; j++)
			(void)el2_translate(cpu, machine.watch_el2[j].value, true, &entry, &fault);
		for (size_t j = 0; cpu->stage2_loaded && j < machine.watch_guest_count; j++)
			(void)guest_translate(cpu, machine.watch_guest[j].value, true, &entry,
					      &fault);
	}
}

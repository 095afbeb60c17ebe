/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must hold of the translations that are cached when a descriptor is stored, or EL2 gets another
 * table (Arm ARM D8.17, "TLB maintenance": break-before-make), and the observer interface, through
 * which the machine learns of stores.
 */
#include "descriptor.h"
#include "machine_internal.h"

/*
 * A valid descriptor may replace one that is still cached only if they differ in permissions, Access
 * flag, shareability or software bits: AP or S2AP 7:6, SH 9:8, AF 10, DBM 51, XN 54:53, 58:55; and
 * in 63:59, which limit permissions in tables.
 */
#define MAY_DIFFER UINT64_C(0xffe80000000007c0)

#if STRATA_CHECKED

static bool replaces_cached(const struct tlb_store *store, uint64_t address, uint64_t value)
{
	if (!tlb_store_may_know(store, address))
		return false;
	for (size_t i = 0; i < store->count; i++) {
		const struct tlb_source *sources = store->entries[i].sources;

		for (size_t j = 0; j < 2; j++)
			if (sources[j].address == address &&
			    ((sources[j].value ^ value) & ~MAY_DIFFER) != 0)
				return true;
	}
	return false;
}

void descriptor_store(struct cpu *cpu, uint64_t address, uint64_t value, uint64_t previous)
{
	machine.clock++;
	look_ahead();
	if ((value & 1) != 0)
		for (size_t i = 0; i < STRATA_MAX_CPUS; i++)
			if (replaces_cached(&machine.cpus[i].tlb, address, value)) {
				violation(VIOLATION_BREAK_BEFORE_MAKE);
				break;
			}
	store_buffer_add(&cpu->stores, address, previous);
}

static void see_stores(const struct observe_event *event)
{
	if (event->kind == OBSERVE_DESCRIPTOR_WRITE) {
		machine_lock();
		descriptor_store(this_cpu(), event->address.value, event->value, event->previous);
		machine_unlock();
	}
}

static struct observer observer = { .see = see_stores };

void rules_start(void)
{
	observe_attach(&observer);
}

void rules_stop(void)
{
	observe_detach(&observer);
}

#else

void rules_start(void)
{
}

void rules_stop(void)
{
}

#endif

/* Whether the table of @cpu translates what @entry does to something else. If it does not translate it
 * at all, that is a break: what is cached may stay until it is invalidated. */
static bool contradicts(const struct cpu *cpu, const struct tlb_entry *entry)
{
	uint64_t table = cpu->el2_root.value;

	for (int level = cpu->el2_geometry.root_level;; level++) {
		const struct descriptor_controls controls = { 0 };
		uint64_t value;

		if (!walker_read(table + 8 * ((entry->ia / level_size(level)) & 511), &value))
			return false;

		struct descriptor descriptor =
			descriptor_decode(value, level, FORMAT_EL2, &controls);

		if (descriptor.kind == DESCRIPTOR_INVALID)
			return false;
		if (level == entry->level)
			return ((value ^ entry->sources[0].value) & ~MAY_DIFFER) != 0;
		if (descriptor.kind == DESCRIPTOR_LEAF)
			return true;
		table = descriptor.address;
	}
}

void el2_root_changed(const struct cpu *cpu)
{
	for (size_t i = 0; i < cpu->tlb.count; i++) {
		const struct tlb_entry *entry = &cpu->tlb.entries[i];

		if ((entry->kind == TLB_EL2 || entry->kind == TLB_EL2_WALK) &&
		    contradicts(cpu, entry)) {
			violation(VIOLATION_ROOT_CHANGE);
			return;
		}
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLBIs and barriers.
 *
 * A TLBI waits in the CPU that issued it until that CPU's next DSB ISH, and removes then what was
 * cached before it was issued: what a CPU caches in between may stay.
 */
#include <arch/barrier.h>
#include <arch/canary.h>
#include "host_memory.h"
#include "machine_internal.h"

static bool kind_matches(const struct invalidation *tlbi, enum tlb_kind kind)
{
	bool is_el2 = kind == TLB_EL2 || kind == TLB_EL2_WALK;
	bool is_stage2 = kind == TLB_STAGE2 || kind == TLB_STAGE2_WALK;

	switch (tlbi->kind) {
	case OBSERVE_TLBI_EL2_ADDRESS:
	case OBSERVE_TLBI_EL2_RANGE:
	case OBSERVE_TLBI_EL2_ALL:
		return is_el2;
	case OBSERVE_TLBI_IPA_ADDRESS:
	case OBSERVE_TLBI_IPA_RANGE:
		return is_stage2;
	case OBSERVE_TLBI_VMID_STAGE1:
		return !is_el2 && !is_stage2;
	default:
		return !is_el2;
	}
}

static bool has_range(const struct invalidation *tlbi)
{
	return tlbi->kind == OBSERVE_TLBI_EL2_ADDRESS || tlbi->kind == OBSERVE_TLBI_EL2_RANGE ||
	       tlbi->kind == OBSERVE_TLBI_IPA_ADDRESS || tlbi->kind == OBSERVE_TLBI_IPA_RANGE;
}

/* Whether @tlbi, issued by @by, acts on the TLB of @cpu: nearly all are broadcast. */
static bool reaches(const struct invalidation *tlbi, const struct cpu *by, const struct cpu *cpu)
{
	return tlbi->scope == OBSERVE_INNER_SHAREABLE || by == cpu;
}

/* A range instruction always has a level field; the others have it with FEAT_TTL. */
static bool level_matches(const struct invalidation *tlbi, int level, bool is_walk)
{
	bool is_range =
		tlbi->kind == OBSERVE_TLBI_EL2_RANGE || tlbi->kind == OBSERVE_TLBI_IPA_RANGE;

	if (tlbi->level == TLB_LEVEL_ANY || !(machine.config.features.ttl || is_range))
		return true;
	return is_walk ? level < tlbi->level : level == tlbi->level;
}

static bool removes(const struct invalidation *tlbi, const struct tlb_entry *entry)
{
	bool is_walk = entry->kind == TLB_EL2_WALK || entry->kind == TLB_STAGE2_WALK;
	struct irange covered = { iaddr(entry->ia), iaddr(entry->ia + level_size(entry->level)) };

	if (!kind_matches(tlbi, entry->kind) || entry->filled >= tlbi->issued)
		return false;
	if (tlbi->kind != OBSERVE_TLBI_ALL_VMIDS && entry->vmid != tlbi->vmid)
		return false;
	if (!has_range(tlbi))
		return true;
	if (is_walk && tlbi->depth == TLB_LEAF_ONLY)
		return false;
	return irange_overlaps(covered, tlbi->range) && level_matches(tlbi, entry->level, is_walk);
}

bool invalidation_pending_for(const struct cpu *cpu, const struct tlb_entry *entry)
{
	for (size_t i = 0; i < STRATA_MAX_CPUS; i++) {
		const struct cpu *by = &machine.cpus[i];

		for (size_t j = 0; j < by->pending_count; j++)
			if (reaches(&by->pending[j], by, cpu) && removes(&by->pending[j], entry))
				return true;
	}
	return false;
}

uint64_t date_of_derived(const struct cpu *cpu, const struct tlb_entry *source, enum tlb_kind kind)
{
	uint64_t date = machine.clock;

	for (size_t i = 0; i < STRATA_MAX_CPUS; i++) {
		const struct cpu *by = &machine.cpus[i];

		for (size_t j = 0; j < by->pending_count; j++) {
			const struct invalidation *tlbi = &by->pending[j];

			if (reaches(tlbi, by, cpu) && removes(tlbi, source) &&
			    kind_matches(tlbi, kind) && source->filled < date)
				date = source->filled;
		}
	}
	return date;
}

struct completion {
	const struct cpu *by, *cpu;
};

static bool removed_by_cpu(const struct tlb_entry *entry, const void *context)
{
	const struct completion *completion = context;
	const struct cpu *by = completion->by;

	for (size_t i = 0; i < by->pending_count; i++)
		if (reaches(&by->pending[i], by, completion->cpu) &&
		    removes(&by->pending[i], entry))
			return true;
	return false;
}

static void complete_pending(struct cpu *by)
{
	if (by->pending_count == 0)
		return;
	for (size_t i = 0; i < STRATA_MAX_CPUS; i++) {
		struct completion completion = { by, &machine.cpus[i] };

		tlb_store_remove(&machine.cpus[i].tlb, removed_by_cpu, &completion);
	}
	by->pending_count = 0;
}

/* Stage-2 forms act on the VMID that is active on the CPU. */
static bool needs_vmid(enum observe_kind kind)
{
	return kind == OBSERVE_TLBI_IPA_ADDRESS || kind == OBSERVE_TLBI_IPA_RANGE ||
	       kind == OBSERVE_TLBI_VMID_STAGE1 || kind == OBSERVE_TLBI_VMID_STAGE12;
}

static void issue(struct invalidation tlbi)
{
	struct cpu *cpu = this_cpu();

	if (cpu->stores.count > 0)
		violation(VIOLATION_STORE_NOT_ORDERED);
	if (needs_vmid(tlbi.kind) && !cpu->stage2_loaded) {
		violation(VIOLATION_NO_VMID);
		return;
	}
	tlbi.vmid = needs_vmid(tlbi.kind) ? visible_vmid(cpu) : 0;
	tlbi.issued = ++machine.clock;
	if (cpu->pending_count == cpu->pending_capacity) {
		cpu->pending_capacity = cpu->pending_capacity == 0 ? 16 : cpu->pending_capacity * 2;
		cpu->pending = host_reallocate(cpu->pending,
					       cpu->pending_capacity * sizeof(*cpu->pending));
	}
	cpu->pending[cpu->pending_count++] = tlbi;
	machine.clock++;
	look_ahead();
}

/* How many range instructions [start, start + pages) takes: each covers (NUM + 1) << (5 * SCALE + 1)
 * pages, NUM below 32, SCALE below 4; an odd page takes one by address (Arm ARM C5.5, "RIPAS2E1IS"). */
static void count_range(struct arch_counters *counters, uint64_t pages)
{
	for (unsigned int scale = 0; scale < 4 && pages > 0; scale++) {
		uint64_t unit = UINT64_C(1) << (5 * scale + 1);
		uint64_t units = (pages / unit) & 31;

		if (scale == 0 && (pages & 1) != 0) {
			counters->tlbi_address++;
			pages--;
		}
		if (scale == 3)
			units = pages / unit;
		if (units > 0)
			counters->tlbi_range += (units + 31) / 32;
		pages -= units * unit;
	}
}

static void address(enum observe_kind kind, struct iaddr ia, int level, enum tlb_depth depth)
{
	struct iaddr page = iaddr(page_align_down(ia.value));
	struct irange range = { page, iaddr(page.value + PAGE_SIZE) };
	enum observe_scope scope = CANARY(tlbi_local) && kind == OBSERVE_TLBI_IPA_ADDRESS
					   ? OBSERVE_THIS_CPU
					   : OBSERVE_INNER_SHAREABLE;

	machine_lock();
	this_cpu()->counters.tlbi_address++;
	issue((struct invalidation){
		.kind = kind, .range = range, .level = level, .depth = depth, .scope = scope });
	machine_unlock();
	OBSERVE(.kind = kind, .range = range, .level = (int8_t)level, .depth = depth,
		.scope = scope, .value = needs_vmid(kind) ? this_cpu()->stage2.vmid : 0);
}

static void range(enum observe_kind kind, struct irange range, int level, enum tlb_depth depth)
{
	machine_lock();
	if (machine.config.features.tlb_range) {
		count_range(&this_cpu()->counters, irange_size(range) / PAGE_SIZE);
		issue((struct invalidation){
			.kind = kind, .range = range, .level = level, .depth = depth });
	} else {
		violation(VIOLATION_NOT_IMPLEMENTED);
	}
	machine_unlock();
	OBSERVE(.kind = kind, .range = range, .level = (int8_t)level, .depth = depth,
		.value = needs_vmid(kind) ? this_cpu()->stage2.vmid : 0);
}

void tlbi_el2_address(struct iaddr ia, int level, enum tlb_depth depth)
{
	if (!CANARY(tlbi_missing))
		address(OBSERVE_TLBI_EL2_ADDRESS, ia, level, depth);
}

void tlbi_el2_range(struct irange ia_range, int level, enum tlb_depth depth)
{
	if (!CANARY(tlbi_missing))
		range(OBSERVE_TLBI_EL2_RANGE, ia_range, level, depth);
}

void tlbi_ipa_address(struct iaddr ipa, int level, enum tlb_depth depth)
{
	if (CANARY(wrong_ipa))
		ipa.value += PAGE_SIZE;
	if (!CANARY(tlbi_missing))
		address(OBSERVE_TLBI_IPA_ADDRESS, ipa, level, depth);
}

void tlbi_ipa_range(struct irange ipa_range, int level, enum tlb_depth depth)
{
	if (CANARY(wrong_ipa)) {
		ipa_range.start.value += PAGE_SIZE;
		ipa_range.end.value += PAGE_SIZE;
	}
	if (!CANARY(tlbi_missing))
		range(OBSERVE_TLBI_IPA_RANGE, ipa_range, level, depth);
}

static void whole_of(enum observe_kind kind, enum observe_scope scope,
		     uint64_t *(*counter)(struct arch_counters *))
{
	if (CANARY(tlbi_missing))
		return;
	machine_lock();
	(*counter(&this_cpu()->counters))++;
	issue((struct invalidation){
		.kind = kind, .level = TLB_LEVEL_ANY, .depth = TLB_ALL_LEVELS, .scope = scope });
	machine_unlock();
	OBSERVE(.kind = kind, .level = TLB_LEVEL_ANY, .depth = TLB_ALL_LEVELS, .scope = scope,
		.value = needs_vmid(kind) ? this_cpu()->stage2.vmid : 0);
}

static void whole(enum observe_kind kind, uint64_t *(*counter)(struct arch_counters *))
{
	whole_of(kind, OBSERVE_INNER_SHAREABLE, counter);
}

static uint64_t *counter_all(struct arch_counters *counters)
{
	return &counters->tlbi_all;
}

static uint64_t *counter_vmid(struct arch_counters *counters)
{
	return &counters->tlbi_vmid;
}

void tlbi_el2_all(void)
{
	whole(OBSERVE_TLBI_EL2_ALL, counter_all);
}

void tlbi_el2_all_here(void)
{
	whole_of(OBSERVE_TLBI_EL2_ALL, OBSERVE_THIS_CPU, counter_all);
}

void tlbi_vmid_stage1(void)
{
	if (!CANARY(stage1_step_missing))
		whole(OBSERVE_TLBI_VMID_STAGE1, counter_vmid);
}

void tlbi_vmid_stage12(void)
{
	whole(OBSERVE_TLBI_VMID_STAGE12, counter_vmid);
}

void tlbi_all_vmids(void)
{
	whole(OBSERVE_TLBI_ALL_VMIDS, counter_all);
}

void dsb_ishst(void)
{
	machine_lock();
	this_cpu()->counters.dsb++;
	store_buffer_drain(&this_cpu()->stores);
	machine.clock++;
	look_ahead();
	machine_unlock();
	OBSERVE(.kind = OBSERVE_DSB_ISHST);
}

void dsb_ish(void)
{
	machine_lock();
	this_cpu()->counters.dsb++;
	store_buffer_drain(&this_cpu()->stores);
	complete_pending(this_cpu());
	machine.clock++;
	look_ahead();
	machine_unlock();
	OBSERVE(.kind = OBSERVE_DSB_ISH);
}

void isb(void)
{
	machine_lock();
	this_cpu()->counters.isb++;
	machine_unlock();
	OBSERVE(.kind = OBSERVE_ISB);
}

struct arch_counters arch_counters_read(void)
{
	struct arch_counters sum = { 0 };

	machine_lock();
	for (size_t i = 0; i < STRATA_MAX_CPUS; i++) {
		const struct arch_counters *counters = &machine.cpus[i].counters;

		sum.tlbi_address += counters->tlbi_address;
		sum.tlbi_range += counters->tlbi_range;
		sum.tlbi_vmid += counters->tlbi_vmid;
		sum.tlbi_all += counters->tlbi_all;
		sum.dsb += counters->dsb;
		sum.isb += counters->isb;
		sum.stage2_loads += counters->stage2_loads;
	}
	machine_unlock();
	return sum;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Table walks: one function for every regime, which differ in what struct regime says. */
#include "walk.h"
#include "descriptor.h"
#include "machine_internal.h"

bool walker_read(uint64_t address, uint64_t *descriptor)
{
	if (!machine_is_memory(paddr(address)))
		return false;
	for (size_t i = 0; i < STRATA_MAX_CPUS; i++)
		if (store_buffer_find(&machine.cpus[i].stores, address, descriptor))
			return true;
	*descriptor = machine_read(paddr(address));
	return true;
}

bool walker_set(uint64_t address, uint64_t *value, uint64_t flags)
{
	uint64_t before = *value;

	if (!machine_replace(paddr(address), value, before | flags))
		return false;
	*value = before | flags;
	return true;
}

static bool stop(struct machine_fault *fault, enum machine_fault_kind kind, int stage, int level)
{
	*fault = (struct machine_fault){ .kind = kind, .stage = stage, .level = level };
	return false;
}

static bool is_leaf_kind(enum tlb_kind kind)
{
	return kind != TLB_EL2_WALK && kind != TLB_STAGE2_WALK && kind != TLB_STAGE1_WALK;
}

/* Permissions may differ between what is cached and what is in memory; nothing else may. */
static bool translate_alike(const struct tlb_entry *a, const struct tlb_entry *b)
{
	uint64_t a_start = a->output + (b->ia > a->ia ? b->ia - a->ia : 0);
	uint64_t b_start = b->output + (a->ia > b->ia ? a->ia - b->ia : 0);

	return a->level == b->level && a_start == b_start && a->memory == b->memory;
}

static void check_conflict(const struct cpu *cpu, const struct tlb_entry *entry)
{
	for (int level = 0; level <= 3; level++) {
		if (level != entry->level && !is_leaf_kind(entry->kind))
			continue;

		const struct tlb_entry *other =
			tlb_store_at(&cpu->tlb, entry->kind, entry->vmid, entry->ia, level);

		if (other != NULL && !translate_alike(entry, other)) {
			violation(VIOLATION_TLB_CONFLICT);
			return;
		}
	}
	if (entry->level == 3 || !is_leaf_kind(entry->kind))
		return;
	for (size_t i = 0; i < cpu->tlb.count; i++) {
		const struct tlb_entry *other = &cpu->tlb.entries[i];

		if (other->kind == entry->kind && other->vmid == entry->vmid &&
		    other->level > entry->level &&
		    other->ia - entry->ia < level_size(entry->level)) {
			violation(VIOLATION_TLB_CONFLICT);
			return;
		}
	}
}

void tlb_fill(struct cpu *cpu, const struct tlb_entry *entry)
{
	check_conflict(cpu, entry);
	tlb_store_put(&cpu->tlb, entry);
}

struct tlb_entry *tlb_lookup(const struct cpu *cpu, enum tlb_kind kind, uint16_t vmid, uint64_t ia,
			     bool looking_ahead)
{
	for (int level = 3; level >= 0; level--) {
		struct tlb_entry *entry = tlb_store_at(&cpu->tlb, kind, vmid, ia, level);

		if (entry != NULL && !(looking_ahead && invalidation_pending_for(cpu, entry)))
			return entry;
	}
	return NULL;
}

/* Where a walk stands: the table to read next. */
struct position {
	uint64_t table; /* physical address */
	int level;
	uint8_t limits; /* what the tables above leave of permissions */
	uint64_t filled;
};

/* The deepest table that the walk cache knows; a stale pointer is as good as a new one. */
static bool start_cached(const struct cpu *cpu, const struct regime *regime, uint64_t ia,
			 bool looking_ahead, struct position *position)
{
	for (int level = 2; level >= regime->root_level; level--) {
		const struct tlb_entry *entry =
			tlb_store_at(&cpu->tlb, regime->walk, regime->vmid, ia, level);

		if (entry == NULL || (looking_ahead && invalidation_pending_for(cpu, entry)))
			continue;
		*position = (struct position){
			.table = entry->output,
			.level = level + 1,
			.limits = entry->stage1,
			.filled = date_of_derived(cpu, entry, regime->leaf),
		};
		return true;
	}
	return false;
}

/* A table of a guest's Stage 1 lies at an IPA. */
static bool table_address(struct cpu *cpu, const struct regime *regime, uint64_t address,
			  uint64_t *physical, struct machine_fault *fault)
{
	struct tlb_entry stage2;

	*physical = address;
	if (regime->format != FORMAT_EL1)
		return true;
	if (!stage2_translate(cpu, address, false, &stage2, fault)) {
		fault->table_walk = true;
		return false;
	}
	if ((stage2.stage2 & TLB_READ) == 0) {
		stop(fault, MACHINE_FAULT_PERMISSION, 2, stage2.stage2_level);
		fault->table_walk = true;
		fault->ipa = iaddr(address);
		return false;
	}
	*physical = stage2.output + (address - stage2.ia);
	return true;
}

static struct tlb_entry entry_of(const struct regime *regime, enum tlb_kind kind, uint64_t ia,
				 const struct position *position, struct tlb_source source)
{
	return (struct tlb_entry){
		.kind = kind,
		.vmid = regime->vmid,
		.level = (int8_t)position->level,
		.ia = ia & ~(level_size(position->level) - 1),
		.stage1 = position->limits,
		.stage2 = TLB_ALL,
		.stage1_level = (int8_t)position->level,
		.stage2_level = (int8_t)position->level,
		.sources = { source },
		.filled = position->filled,
	};
}

bool walk(struct cpu *cpu, const struct regime *regime, uint64_t ia, bool looking_ahead,
	  struct tlb_entry *out, struct machine_fault *fault)
{
	int stage = regime->format == FORMAT_STAGE2 ? 2 : 1;
	struct position position = { .level = regime->root_level,
				     .limits = TLB_ALL,
				     .filled = machine.clock };
	/* Concatenated tables at the root: the index there may have more than nine bits. */
	uint64_t index_mask =
		(UINT64_C(1) << (regime->ia_bits - (12 + 9 * (3 - position.level)))) - 1;

	if ((ia >> regime->ia_bits) != 0)
		return stop(fault, MACHINE_FAULT_TRANSLATION, stage, 0);
	if (start_cached(cpu, regime, ia, looking_ahead, &position))
		index_mask = 511;
	else if ((regime->root >> regime->pa_bits) != 0)
		return stop(fault, MACHINE_FAULT_ADDRESS_SIZE, stage, 0);
	else if (!table_address(cpu, regime, regime->root, &position.table, fault))
		return false;

	for (;; position.level++, index_mask = 511) {
		uint64_t index = (ia / level_size(position.level)) & index_mask;
		struct tlb_source source = { .address = position.table + 8 * index };

		if (!walker_read(source.address, &source.value))
			return stop(fault, MACHINE_FAULT_EXTERNAL, stage, position.level);

		struct descriptor descriptor = descriptor_decode(source.value, position.level,
								 regime->format, &regime->controls);

		/* As eagerly as a CPU may: also for what nobody accesses in the end. */
		while (regime->controls.hardware_flags && descriptor.kind == DESCRIPTOR_LEAF &&
		       !descriptor.accessed) {
			(void)walker_set(source.address, &source.value,
					 descriptor_accessed(source.value));
			descriptor = descriptor_decode(source.value, position.level, regime->format,
						       &regime->controls);
		}

		if (descriptor.kind == DESCRIPTOR_INVALID)
			return stop(fault, MACHINE_FAULT_TRANSLATION, stage, position.level);
		if (descriptor.reserved_set)
			violation(VIOLATION_RESERVED_BITS);
		if ((descriptor.address >> regime->pa_bits) != 0)
			return stop(fault, MACHINE_FAULT_ADDRESS_SIZE, stage, position.level);
		if (descriptor.kind == DESCRIPTOR_LEAF) {
			if (!descriptor.accessed)
				return stop(fault, MACHINE_FAULT_ACCESS_FLAG, stage,
					    position.level);
			*out = entry_of(regime, regime->leaf, ia, &position, source);
			out->output = descriptor.address;
			out->memory = descriptor.memory;
			out->shareability = descriptor.shareability;
			if (stage == 2)
				out->stage2 = descriptor.permissions;
			else
				out->stage1 &= descriptor.permissions;
			tlb_fill(cpu, out);
			return true;
		}

		if (descriptor.limits_write)
			position.limits &= (uint8_t)~TLB_WRITE;
		if (descriptor.limits_execute)
			position.limits &= (uint8_t)~TLB_EXECUTE;
		if (!table_address(cpu, regime, descriptor.address, &position.table, fault))
			return false;

		struct tlb_entry table = entry_of(regime, regime->walk, ia, &position, source);

		table.output = position.table;
		tlb_fill(cpu, &table);
	}
}

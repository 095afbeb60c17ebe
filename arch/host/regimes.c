/* SPDX-License-Identifier: BSD-3-Clause */
/* The translation regimes of a CPU: EL2, Stage 2, and a guest's two stages together. */
#include "walk.h"

/* What boot code writes: attributes 0 to 3 are Write-Back, Device-nGnRE, Non-cacheable and
 * Write-Through; SCTLR_EL2.WXN is set. */
#define MAIR_EL2 UINT64_C(0xbb4404ff)

static unsigned int output_bits(const struct translation_geometry *geometry)
{
	unsigned int implemented = machine.config.features.pa_bits;

	return geometry->pa_bits < implemented ? geometry->pa_bits : implemented;
}

bool el2_translate(struct cpu *cpu, uint64_t ia, bool looking_ahead, struct tlb_entry *out,
		   struct machine_fault *fault)
{
	const struct tlb_entry *cached = tlb_lookup(cpu, TLB_EL2, 0, ia, looking_ahead);

	if (cached != NULL) {
		*out = *cached;
		return true;
	}
	if (!cpu->el2_loaded) {
		*fault = (struct machine_fault){ .kind = MACHINE_FAULT_DISABLED, .stage = 1 };
		return false;
	}

	struct regime regime = {
		.format = FORMAT_EL2,
		.leaf = TLB_EL2,
		.walk = TLB_EL2_WALK,
		.root = cpu->el2_root.value,
		.root_level = cpu->el2_geometry.root_level,
		.ia_bits = cpu->el2_geometry.ia_bits,
		.pa_bits = output_bits(&cpu->el2_geometry),
		.controls = { .mair = MAIR_EL2, .write_implies_no_execute = true },
	};

	return walk(cpu, &regime, ia, looking_ahead, out, fault);
}

bool stage2_translate(struct cpu *cpu, uint64_t ipa, bool looking_ahead, struct tlb_entry *out,
		      struct machine_fault *fault)
{
	if (!cpu->stage2_loaded) {
		*fault = (struct machine_fault){ .kind = MACHINE_FAULT_DISABLED, .stage = 2 };
		return false;
	}

	uint16_t vmid = visible_vmid(cpu);
	const struct tlb_entry *cached = tlb_lookup(cpu, TLB_STAGE2, vmid, ipa, looking_ahead);

	if (cached != NULL) {
		*out = *cached;
		return true;
	}
	if (!cpu->stage2_walkable) {
		*fault = (struct machine_fault){ .kind = MACHINE_FAULT_TRANSLATION,
						 .stage = 2,
						 .ipa = iaddr(ipa) };
		return false;
	}

	struct regime regime = {
		.format = FORMAT_STAGE2,
		.leaf = TLB_STAGE2,
		.walk = TLB_STAGE2_WALK,
		.vmid = vmid,
		.root = cpu->stage2.root.value,
		.root_level = cpu->stage2.geometry.root_level,
		.ia_bits = cpu->stage2.geometry.ia_bits,
		.pa_bits = output_bits(&cpu->stage2.geometry),
		.controls = { .execute_never_el = machine.config.features.execute_never_el,
			      .dirty_state = machine.config.features.dirty_state,
			      .hardware_flags = cpu->stage2.hardware_flags },
	};

	if (walk(cpu, &regime, ipa, looking_ahead, out, fault))
		return true;
	fault->ipa = iaddr(ipa);
	return false;
}

/* Stage 2 as a guest access meets it. One that looks ahead first renews the Stage-2 entry, then may
 * use the old one all the same: an IPA invalidation that is not complete promises nothing. */
static bool stage2_beneath(struct cpu *cpu, uint64_t ipa, bool looking_ahead, struct tlb_entry *out,
			   struct machine_fault *fault)
{
	struct tlb_entry renewed;

	if (looking_ahead)
		(void)stage2_translate(cpu, ipa, true, &renewed, fault);
	return stage2_translate(cpu, ipa, false, out, fault);
}

static bool stage1_translate(struct cpu *cpu, uint64_t va, bool looking_ahead,
			     struct tlb_entry *out, struct machine_fault *fault)
{
	uint16_t vmid = visible_vmid(cpu);
	const struct tlb_entry *cached = tlb_lookup(cpu, TLB_STAGE1, vmid, va, looking_ahead);

	if (cached != NULL) {
		*out = *cached;
		return true;
	}

	unsigned int ia_bits = cpu->guest_stage1.ia_bits;
	struct regime regime = {
		.format = FORMAT_EL1,
		.leaf = TLB_STAGE1,
		.walk = TLB_STAGE1_WALK,
		.vmid = vmid,
		.root = cpu->guest_stage1.root.value,
		.root_level = ia_bits > 39   ? 0
			      : ia_bits > 30 ? 1
					     : 2,
		.ia_bits = ia_bits,
		.pa_bits = machine.config.features.pa_bits,
		.controls = { .mair = cpu->guest_stage1.mair },
	};

	return walk(cpu, &regime, va, looking_ahead, out, fault);
}

/* D8.6.8, "Combining stage 1 and stage 2 memory type attributes": the stronger of the two. */
static uint8_t stronger_memory(uint8_t a, uint8_t b)
{
	if (a == MEMORY_MIXED || b == MEMORY_MIXED)
		return MEMORY_MIXED;
	return a < b ? a : b;
}

static uint8_t stronger_shareability(uint8_t memory, uint8_t a, uint8_t b)
{
	if (memory <= MEMORY_NONCACHEABLE || a == SHARE_OUTER || b == SHARE_OUTER)
		return SHARE_OUTER;
	return a == SHARE_INNER || b == SHARE_INNER ? SHARE_INNER : SHARE_NONE;
}

/* One entry for both stages: as large as the smaller leaf, around @va. */
static struct tlb_entry combine(const struct tlb_entry *stage1, const struct tlb_entry *stage2,
				uint64_t va)
{
	int level = stage1->level > stage2->level ? stage1->level : stage2->level;
	uint64_t start = va & ~(level_size(level) - 1);
	uint64_t ipa = stage1->output + (start - stage1->ia);
	uint8_t memory = stronger_memory(stage1->memory, stage2->memory);

	return (struct tlb_entry){
		.kind = TLB_COMBINED,
		.vmid = stage2->vmid,
		.level = (int8_t)level,
		.ia = start,
		.output = stage2->output + (ipa - stage2->ia),
		.ipa = ipa,
		.stage1 = stage1->stage1,
		.stage2 = stage2->stage2,
		.stage1_level = stage1->stage1_level,
		.stage2_level = stage2->stage2_level,
		.memory = memory,
		.shareability =
			stronger_shareability(memory, stage1->shareability, stage2->shareability),
		.sources = { stage2->sources[0], stage1->sources[0] },
	};
}

static uint64_t oldest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool both_translate(struct cpu *cpu, uint64_t va, bool looking_ahead, struct tlb_entry *out,
			   struct machine_fault *fault)
{
	struct tlb_entry stage1, stage2;

	if (!stage1_translate(cpu, va, looking_ahead, &stage1, fault))
		return false;
	*out = stage1; /* what Stage 1 permits counts, even if Stage 2 has nothing there */
	if (!stage2_beneath(cpu, stage1.output + (va - stage1.ia), looking_ahead, &stage2, fault))
		return false;
	*out = combine(&stage1, &stage2, va);
	out->filled = oldest(date_of_derived(cpu, &stage1, TLB_COMBINED),
			     date_of_derived(cpu, &stage2, TLB_COMBINED));
	tlb_fill(cpu, out);
	return true;
}

/* Stage 1 is off: virtual addresses are IPAs, but the CPU may cache them as translated by both. */
static bool flat_translate(struct cpu *cpu, uint64_t va, bool looking_ahead, struct tlb_entry *out,
			   struct machine_fault *fault)
{
	if ((va >> machine.config.features.pa_bits) != 0) {
		*fault = (struct machine_fault){ .kind = MACHINE_FAULT_ADDRESS_SIZE, .stage = 1 };
		return false;
	}
	if (!stage2_beneath(cpu, va, looking_ahead, out, fault))
		return false;
	out->filled = date_of_derived(cpu, out, TLB_FLAT);
	out->kind = TLB_FLAT;
	out->ipa = out->ia;
	tlb_fill(cpu, out);
	return true;
}

bool guest_translate(struct cpu *cpu, uint64_t va, bool looking_ahead, struct tlb_entry *out,
		     struct machine_fault *fault)
{
	if (!cpu->stage2_loaded) {
		*fault = (struct machine_fault){ .kind = MACHINE_FAULT_DISABLED, .stage = 2 };
		return false;
	}

	enum tlb_kind kind = cpu->guest_stage1_on ? TLB_COMBINED : TLB_FLAT;
	const struct tlb_entry *cached =
		tlb_lookup(cpu, kind, visible_vmid(cpu), va, looking_ahead);

	if (cached != NULL) {
		*out = *cached;
		return true;
	}
	if (cpu->guest_stage1_on)
		return both_translate(cpu, va, looking_ahead, out, fault);
	return flat_translate(cpu, va, looking_ahead, out, fault);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/percpu.h>
#include <aarch64/tlb_instructions.h>
#include <aarch64/tlb_operand.h>
#include <arch/canary.h>
#include <arch/features.h>
#include <arch/observe.h>
#include <arch/tlb.h>
#include <arch/translation.h>
#include <stddef.h>

#define TLBI(instruction) __asm__ volatile(instruction : : : "memory")
#define TLBI_OPERAND(instruction, operand)                                                         \
	__asm__ volatile(instruction ", %0" : : "r"(operand) : "memory")

enum target {
	TARGET_EL2,
	TARGET_STAGE2,
};

/*
 * The hint names the level of the leaf. Once a table descriptor has changed, leaves of the levels
 * below it may be cached too, so that no single level would be right.
 */
static int usable_hint(int level, enum tlb_depth depth)
{
	return arch_features()->ttl && depth == TLB_LEAF_ONLY ? level : TLB_LEVEL_ANY;
}

static void issue_by_address(enum target target, uint64_t operand, enum tlb_depth depth)
{
	if (target == TARGET_EL2 && depth == TLB_LEAF_ONLY)
		TLBI_OPERAND("tlbi vale2is", operand);
	else if (target == TARGET_EL2)
		TLBI_OPERAND("tlbi vae2is", operand);
	else if (CANARY(tlbi_local))
		TLBI_OPERAND("tlbi ipas2e1", operand);
	else if (depth == TLB_LEAF_ONLY)
		TLBI_OPERAND("tlbi ipas2le1is", operand);
	else
		TLBI_OPERAND("tlbi ipas2e1is", operand);
	percpu_this()->counters.tlbi_address++;
}

static void issue_by_range(enum target target, uint64_t operand, enum tlb_depth depth)
{
	if (target == TARGET_EL2 && depth == TLB_LEAF_ONLY)
		TLBI_OPERAND(TLB_INSTRUCTION_TEXT(TLBI_RVALE2IS), operand);
	else if (target == TARGET_EL2)
		TLBI_OPERAND(TLB_INSTRUCTION_TEXT(TLBI_RVAE2IS), operand);
	else if (depth == TLB_LEAF_ONLY)
		TLBI_OPERAND(TLB_INSTRUCTION_TEXT(TLBI_RIPAS2LE1IS), operand);
	else
		TLBI_OPERAND(TLB_INSTRUCTION_TEXT(TLBI_RIPAS2E1IS), operand);
	percpu_this()->counters.tlbi_range++;
}

static void issue_range(enum target target, struct irange range, int level, enum tlb_depth depth)
{
	const int hint = usable_hint(level, depth);

	while (!irange_is_empty(range)) {
		const struct tlb_range_step step = tlb_range_first(range, hint);

		if (step.by_range)
			issue_by_range(target, step.operand, depth);
		else
			issue_by_address(target, step.operand, depth);
		range.start.value += step.pages << PAGE_SHIFT;
	}
}

#if STRATA_CHECKED

/* What the observer is told. */
static struct irange page_of(struct iaddr address)
{
	const uint64_t start = page_align_down(address.value);

	return irange(iaddr(start), iaddr(start + PAGE_SIZE));
}

static uint16_t active_vmid(void)
{
	const struct stage2_context *context = stage2_active();

	return context != NULL ? context->vmid : 0;
}

#endif

void tlbi_el2_address(struct iaddr ia, int level, enum tlb_depth depth)
{
	if (CANARY(tlbi_missing))
		return;
	issue_by_address(TARGET_EL2, tlb_address_operand(ia, usable_hint(level, depth)), depth);
	OBSERVE(.kind = OBSERVE_TLBI_EL2_ADDRESS, .range = page_of(ia), .level = (int8_t)level,
		.depth = depth);
}

void tlbi_el2_range(struct irange range, int level, enum tlb_depth depth)
{
	if (CANARY(tlbi_missing))
		return;
	issue_range(TARGET_EL2, range, level, depth);
	OBSERVE(.kind = OBSERVE_TLBI_EL2_RANGE, .range = range, .level = (int8_t)level,
		.depth = depth);
}

void tlbi_el2_all(void)
{
	if (CANARY(tlbi_missing))
		return;
	TLBI("tlbi alle2is");
	percpu_this()->counters.tlbi_all++;
	OBSERVE(.kind = OBSERVE_TLBI_EL2_ALL);
}

void tlbi_el2_all_here(void)
{
	if (CANARY(tlbi_missing))
		return;
	TLBI("tlbi alle2");
	percpu_this()->counters.tlbi_all++;
	OBSERVE(.kind = OBSERVE_TLBI_EL2_ALL, .scope = OBSERVE_THIS_CPU);
}

void tlbi_ipa_address(struct iaddr ipa, int level, enum tlb_depth depth)
{
	if (CANARY(tlbi_missing))
		return;
	if (CANARY(wrong_ipa))
		ipa.value ^= PAGE_SIZE;
	issue_by_address(TARGET_STAGE2, tlb_address_operand(ipa, usable_hint(level, depth)), depth);
	OBSERVE(.kind = OBSERVE_TLBI_IPA_ADDRESS, .range = page_of(ipa), .level = (int8_t)level,
		.depth = depth, .value = active_vmid(),
		.scope = CANARY(tlbi_local) ? OBSERVE_THIS_CPU : OBSERVE_INNER_SHAREABLE);
}

void tlbi_ipa_range(struct irange range, int level, enum tlb_depth depth)
{
	if (CANARY(tlbi_missing))
		return;
	if (CANARY(wrong_ipa))
		range = irange(range.end, iaddr(range.end.value + irange_size(range)));
	issue_range(TARGET_STAGE2, range, level, depth);
	OBSERVE(.kind = OBSERVE_TLBI_IPA_RANGE, .range = range, .level = (int8_t)level,
		.depth = depth, .value = active_vmid());
}

void tlbi_vmid_stage1(void)
{
	if (CANARY(tlbi_missing) || CANARY(stage1_step_missing))
		return;
	if (CANARY(stage1_step_local))
		TLBI("tlbi vmalle1");
	else
		TLBI("tlbi vmalle1is");
	percpu_this()->counters.tlbi_vmid++;
	OBSERVE(.kind = OBSERVE_TLBI_VMID_STAGE1, .value = active_vmid());
}

void tlbi_vmid_stage12(void)
{
	if (CANARY(tlbi_missing))
		return;
	TLBI("tlbi vmalls12e1is");
	percpu_this()->counters.tlbi_vmid++;
	OBSERVE(.kind = OBSERVE_TLBI_VMID_STAGE12, .value = active_vmid());
}

void tlbi_all_vmids(void)
{
	if (CANARY(tlbi_missing))
		return;
	TLBI("tlbi alle1is");
	percpu_this()->counters.tlbi_all++;
	OBSERVE(.kind = OBSERVE_TLBI_ALL_VMIDS);
}

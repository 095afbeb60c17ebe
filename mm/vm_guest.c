/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk of a guest's Stage-1 tables (Arm ARM D8.2, D8.3; VMSAv8-64 descriptors, 4 KiB granule).
 * The formats are those of EL1&0, which mm/descriptor.h knows only in part; they are read here alone.
 */
#include <strata/vm_guest.h>
#include <arch/features.h>
#include "descriptor.h"
#include "vm_io_private.h"

/* SCTLR_EL1 (D19.2). */
#define SCTLR_M (UINT64_C(1) << 0)
#define SCTLR_WXN (UINT64_C(1) << 19)
#define SCTLR_EE (UINT64_C(1) << 25)

/* TCR_EL1 (D19.2): fields of the lower half (TTBR0) and, where they differ, of the upper (TTBR1). */
#define TCR_TXSZ_MASK 0x3f
#define TCR_T1SZ_SHIFT 16
#define TCR_EPD0 (UINT64_C(1) << 7)
#define TCR_EPD1 (UINT64_C(1) << 23)
#define TCR_TG_MASK 3
#define TCR_TG0_SHIFT 14
#define TCR_TG0_4K 0
#define TCR_TG1_SHIFT 30
#define TCR_TG1_4K 2
#define TCR_IPS_SHIFT 32
#define TCR_IPS_MASK 7
#define TCR_TBI0 (UINT64_C(1) << 37)
#define TCR_TBI1 (UINT64_C(1) << 38)
#define TCR_HA (UINT64_C(1) << 39)
#define TCR_HPD0 (UINT64_C(1) << 41)
#define TCR_HPD1 (UINT64_C(1) << 42)
#define TCR_TBID0 (UINT64_C(1) << 51)
#define TCR_TBID1 (UINT64_C(1) << 52)
#define TCR_E0PD0 (UINT64_C(1) << 55)
#define TCR_E0PD1 (UINT64_C(1) << 56)
#define TCR_DS (UINT64_C(1) << 59)

#define VA_UPPER (UINT64_C(1) << 55) /* selects TTBR1 */
#define VA_TAG_SHIFT 56
#define IA_BITS_MIN 25
#define IA_BITS_MAX 48
#define TTBR_ADDRESS UINT64_C(0x0000fffffffffffe)

/* Descriptors (D8.3.1, D8.3.2). */
#define ATTRIBUTE_AP_EL0 (UINT64_C(1) << 6)	  /* AP[1] */
#define ATTRIBUTE_AP_READ_ONLY (UINT64_C(1) << 7) /* AP[2] */
#define ATTRIBUTE_PXN (UINT64_C(1) << 53)
#define ATTRIBUTE_UXN (UINT64_C(1) << 54)
#define TABLE_PXN (UINT64_C(1) << 59)
#define TABLE_UXN (UINT64_C(1) << 60)
#define TABLE_NO_EL0 (UINT64_C(1) << 61)    /* APTable[0] */
#define TABLE_READ_ONLY (UINT64_C(1) << 62) /* APTable[1] */

/* What TCR_EL1 and the TTBRs say of one half of the address space. */
struct half {
	uint64_t ttbr;
	unsigned int ia_bits;
	bool disabled;
	bool el0_prevented;
	bool hierarchical; /* table descriptors restrict what is below them */
	unsigned int oa_bits;
};

/* A walk under way. */
struct walk {
	const struct vm_guest *guest;
	const struct half *half;
	uint64_t va;
	enum page_flag access;
	uint64_t restrictions; /* of the table descriptors so far */
	struct vm_guest_walk *out;
};

static enum mm_status fault(struct vm_guest_walk *out, int stage, int level, uint64_t ipa)
{
	*out = (struct vm_guest_walk){ .ipa = iaddr(ipa), .level = level, .stage = stage };
	return MM_PAGE_FAULT;
}

/* A size above the CPU's own is taken as that. */
static unsigned int output_bits(uint64_t tcr)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48, 48, 48 };
	unsigned int asked = bits[tcr >> TCR_IPS_SHIFT & TCR_IPS_MASK];
	unsigned int most = arch_features()->pa_bits;

	return asked < most ? asked : most;
}

static enum mm_status half_of(const struct vm_guest *guest, bool upper, struct half *out)
{
	const uint64_t tcr = guest->tcr;
	uint64_t granule = tcr >> (upper ? TCR_TG1_SHIFT : TCR_TG0_SHIFT) & TCR_TG_MASK;
	unsigned int txsz = (unsigned int)(tcr >> (upper ? TCR_T1SZ_SHIFT : 0)) & TCR_TXSZ_MASK;

	*out = (struct half){
		.ttbr = upper ? guest->ttbr1 : guest->ttbr0,
		.ia_bits = 64 - txsz,
		.disabled = (tcr & (upper ? TCR_EPD1 : TCR_EPD0)) != 0,
		.el0_prevented = (tcr & (upper ? TCR_E0PD1 : TCR_E0PD0)) != 0,
		.hierarchical = (tcr & (upper ? TCR_HPD1 : TCR_HPD0)) == 0,
		.oa_bits = output_bits(tcr),
	};
	if (out->disabled)
		return MM_OK;
	if (granule != (upper ? TCR_TG1_4K : TCR_TG0_4K) || (tcr & TCR_DS) ||
	    out->ia_bits < IA_BITS_MIN || out->ia_bits > IA_BITS_MAX)
		return MM_NOT_SUPPORTED;
	return MM_OK;
}

/* @va without its tag, if it has one: as if bit 55 were repeated above. */
static uint64_t without_tag(const struct vm_guest *guest, uint64_t va, enum page_flag access)
{
	bool upper = va & VA_UPPER;
	bool tagged = guest->tcr & (upper ? TCR_TBI1 : TCR_TBI0);
	bool data_only = guest->tcr & (upper ? TCR_TBID1 : TCR_TBID0);
	const uint64_t tag = UINT64_MAX << VA_TAG_SHIFT;

	if (!tagged || (data_only && access == PAGE_EXECUTE))
		return va;
	return upper ? va | tag : va & ~tag;
}

/* Reads a descriptor: once, whole, and only where Stage 2 lets the guest read. */
static enum mm_status read_descriptor(const struct vm_guest *guest, uint64_t ipa, uint64_t *out)
{
	struct vm_io_run run;
	enum mm_status status =
		vm_io_acquire_page(guest->space, iaddr(ipa), PAGE_READ, VM_IO_HOLD_LOCK, &run);

	if (status != MM_OK)
		return status;
	*out = vm_io_load_once((const void *)(uintptr_t)run.address, sizeof(*out));
	vm_io_release(&run);
	if (guest->sctlr & SCTLR_EE)
		*out = __builtin_bswap64(*out);
	return MM_OK;
}

/* Whether a leaf with @attributes permits the access (D8.4.1, D8.4.2). */
static bool is_permitted(const struct walk *walk, uint64_t attributes)
{
	uint64_t restrictions = walk->restrictions;
	bool el0 = (attributes & ATTRIBUTE_AP_EL0) && !(restrictions & TABLE_NO_EL0);
	bool writable = !(attributes & ATTRIBUTE_AP_READ_ONLY) && !(restrictions & TABLE_READ_ONLY);
	bool wxn = walk->guest->sctlr & SCTLR_WXN;

	if (walk->guest->level == VM_GUEST_EL0) {
		if (walk->access == PAGE_EXECUTE)
			return !(attributes & ATTRIBUTE_UXN) && !(restrictions & TABLE_UXN) &&
			       !(wxn && el0 && writable);
		return el0 && (walk->access == PAGE_READ || writable);
	}
	/* What EL0 can write, EL1 does not execute. */
	if (walk->access == PAGE_EXECUTE)
		return !(attributes & ATTRIBUTE_PXN) && !(restrictions & TABLE_PXN) &&
		       !(el0 && writable) && !(wxn && writable);
	return walk->access == PAGE_READ || writable;
}

static enum mm_status finish(struct walk *walk, uint64_t descriptor, int level)
{
	uint64_t offset = walk->va & (level_size(level) - 1);
	uint64_t output = descriptor_address(descriptor).value & ~(level_size(level) - 1);

	if (output >> walk->half->oa_bits != 0)
		return fault(walk->out, 1, level, 0);
	if (!(descriptor & DESCRIPTOR_ACCESS_FLAG) && !(walk->guest->tcr & TCR_HA))
		return fault(walk->out, 1, level, 0);
	if (!is_permitted(walk, descriptor))
		return fault(walk->out, 1, level, 0);
	*walk->out = (struct vm_guest_walk){ .ipa = iaddr(output | offset), .level = level };
	return MM_OK;
}

static enum mm_status walk_tables(struct walk *walk)
{
	const struct half *half = walk->half;
	const unsigned int levels = (half->ia_bits - PAGE_SHIFT + LEVEL_BITS - 1) / LEVEL_BITS;
	int level = LEVEL_PAGE + 1 - (int)levels;
	/* The first table may be smaller or, by the bits that index it, aligned to less than a page. */
	unsigned int index_bits = half->ia_bits - level_shift(level);
	uint64_t table = half->ttbr & TTBR_ADDRESS & ~((UINT64_C(8) << index_bits) - 1);

	if (table >> half->oa_bits != 0)
		return fault(walk->out, 1, 0, 0);
	for (;; level++, index_bits = LEVEL_BITS) {
		uint64_t index = walk->va >> level_shift(level) & ((UINT64_C(1) << index_bits) - 1);
		uint64_t ipa = table + index * sizeof(uint64_t);
		uint64_t descriptor;
		enum mm_status status = read_descriptor(walk->guest, ipa, &descriptor);

		if (status == MM_PAGE_FAULT)
			return fault(walk->out, 2, level, ipa);
		if (status != MM_OK)
			return status;
		if (!(descriptor & DESCRIPTOR_VALID))
			return fault(walk->out, 1, level, 0);
		if (!descriptor_is_table(descriptor, level)) {
			bool is_page = descriptor & DESCRIPTOR_TABLE_OR_PAGE;

			/* Level 0 has no blocks, and a level 3 descriptor that is none is reserved. */
			if (level == LEVEL_PAGE ? !is_page : level < LEVEL_BLOCK_FIRST)
				return fault(walk->out, 1, level, 0);
			return finish(walk, descriptor, level);
		}
		if (half->hierarchical)
			walk->restrictions |= descriptor;
		table = descriptor_address(descriptor).value;
		if (table >> half->oa_bits != 0)
			return fault(walk->out, 1, level, 0);
	}
}

enum mm_status vm_guest_translate(const struct vm_guest *guest, uint64_t va, enum page_flag access,
				  struct vm_guest_walk *out)
{
	struct half half;
	bool upper = va & VA_UPPER;
	enum mm_status status;

	if (access != PAGE_READ && access != PAGE_WRITE && access != PAGE_EXECUTE)
		return MM_INVALID_ARGS;
	va = without_tag(guest, va, access);
	/* Stage 1 off: the address is the IPA, if it can be one (D8.2.11). */
	if (!(guest->sctlr & SCTLR_M)) {
		if (va >> arch_features()->pa_bits != 0)
			return fault(out, 1, 0, 0);
		*out = (struct vm_guest_walk){ .ipa = iaddr(va) };
		return MM_OK;
	}
	status = half_of(guest, upper, &half);
	if (status != MM_OK)
		return status;
	if (half.disabled || (half.el0_prevented && guest->level == VM_GUEST_EL0) ||
	    (upper ? ~va : va) >> half.ia_bits != 0)
		return fault(out, 1, 0, 0);

	struct walk walk = {
		.guest = guest, .half = &half, .va = va, .access = access, .out = out
	};

	return walk_tables(&walk);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "leaf_rules.h"

#define BIT(n) (UINT64_C(1) << (n))
#define ERROR(kind) ((walk_error_set)1 << (kind))

/* Bits @high to @low of @value. */
static uint64_t bits(uint64_t value, unsigned int high, unsigned int low)
{
	return (value >> low) & (BIT(high - low + 1) - 1);
}

#define SHAREABILITY_OUTER 2
#define SHAREABILITY_INNER 3

/* Bits that must be zero in every leaf: [63:56], [53:52] and [50:48], and nG. */
#define ALWAYS_ZERO (UINT64_C(0xff) << 56 | UINT64_C(0x37) << 48 | BIT(11))

/* NS: EL2's Stage 1 only; at Stage 2 the bit belongs to MemAttr. DBM: not used there. */
#define STAGE1_ZERO (BIT(5) | BIT(51))

/*
 * Stage 2, MemAttr[3:0] (Arm ARM D8.6.6): [3:2] is the Outer attribute and [1:0] the Inner one,
 * 0b01 Non-cacheable, 0b10 Write-Through, 0b11 Write-Back. Outer 0b00 is Device, and then [1:0] says
 * which: 0b00 nGnRnE, 0b01 nGnRE, 0b10 nGRE, 0b11 GRE.
 */
static enum cache_policy stage2_policy(uint64_t descriptor)
{
	switch (bits(descriptor, 5, 2)) {
	case 0xf:
		return CACHE_WRITEBACK;
	case 0xa:
		return CACHE_WRITETHROUGH;
	case 0x5:
		return CACHE_UNCACHED;
	case 0x1:
		return CACHE_DEVICE;
	default:
		return CACHE_POLICY_COUNT;
	}
}

/* EL2's Stage 1: AttrIndx[2:0] selects a byte of MAIR_EL2, which the image sets to 0xbb4404ff. */
static enum cache_policy stage1_policy(uint64_t descriptor)
{
	static const uint8_t mair_el2[] = { 0xff, 0x04, 0x44, 0xbb };
	uint64_t index = bits(descriptor, 4, 2);

	if (index >= sizeof(mair_el2))
		return CACHE_POLICY_COUNT;
	switch (mair_el2[index]) { /* Arm ARM D19.2, "MAIR_EL2" */
	case 0xff:		   /* Normal, Write-Back Non-transient, Read- and Write-Allocate */
		return CACHE_WRITEBACK;
	case 0xbb: /* Normal, Write-Through Non-transient, Read- and Write-Allocate */
		return CACHE_WRITETHROUGH;
	case 0x44: /* Normal, Non-cacheable */
		return CACHE_UNCACHED;
	case 0x04: /* Device-nGnRE */
		return CACHE_DEVICE;
	default:
		return CACHE_POLICY_COUNT;
	}
}

static uint8_t stage2_flags(uint64_t descriptor)
{
	uint8_t flags = 0;

	if (descriptor & BIT(6))
		flags |= PAGE_READ;
	if (descriptor & BIT(7))
		flags |= PAGE_WRITE;
	if (!(descriptor & BIT(54)))
		flags |= PAGE_EXECUTE;
	if (descriptor & BIT(10))
		flags |= PAGE_ACCESSED;
	if (descriptor & BIT(51))
		flags |= PAGE_DIRTY_STATE;
	return flags;
}

static uint8_t stage1_flags(uint64_t descriptor)
{
	uint8_t flags = PAGE_READ;

	if (!(descriptor & BIT(7)))
		flags |= PAGE_WRITE;
	if (!(descriptor & BIT(54)))
		flags |= PAGE_EXECUTE;
	if (descriptor & BIT(10))
		flags |= PAGE_ACCESSED;
	return flags;
}

static walk_error_set stage1_errors(uint64_t descriptor, uint8_t flags)
{
	walk_error_set errors = 0;

	if (descriptor & STAGE1_ZERO)
		errors |= ERROR(WALK_RESERVED_BITS);
	if (!(descriptor & BIT(6)))
		errors |= ERROR(WALK_ACCESS_BIT);
	/* SCTLR_EL2.WXN would make it never executable: then the descriptor lies about it. */
	if ((flags & PAGE_WRITE) && (flags & PAGE_EXECUTE))
		errors |= ERROR(WALK_WRITABLE_EXECUTABLE);
	return errors;
}

static walk_error_set memory_errors(uint64_t descriptor, struct page_property property)
{
	uint64_t shareability = bits(descriptor, 9, 8);

	switch ((enum cache_policy)property.cache) {
	case CACHE_DEVICE: {
		walk_error_set errors = 0;

		if (shareability != SHAREABILITY_OUTER)
			errors |= ERROR(WALK_SHAREABILITY);
		if (property.flags & PAGE_EXECUTE)
			errors |= ERROR(WALK_DEVICE_EXECUTABLE);
		return errors;
	}
	case CACHE_POLICY_COUNT:
		return ERROR(WALK_MEMORY_TYPE);
	case CACHE_WRITEBACK:
	case CACHE_WRITETHROUGH:
	case CACHE_UNCACHED:
		break;
	}
	return shareability == SHAREABILITY_INNER ? 0 : ERROR(WALK_SHAREABILITY);
}

/* A page's output is bits [47:12], a 2 MiB block's [47:21], a 1 GiB block's [47:30]. */
static unsigned int output_shift(int level)
{
	return 12 + 9 * (unsigned int)(3 - level);
}

walk_error_set leaf_decode(uint64_t descriptor, int level, enum translation_stage stage,
			   unsigned int pa_bits, struct walk_leaf *leaf)
{
	unsigned int shift = output_shift(level);
	uint64_t output = descriptor & (BIT(48) - BIT(12));
	walk_error_set errors = 0;

	if (stage == STAGE_2) {
		leaf->property = page_property(stage2_flags(descriptor), stage2_policy(descriptor));
	} else {
		leaf->property = page_property(stage1_flags(descriptor), stage1_policy(descriptor));
		errors |= stage1_errors(descriptor, leaf->property.flags);
	}
	errors |= memory_errors(descriptor, leaf->property);

	if (descriptor & ALWAYS_ZERO)
		errors |= ERROR(WALK_RESERVED_BITS);
	if (output & (BIT(shift) - 1))
		errors |= ERROR(WALK_OUTPUT_UNALIGNED);
	if (output >> pa_bits)
		errors |= ERROR(WALK_OUTPUT_TOO_LARGE);

	leaf->output = paddr(output & ~(BIT(shift) - 1));
	leaf->counted = !(descriptor & BIT(55));
	leaf->level = level;
	leaf->faulty = errors != 0;
	return errors;
}

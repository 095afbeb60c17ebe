/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/registers.h>
#include <aarch64/tlb_operand.h>

#define RANGE_SCALE_MAX 3
#define RANGE_UNITS_MAX 32 /* NUM + 1 */

/* Bytes below a 4-KiB-granule descriptor of @level are VA[level_shift - 1:0]. */
static unsigned int level_shift(int level)
{
	return PAGE_SHIFT + 9 * (3 - (unsigned int)level);
}

/* Level 0 has no leaf, and no encoding without FEAT_LPA2. */
static bool is_hint(int level)
{
	return level >= 1 && level <= 3;
}

uint64_t tlb_address_operand(struct iaddr address, int level)
{
	uint64_t operand = FIELD_PUT(TLBI_ADDRESS_Page, address.value >> PAGE_SHIFT);

	if (is_hint(level))
		operand |= FIELD_PUT(TLBI_ADDRESS_TTL_TG, TLBI_TG_4K) |
			   FIELD_PUT(TLBI_ADDRESS_TTL_LEVEL, level);
	return operand;
}

/* SCALE counts units of 2^(5 * SCALE + 1) pages. */
static uint64_t unit_pages(unsigned int scale)
{
	return UINT64_C(1) << (5 * scale + 1);
}

/*
 * Largest units first: a range of n pages takes one instruction for each unit size that it needs
 * (four at most below 8 GiB) and one for an odd page, the smallest unit being two.
 */
struct tlb_range_step tlb_range_first(struct irange range, int level)
{
	const uint64_t left = irange_size(range) >> PAGE_SHIFT;
	unsigned int scale = RANGE_SCALE_MAX;
	uint64_t units;

	if (left == 1)
		return (struct tlb_range_step){
			.by_range = false,
			.operand = tlb_address_operand(range.start, level),
			.pages = 1,
		};

	while (unit_pages(scale) > left)
		scale--;
	units = left / unit_pages(scale);
	if (units > RANGE_UNITS_MAX)
		units = RANGE_UNITS_MAX;

	/* A hint requires the start aligned to what a leaf of that level translates. */
	if (!is_hint(level) || (range.start.value & ((UINT64_C(1) << level_shift(level)) - 1)) != 0)
		level = 0;

	return (struct tlb_range_step){
		.by_range = true,
		.operand = FIELD_PUT(TLBI_RANGE_BaseADDR, range.start.value >> PAGE_SHIFT) |
			   FIELD_PUT(TLBI_RANGE_TTL, level) | FIELD_PUT(TLBI_RANGE_NUM, units - 1) |
			   FIELD_PUT(TLBI_RANGE_SCALE, scale) |
			   FIELD_PUT(TLBI_RANGE_TG, TLBI_TG_4K),
		.pages = units * unit_pages(scale),
	};
}

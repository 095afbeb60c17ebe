/* SPDX-License-Identifier: BSD-3-Clause */
/* Operands of TLBI, read back by the layout in Arm ARM C5.5 ("TLBI RVAE2IS", "TLBI VAE2IS"). */
#include <aarch64/tlb_operand.h>
#include "harness.h"

#define GRANULE_4K 1
#define INSTRUCTIONS_MAX 5 /* one for each unit size and one for an odd page, below 8 GiB */

static uint64_t bits(uint64_t value, unsigned int high, unsigned int low)
{
	return (value >> low) & ((UINT64_C(1) << (high - low + 1)) - 1);
}

static uint64_t range_pages(uint64_t operand)
{
	const uint64_t scale = bits(operand, 45, 44);
	const uint64_t number = bits(operand, 43, 39);

	return (number + 1) << (5 * scale + 1);
}

/* Every address operand names its page, and the level of the leaf where there is one to name. */
TEST(tlb_address_operand_names_page_and_level)
{
	for (int level = -1; level <= 3; level++) {
		const uint64_t operand = tlb_address_operand(iaddr(0x123456789abc), level);

		EXPECT_EQUAL(bits(operand, 43, 0), 0x123456789);
		EXPECT_EQUAL(bits(operand, 63, 48), 0);
		EXPECT_EQUAL(bits(operand, 47, 44),
			     level < 1 ? 0 : (GRANULE_4K << 2 | (uint64_t)level));
	}
}

/* The instructions for @range cover each of its pages once, and no page outside. */
static unsigned int expect_exact_cover(struct irange range, int level)
{
	unsigned int count = 0;

	while (!irange_is_empty(range)) {
		const struct tlb_range_step step = tlb_range_first(range, level);

		count++;
		if (step.by_range) {
			EXPECT_EQUAL(bits(step.operand, 36, 0), range.start.value >> PAGE_SHIFT);
			EXPECT_EQUAL(bits(step.operand, 47, 46), GRANULE_4K);
			EXPECT_EQUAL(bits(step.operand, 63, 48), 0);
			EXPECT_EQUAL(step.pages, range_pages(step.operand));
		} else {
			EXPECT_EQUAL(step.operand, tlb_address_operand(range.start, level));
			EXPECT_EQUAL(step.pages, 1);
		}
		EXPECT_TRUE(step.pages <= irange_size(range) >> PAGE_SHIFT);
		range.start.value += step.pages << PAGE_SHIFT;
	}
	return count;
}

static struct irange pages_at(uint64_t start, uint64_t count)
{
	return irange(iaddr(start), iaddr(start + (count << PAGE_SHIFT)));
}

TEST(tlb_range_covers_exactly)
{
	for (uint64_t count = 1; count < 5000; count++)
		EXPECT_TRUE(expect_exact_cover(pages_at(0x40003000, count), -1) <=
			    INSTRUCTIONS_MAX);
	for (unsigned int order = 12; order < 21; order++)
		for (int odd = -1; odd <= 1; odd++)
			EXPECT_TRUE(expect_exact_cover(pages_at(0x7fff000, (UINT64_C(1) << order) +
										   (uint64_t)odd),
						       3) <= INSTRUCTIONS_MAX);
}

TEST(tlb_range_takes_one_instruction_for_round_sizes)
{
	static const uint64_t counts[] = { 2, 64, 512, 2048, 65536, 262144, 2097152 };

	for (size_t i = 0; i < COUNT_OF(counts); i++)
		EXPECT_EQUAL(expect_exact_cover(pages_at(0, counts[i]), -1), 1);
	/* 16 GiB is more than one instruction can say. */
	EXPECT_EQUAL(expect_exact_cover(pages_at(0, UINT64_C(4) << 20), -1), 2);
}

/* A hint for a level is only given where the start is aligned to a leaf of that level. */
TEST(tlb_range_hint_needs_an_aligned_start)
{
	static const struct {
		uint64_t start;
		int level;
		uint64_t hint;
	} cases[] = {
		{ 0x40000000, 1, 1 },  { 0x40000000, 2, 2 },  { 0x40000000, 3, 3 },
		{ 0x40000000, -1, 0 }, { 0x40000000, 0, 0 },  { 0x40200000, 1, 0 },
		{ 0x40200000, 2, 2 },  { 0x40201000, 2, 0 },  { 0x40201000, 3, 3 },
		{ 0x40201000, 1, 0 },  { 0x7fffe000, -1, 0 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct tlb_range_step step =
			tlb_range_first(pages_at(cases[i].start, 512), cases[i].level);

		EXPECT_TRUE(step.by_range);
		EXPECT_EQUAL(bits(step.operand, 38, 37), cases[i].hint);
	}
}

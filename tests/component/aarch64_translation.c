/* SPDX-License-Identifier: BSD-3-Clause */
/* VTCR_EL2 and VTTBR_EL2 bit by bit (Arm ARM D19.2, "VTCR_EL2"). */
#include <aarch64/translation.h>
#include "harness.h"

/* RES1, 4 KiB granule, inner shareable, write-back walks. */
#define VTCR_COMMON (UINT64_C(1) << 31 | UINT64_C(3) << 12 | UINT64_C(1) << 10 | UINT64_C(1) << 8)

static uint64_t control(uint8_t ia_bits, uint8_t root_level, uint8_t pa_bits, uint8_t vmid_bits)
{
	const struct translation_geometry geometry = {
		.ia_bits = ia_bits,
		.root_level = root_level,
		.root_tables = 1,
		.pa_bits = pa_bits,
	};
	const struct arch_features features = { .vmid_bits = vmid_bits };

	return stage2_control(&(struct stage2_context){ .geometry = geometry }, &features);
}

/* T0SZ is what is left of 64; SL0 counts levels backwards. */
TEST(stage2_control_of_each_start_level)
{
	EXPECT_EQUAL(control(40, 1, 40, 8), VTCR_COMMON | 2u << 16 | 1u << 6 | 24);
	EXPECT_EQUAL(control(44, 0, 44, 8), VTCR_COMMON | 4u << 16 | 2u << 6 | 20);
	EXPECT_EQUAL(control(32, 2, 32, 8), VTCR_COMMON | 0u << 16 | 0u << 6 | 32);
	EXPECT_EQUAL(control(48, 0, 48, 16), VTCR_COMMON | 1u << 19 | 5u << 16 | 2u << 6 | 16);
}

TEST(stage2_control_of_each_physical_size)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48 };

	for (size_t i = 0; i < COUNT_OF(bits); i++)
		EXPECT_EQUAL(control(39, 1, bits[i], 8) >> 16 & 7, i);
}

TEST(stage2_base_is_root_and_vmid)
{
	const struct stage2_context context = { .root = paddr(0x8040002000), .vmid = 0xfffe };

	EXPECT_EQUAL(stage2_base(&context), UINT64_C(0xfffe008040002000));
}

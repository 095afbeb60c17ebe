/* SPDX-License-Identifier: BSD-3-Clause */
/* ID registers as CPUs have them (the first five read under QEMU), and values nobody has yet. */
#include <aarch64/features.h>
#include <aarch64/id_registers.h>
#include "harness.h"

static const struct {
	const char *cpu;
	struct id_registers id;
	struct arch_features expected;
} known[] = {
	{ "cortex-a53",
	  { .midr_el1 = 0x410fd034, .id_aa64isar0_el1 = 0x11120, .id_aa64mmfr0_el1 = 0x1122 },
	  { .midr = 0x410fd034,
	    .pa_bits = 40,
	    .vmid_bits = 8,
	    .granule_4k = true,
	    .granule_64k = true } },
	{ "cortex-a72",
	  { .midr_el1 = 0x410fd083, .id_aa64isar0_el1 = 0x11120, .id_aa64mmfr0_el1 = 0x1124 },
	  { .midr = 0x410fd083,
	    .pa_bits = 44,
	    .vmid_bits = 8,
	    .granule_4k = true,
	    .granule_64k = true } },
	{ "cortex-a76",
	  { .midr_el1 = 0x414fd0b1,
	    .id_aa64isar0_el1 = 0x100010211120,
	    .id_aa64mmfr0_el1 = 0x101122,
	    .id_aa64mmfr1_el1 = 0x10212122,
	    .id_aa64mmfr2_el1 = 0x1011 },
	  { .midr = 0x414fd0b1,
	    .pa_bits = 40,
	    .vmid_bits = 16,
	    .granule_4k = true,
	    .granule_16k = true,
	    .granule_64k = true,
	    .access_flag = true,
	    .dirty_state = true,
	    .vhe = true,
	    .execute_never_el = true } },
	{ "max",
	  { .midr_el1 = 0xf0510,
	    .id_aa64isar0_el1 = 0x1221111110212120,
	    .id_aa64mmfr0_el1 = 0x2100032310201126,
	    .id_aa64mmfr1_el1 = 0x110112010312122,
	    .id_aa64mmfr2_el1 = 0x1221011112011011 },
	  { .midr = 0xf0510,
	    .pa_bits = 48,
	    .vmid_bits = 16,
	    .granule_4k = true,
	    .granule_16k = true,
	    .granule_64k = true,
	    .access_flag = true,
	    .dirty_state = true,
	    .vhe = true,
	    .execute_never_el = true,
	    .bbm_level = 2,
	    .ttl = true,
	    .tlb_range = true,
	    .large_address = true } },
};

static void expect_features(struct arch_features is, struct arch_features expected)
{
	EXPECT_EQUAL(is.midr, expected.midr);
	EXPECT_EQUAL(is.pa_bits, expected.pa_bits);
	EXPECT_EQUAL(is.vmid_bits, expected.vmid_bits);
	EXPECT_EQUAL(is.granule_4k, expected.granule_4k);
	EXPECT_EQUAL(is.granule_16k, expected.granule_16k);
	EXPECT_EQUAL(is.granule_64k, expected.granule_64k);
	EXPECT_EQUAL(is.access_flag, expected.access_flag);
	EXPECT_EQUAL(is.dirty_state, expected.dirty_state);
	EXPECT_EQUAL(is.vhe, expected.vhe);
	EXPECT_EQUAL(is.execute_never_el, expected.execute_never_el);
	EXPECT_EQUAL(is.bbm_level, expected.bbm_level);
	EXPECT_EQUAL(is.ttl, expected.ttl);
	EXPECT_EQUAL(is.tlb_range, expected.tlb_range);
	EXPECT_EQUAL(is.large_address, expected.large_address);
}

TEST(features_of_known_cpus)
{
	for (size_t i = 0; i < COUNT_OF(known); i++)
		expect_features(features_decode(&known[i].id), known[i].expected);
}

TEST(features_physical_size_is_at_most_48_bits)
{
	static const uint8_t bits[16] = { 32, 36, 40, 42, 44, 48, 48, 48,
					  48, 48, 48, 48, 48, 48, 48, 48 };

	for (uint64_t range = 0; range < 16; range++) {
		const struct id_registers id = { .id_aa64mmfr0_el1 = range };

		EXPECT_EQUAL(features_decode(&id).pa_bits, bits[range]);
	}
}

/* Stage 2 has its own granule fields; 0 refers to Stage 1, 1 is absent, 2 and 3 are present. */
TEST(features_granule_needs_both_stages)
{
	static const struct {
		uint64_t stage1, stage2;
		bool present;
	} cases[] = {
		{ 0x0, 0, true }, { 0x0, 1, false }, { 0x0, 2, true },	{ 0x1, 0, true },
		{ 0x1, 3, true }, { 0xf, 0, false }, { 0xf, 2, false }, { 0xf, 1, false },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct id_registers id = {
			.id_aa64mmfr0_el1 = cases[i].stage1 << 28 | cases[i].stage2 << 40 |
					    cases[i].stage1 << 24 | cases[i].stage2 << 36,
		};

		EXPECT_EQUAL(features_decode(&id).granule_4k, cases[i].present);
		EXPECT_EQUAL(features_decode(&id).granule_64k, cases[i].present);
	}
	/* The field of 16 KiB has its own rule: 0 is absent. */
	for (uint64_t stage1 = 0; stage1 < 3; stage1++) {
		const struct id_registers id = { .id_aa64mmfr0_el1 = stage1 << 20 };

		EXPECT_EQUAL(features_decode(&id).granule_16k, stage1 != 0);
	}
}

TEST(features_of_later_cpus_include_those_of_earlier)
{
	const struct id_registers id = {
		.id_aa64isar0_el1 = UINT64_C(3) << 56,
		.id_aa64mmfr1_el1 = 0x4 | UINT64_C(2) << 28,
		.id_aa64mmfr2_el1 = UINT64_C(3) << 52 | UINT64_C(2) << 48,
	};
	const struct arch_features features = features_decode(&id);

	EXPECT_TRUE(features.tlb_range);
	EXPECT_TRUE(features.access_flag && features.dirty_state);
	EXPECT_TRUE(features.execute_never_el);
	EXPECT_EQUAL(features.bbm_level, 2);
	EXPECT_TRUE(features.ttl);
}

/* What a CPU's errata forbid it does not have, whatever its ID registers say. */
TEST(features_leave_out_dirty_state_that_is_broken)
{
	static const struct {
		uint64_t midr;
		bool dirty_state;
	} cpus[] = {
		{ 0x410fd050, false },			      /* Cortex-A55 r0p0, r2p0 */
		{ 0x412fd050, false }, { 0x410fd462, false }, /* Cortex-A510 r0p2, r1p0 */
		{ 0x411fd460, true },  { 0xc00fac30, false }, /* AmpereOne */
		{ 0xc00fac40, false }, { 0x410fd0b0, true },  /* Cortex-A76 */
		{ 0x510fd050, true },			      /* another implementer's */
	};

	for (size_t i = 0; i < COUNT_OF(cpus); i++) {
		const struct id_registers id = { .midr_el1 = cpus[i].midr, .id_aa64mmfr1_el1 = 2 };

		EXPECT_EQUAL(features_decode(&id).dirty_state, cpus[i].dirty_state);
		EXPECT_TRUE(features_decode(&id).access_flag);
	}
}

/* FEAT_TLBIOS alone (1) has no range forms. */
TEST(features_outer_shareable_tlbi_is_not_range)
{
	const struct id_registers id = { .id_aa64isar0_el1 = UINT64_C(1) << 56 };

	EXPECT_FALSE(features_decode(&id).tlb_range);
}

static uint64_t field(uint64_t value, unsigned int shift)
{
	return (value >> shift) & 0xf;
}

/* A guest never sees a feature whose registers trap, whatever the CPU has. */
TEST(id_registers_hide_what_traps)
{
	static const struct {
		struct id_register id;
		unsigned int shift;
		uint64_t expected;
	} cases[] = {
		{ { 4, 0 }, 8, 0 },  /* EL2 */
		{ { 4, 0 }, 12, 0 }, /* EL3 */
		{ { 4, 0 }, 24, 0 }, /* GIC */
		{ { 4, 0 }, 28, 0 }, /* RAS */
		{ { 4, 0 }, 32, 0 }, /* SVE */
		{ { 4, 0 }, 40, 0 }, /* MPAM */
		{ { 4, 0 }, 44, 0 }, /* AMU */
		{ { 4, 0 }, 56, 1 }, /* CSV2: no SCXTNUM */
		{ { 4, 0 }, 0, 1 },  /* EL0: no AArch32 */
		{ { 4, 0 }, 4, 1 },  /* EL1 */
		{ { 4, 1 }, 8, 0 },  /* MTE */
		{ { 4, 1 }, 24, 0 }, /* SME */
		{ { 4, 4 }, 0, 0 },  /* ID_AA64ZFR0_EL1 */
		{ { 5, 0 }, 0, 6 },  /* DebugVer */
		{ { 5, 0 }, 8, 0 },  /* PMU */
		{ { 5, 0 }, 32, 0 }, /* SPE */
		{ { 5, 0 }, 44, 0 }, /* trace buffer */
		{ { 6, 1 }, 4, 0 },  /* APA */
		{ { 6, 1 }, 8, 0 },  /* API */
		{ { 6, 1 }, 24, 0 }, /* GPA */
		{ { 6, 1 }, 28, 0 }, /* GPI */
		{ { 6, 1 }, 60, 0 }, /* LS64 */
		{ { 6, 2 }, 12, 0 }, /* APA3 */
		{ { 6, 2 }, 16, 0 }, /* MOPS */
		{ { 7, 0 }, 0, 5 },  /* PARange: 48 bits */
		{ { 7, 0 }, 20, 1 }, /* TGran16: no LPA2 */
		{ { 7, 0 }, 56, 0 }, /* FGT */
		{ { 7, 1 }, 4, 0 },  /* VMIDBits */
		{ { 7, 1 }, 8, 0 },  /* VH */
		{ { 7, 1 }, 16, 0 }, /* LORegions */
		{ { 7, 1 }, 40, 0 }, /* HCX */
		{ { 7, 2 }, 24, 0 }, /* NV */
		{ { 7, 3 }, 0, 0 },  /* ID_AA64MMFR3_EL1 */
		{ { 1, 0 }, 0, 0 },  /* AArch32 */
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		EXPECT_EQUAL(field(id_register_for_guest(cases[i].id, UINT64_MAX), cases[i].shift),
			     cases[i].expected);
}

/* What a guest may use it is told as the CPU has it. */
TEST(id_registers_show_the_rest)
{
	EXPECT_EQUAL(id_register_for_guest((struct id_register){ 6, 0 }, 0x0221100111212120),
		     0x0221100110212120); /* all of ISAR0 but TME */
	EXPECT_EQUAL(id_register_for_guest((struct id_register){ 7, 0 }, 0x1124), 0x1124);
	EXPECT_EQUAL(id_register_for_guest((struct id_register){ 7, 0 }, 0x10001126) >> 28, 0);
	EXPECT_EQUAL(id_register_for_guest((struct id_register){ 7, 0 }, 0xf0001122) >> 28, 0xf);
	EXPECT_EQUAL(id_register_for_guest((struct id_register){ 4, 0 }, 0x2222), 0x11);
}

/* A CPU may be used beside another one if it has all that is used of that one, and more if it likes. */
TEST(features_suffice_unless_one_is_less)
{
	const struct arch_features used = {
		.pa_bits = 44,
		.vmid_bits = 16,
		.granule_4k = true,
		.access_flag = true,
		.dirty_state = true,
		.execute_never_el = true,
		.bbm_level = 1,
		.ttl = true,
		.tlb_range = true,
	};
	struct arch_features less[9];
	struct arch_features more = used;

	more.pa_bits = 48;
	more.bbm_level = 2;
	more.granule_64k = true;
	EXPECT_TRUE(features_suffice(&used, &used));
	EXPECT_TRUE(features_suffice(&more, &used));
	for (size_t i = 0; i < COUNT_OF(less); i++)
		less[i] = used;
	less[0].pa_bits = 40;
	less[1].vmid_bits = 8;
	less[2].granule_4k = false;
	less[3].access_flag = false;
	less[4].dirty_state = false;
	less[5].execute_never_el = false;
	less[6].bbm_level = 0;
	less[7].ttl = false;
	less[8].tlb_range = false;
	for (size_t i = 0; i < COUNT_OF(less); i++)
		EXPECT_FALSE(features_suffice(&less[i], &used));
}

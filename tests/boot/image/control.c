/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EL2's control registers, told apart from what wrote them: values, masks and encodings here are read
 * from the Arm ARM (D19.2) once more. A mask leaves out what is RES0 or RES1, or what the CPU reports.
 *
 * They are read twice: by image_prepare, when nobody but start-up has written to them, and at the end
 * those that start-up changes once more. vcpu_host_init, in between, sets the traps for guests.
 */
#include "control.h"
#include <aarch64/registers.h>
#include <image.h>
#include <inttypes.h>
#include <log.h>
#include <stacks.h>

#define ALL UINT64_MAX
#define FIELD4(id, shift) (register_read(id) >> (shift)&0xf)

/* A register, or what is expected of it if the CPU does not have it: then it must not be read. */
#define READ_IF(present, register, expected) ((present) ? register_read(register) : (expected))

struct reading {
	const char *name;
	uint64_t value, mask, expected;
};

/* Of a feature that the CPU may not have, and all zero. */
#define ZERO_IF(present, register)                                                                 \
	{                                                                                          \
#register, READ_IF(present, register, 0), ALL, 0                                   \
	}

#define CNTHV_CTL_EL2 S3_4_C14_C3_1
#define HCRX_EL2 S3_4_C1_C2_2
#define HFGRTR_EL2 S3_4_C1_C1_4
#define HFGWTR_EL2 S3_4_C1_C1_5
#define HFGITR_EL2 S3_4_C1_C1_6
#define HDFGRTR_EL2 S3_4_C3_C1_4
#define HDFGWTR_EL2 S3_4_C3_C1_5
#define HAFGRTR_EL2 S3_4_C3_C1_6
#define HFGRTR2_EL2 S3_4_C3_C1_2
#define HFGWTR2_EL2 S3_4_C3_C1_3
#define HFGITR2_EL2 S3_4_C3_C1_7
#define HDFGRTR2_EL2 S3_4_C3_C1_0
#define HDFGWTR2_EL2 S3_4_C3_C1_1
#define ICC_SRE_EL2 S3_4_C12_C9_5
#define ICH_HCR_EL2 S3_4_C12_C11_0
#define MPAM2_EL2 S3_4_C10_C5_0
#define MPAMHCR_EL2 S3_4_C10_C4_0
#define MPAMIDR_EL1 S3_0_C10_C4_4
#define PMSCR_EL2 S3_4_C9_C9_0
#define PMBIDR_EL1 S3_0_C9_C10_7
#define TRFCR_EL2 S3_4_C1_C2_1
#define BRBCR_EL2 S2_4_C9_C0_0
#define GCSCR_EL2 S3_4_C2_C5_0
#define TCR2_EL2 S3_4_C2_C0_3
#define SCTLR2_EL2 S3_4_C1_C0_3
#define ID_AA64MMFR3_EL1 S3_0_C0_C7_3

static bool were_right; /* as start-up left them */

static bool are_right(const struct reading *readings, size_t count)
{
	bool right = true;

	for (size_t i = 0; i < count; i++) {
		if ((readings[i].value & readings[i].mask) != readings[i].expected) {
			log_error("%s is %#" PRIx64, readings[i].name, readings[i].value);
			right = false;
		}
	}
	return right;
}

/* HPMN: all counters are EL1's. */
static uint64_t expected_mdcr(void)
{
	const uint64_t version = FIELD4(id_aa64dfr0_el1, 8);

	return version == 0 || version == 0xf ? 0 : register_read(pmcr_el0) >> 11 & 0x1f;
}

static bool base_is_right(void)
{
	const struct reading readings[] = {
		/* EL1 is AArch64; not E2H, TGE, no trap */
		{ "HCR_EL2", register_read(hcr_el2), ALL, 0x80000000 },
		/* of TCPAC, TAM, TTA, TSM, TFP, TZ those two of features that nothing here uses */
		{ "CPTR_EL2", register_read(cptr_el2), 0xc0101500, 0x1100 },
		{ "HSTR_EL2", register_read(hstr_el2), ALL, 0 },
		{ "HACR_EL2", register_read(hacr_el2), ALL, 0 },
		{ "AMAIR_EL2", register_read(amair_el2), ALL, 0 },
		{ "MDCR_EL2", register_read(mdcr_el2), ALL, expected_mdcr() },
		{ "MDSCR_EL1", register_read(mdscr_el1), ALL, 0 },
		{ "CNTHCTL_EL2", register_read(cnthctl_el2), ALL, 3 },
		{ "CNTVOFF_EL2", register_read(cntvoff_el2), ALL, 0 },
		{ "CNTHP_CTL_EL2", register_read(cnthp_ctl_el2), 3, 0 },
		{ "VTCR_EL2", register_read(vtcr_el2), ALL, 0x80000000 },
		{ "VTTBR_EL2", register_read(vttbr_el2), ALL, 0 },
		{ "VPIDR_EL2", register_read(vpidr_el2), ALL, register_read(midr_el1) },
		{ "VMPIDR_EL2", register_read(vmpidr_el2), ALL, register_read(mpidr_el1) },
		{ "VBAR_EL2",
		  register_read(vbar_el2) - image_address(image_start) <
			  image_address(text_end) - image_address(image_start),
		  1, 1 },
	};

	return are_right(readings, sizeof(readings) / sizeof(readings[0]));
}

static bool features_are_right(void)
{
	const bool has_traps = FIELD4(id_aa64mmfr0_el1, 56) >= 1;
	const bool has_traps2 = FIELD4(id_aa64mmfr0_el1, 56) >= 2;
	const bool has_counters = has_traps && FIELD4(id_aa64pfr0_el1, 44);
	const bool has_gic = FIELD4(id_aa64pfr0_el1, 24);
	const bool has_mpam = FIELD4(id_aa64pfr0_el1, 40);
	const bool has_mpam_traps = has_mpam && register_read(MPAMIDR_EL1) >> 17 & 1;
	const bool has_profiling =
		FIELD4(id_aa64dfr0_el1, 32) && !(register_read(PMBIDR_EL1) >> 4 & 1);
	const bool has_sre = has_gic && register_read(ICC_SRE_EL2) & 1;
	const struct reading readings[] = {
		{ "CNTHV_CTL_EL2", READ_IF(FIELD4(id_aa64mmfr1_el1, 8), CNTHV_CTL_EL2, 0), 3, 0 },
		ZERO_IF(FIELD4(id_aa64mmfr1_el1, 40), HCRX_EL2),
		ZERO_IF(has_traps, HFGRTR_EL2),
		ZERO_IF(has_traps, HFGWTR_EL2),
		ZERO_IF(has_traps, HFGITR_EL2),
		ZERO_IF(has_traps, HDFGRTR_EL2),
		ZERO_IF(has_traps, HDFGWTR_EL2),
		ZERO_IF(has_counters, HAFGRTR_EL2),
		ZERO_IF(has_traps2, HFGRTR2_EL2),
		ZERO_IF(has_traps2, HFGWTR2_EL2),
		ZERO_IF(has_traps2, HFGITR2_EL2),
		ZERO_IF(has_traps2, HDFGRTR2_EL2),
		ZERO_IF(has_traps2, HDFGWTR2_EL2),
		{ "ICC_SRE_EL2", READ_IF(has_sre, ICC_SRE_EL2, 0xf), ALL, 0xf },
		ZERO_IF(has_sre, ICH_HCR_EL2),
		ZERO_IF(has_mpam, MPAM2_EL2),
		ZERO_IF(has_mpam_traps, MPAMHCR_EL2),
		ZERO_IF(has_profiling, PMSCR_EL2),
		ZERO_IF(FIELD4(id_aa64dfr0_el1, 40), TRFCR_EL2),
		ZERO_IF(FIELD4(id_aa64dfr0_el1, 52), BRBCR_EL2),
		ZERO_IF(FIELD4(id_aa64pfr1_el1, 44), GCSCR_EL2),
		ZERO_IF(FIELD4(ID_AA64MMFR3_EL1, 0), TCR2_EL2),
		ZERO_IF(FIELD4(ID_AA64MMFR3_EL1, 4), SCTLR2_EL2),
	};

	return are_right(readings, sizeof(readings) / sizeof(readings[0]));
}

void image_prepare(const struct boot_info *info)
{
	const bool base = base_is_right();

	(void)info;
	were_right = features_are_right() && base;
}

int control(const struct boot_info *info)
{
	const uint64_t stack_pointer = (uintptr_t)__builtin_frame_address(0);
	const struct reading readings[] = {
		/* M, C, SA, I, WXN; not A, EE */
		{ "SCTLR_EL2", register_read(sctlr_el2), 0x208100f, 0x8100d },
		/* not E2H, TGE; EL1 is AArch64 */
		{ "HCR_EL2", register_read(hcr_el2), UINT64_C(0x488000000), UINT64_C(0x80000000) },
		/* 48 bits, walks write-back inner shareable, 4 KiB */
		{ "TCR_EL2", register_read(tcr_el2), 0xff3f, 0x3510 },
		{ "MAIR_EL2", register_read(mair_el2), ALL, 0xbb4404ff },
		{ "TTBR0_EL2", register_read(ttbr0_el2), ALL, info->el2_space->root.value },
		{ "CPTR_EL2.TFP", register_read(cptr_el2), 0x400, 0 },
		{ "MDCR_EL2.TDE", register_read(mdcr_el2), 0x100, 0 },
		{ "SPSel", register_read(spsel), 1, 1 },
		{ "DAIF", register_read(daif), 0x3c0, 0x3c0 },
		{ "SP in the boot CPU's stack", stack_at(stack_pointer).end.value, ALL,
		  (uintptr_t)&cpu_stacks[1] },
	};
	const bool right =
		are_right(readings, sizeof(readings) / sizeof(readings[0])) && were_right;

	log_info("EL2's control registers are %s", right ? "right" : "wrong");
	return right ? 0 : 1;
}

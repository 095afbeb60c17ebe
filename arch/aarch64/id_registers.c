/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/id_registers.h>
#include <stddef.h>

/* Where fields start (Arm ARM D19.2); all of them are four bits wide. */
enum {
	PFR0_EL0 = 0,
	PFR0_EL1 = 4,
	PFR0_FP = 16,
	PFR0_AdvSIMD = 20,
	PFR0_DIT = 48,
	PFR0_CSV2 = 56,
	PFR0_CSV3 = 60,

	PFR1_BT = 0,
	PFR1_SSBS = 4,

	DFR0_DebugVer = 0,
	DFR0_BRPs = 12,
	DFR0_WRPs = 20,

	ISAR0_AES = 4,
	ISAR0_SHA1 = 8,
	ISAR0_SHA2 = 12,
	ISAR0_CRC32 = 16,
	ISAR0_Atomic = 20,
	ISAR0_RDM = 28,
	ISAR0_SHA3 = 32,
	ISAR0_SM3 = 36,
	ISAR0_SM4 = 40,
	ISAR0_DP = 44,
	ISAR0_FHM = 48,
	ISAR0_TS = 52,
	ISAR0_TLB = 56,
	ISAR0_RNDR = 60,

	ISAR1_DPB = 0,
	ISAR1_JSCVT = 12,
	ISAR1_FCMA = 16,
	ISAR1_LRCPC = 20,
	ISAR1_FRINTTS = 32,
	ISAR1_SB = 36,
	ISAR1_SPECRES = 40,
	ISAR1_BF16 = 44,
	ISAR1_DGH = 48,
	ISAR1_I8MM = 52,

	ISAR2_WFxT = 0,
	ISAR2_RPRES = 4,
	ISAR2_BC = 20,
	ISAR2_CLRBHB = 28,
	ISAR2_CSSC = 52,

	MMFR0_PARange = 0,
	MMFR0_ASIDBits = 4,
	MMFR0_BigEnd = 8,
	MMFR0_SNSMem = 12,
	MMFR0_BigEndEL0 = 16,
	MMFR0_TGran16 = 20,
	MMFR0_TGran64 = 24,
	MMFR0_TGran4 = 28,
	MMFR0_ExS = 44,

	MMFR1_HAFDBS = 0,
	MMFR1_HPDS = 12,
	MMFR1_PAN = 20,
	MMFR1_ETS = 36,
	MMFR1_AFP = 44,
	MMFR1_nTLBPA = 48,
	MMFR1_TIDCP1 = 52,
	MMFR1_ECBHB = 60,

	MMFR2_CnP = 0,
	MMFR2_UAO = 4,
	MMFR2_LSM = 8,
	MMFR2_VARange = 16,
	MMFR2_CCIDX = 20,
	MMFR2_ST = 28,
	MMFR2_AT = 32,
	MMFR2_IDS = 36,
	MMFR2_TTL = 48,
	MMFR2_BBM = 52,
	MMFR2_E0PD = 60,
};

#define FIELD_BITS UINT64_C(0xf)
#define KEEP(shift) (FIELD_BITS << (shift))
#define IS(shift, value) (UINT64_C(value) << (shift))

/* Not more than @most, for fields whose higher values are features that are kept from guests. */
struct limit {
	uint8_t shift;
	uint8_t most;
};

struct rule {
	struct id_register id;
	uint64_t kept;
	uint64_t fixed;		/* fields that say the same on every CPU */
	struct limit limits[2]; /* of kept fields; unused if most is 0 */
};

static const struct rule rules[] = {
	/* ID_AA64PFR0_EL1: both levels AArch64 only, no EL2 or EL3. CSV2 above 1 has SCXTNUM_ELx. */
	{ .id = { 4, 0 },
	  .kept = KEEP(PFR0_FP) | KEEP(PFR0_AdvSIMD) | KEEP(PFR0_DIT) | KEEP(PFR0_CSV2) |
		  KEEP(PFR0_CSV3),
	  .fixed = IS(PFR0_EL0, 1) | IS(PFR0_EL1, 1),
	  .limits = { { PFR0_CSV2, 1 } } },
	/* ID_AA64PFR1_EL1 */
	{ .id = { 4, 1 }, .kept = KEEP(PFR1_BT) | KEEP(PFR1_SSBS) },
	/* ID_AA64DFR0_EL1: Armv8.0 debug with the fewest breakpoints and watchpoints, two each. */
	{ .id = { 5, 0 }, .fixed = IS(DFR0_DebugVer, 6) | IS(DFR0_BRPs, 1) | IS(DFR0_WRPs, 1) },
	/* ID_AA64ISAR0_EL1 */
	{ .id = { 6, 0 },
	  .kept = KEEP(ISAR0_AES) | KEEP(ISAR0_SHA1) | KEEP(ISAR0_SHA2) | KEEP(ISAR0_CRC32) |
		  KEEP(ISAR0_Atomic) | KEEP(ISAR0_RDM) | KEEP(ISAR0_SHA3) | KEEP(ISAR0_SM3) |
		  KEEP(ISAR0_SM4) | KEEP(ISAR0_DP) | KEEP(ISAR0_FHM) | KEEP(ISAR0_TS) |
		  KEEP(ISAR0_TLB) | KEEP(ISAR0_RNDR) },
	/* ID_AA64ISAR1_EL1: no pointer authentication (APA, API, GPA, GPI), LS64 or XS. */
	{ .id = { 6, 1 },
	  .kept = KEEP(ISAR1_DPB) | KEEP(ISAR1_JSCVT) | KEEP(ISAR1_FCMA) | KEEP(ISAR1_LRCPC) |
		  KEEP(ISAR1_FRINTTS) | KEEP(ISAR1_SB) | KEEP(ISAR1_SPECRES) | KEEP(ISAR1_BF16) |
		  KEEP(ISAR1_DGH) | KEEP(ISAR1_I8MM) },
	/* ID_AA64ISAR2_EL1: no APA3, GPA3, MOPS. */
	{ .id = { 6, 2 },
	  .kept = KEEP(ISAR2_WFxT) | KEEP(ISAR2_RPRES) | KEEP(ISAR2_BC) | KEEP(ISAR2_CLRBHB) |
		  KEEP(ISAR2_CSSC) },
	/* ID_AA64MMFR0_EL1: 48-bit addresses (no LPA, LPA2), no ECV, FGT or Stage-2 granules. */
	{ .id = { 7, 0 },
	  .kept = KEEP(MMFR0_PARange) | KEEP(MMFR0_ASIDBits) | KEEP(MMFR0_BigEnd) |
		  KEEP(MMFR0_SNSMem) | KEEP(MMFR0_BigEndEL0) | KEEP(MMFR0_TGran16) |
		  KEEP(MMFR0_TGran64) | KEEP(MMFR0_TGran4) | KEEP(MMFR0_ExS),
	  .limits = { { MMFR0_PARange, 5 }, { MMFR0_TGran16, 1 } } },
	/* ID_AA64MMFR1_EL1: nothing of EL2 (VMIDBits, VH, XNX, HCX), no LO. HAFDBS 3 has TCR2_EL1. */
	{ .id = { 7, 1 },
	  .kept = KEEP(MMFR1_HAFDBS) | KEEP(MMFR1_HPDS) | KEEP(MMFR1_PAN) | KEEP(MMFR1_ETS) |
		  KEEP(MMFR1_AFP) | KEEP(MMFR1_nTLBPA) | KEEP(MMFR1_TIDCP1) | KEEP(MMFR1_ECBHB),
	  .limits = { { MMFR1_HAFDBS, 2 } } },
	/* ID_AA64MMFR2_EL1: nothing of EL2 (NV, FWB, EVT), no IESB. */
	{ .id = { 7, 2 },
	  .kept = KEEP(MMFR2_CnP) | KEEP(MMFR2_UAO) | KEEP(MMFR2_LSM) | KEEP(MMFR2_VARange) |
		  KEEP(MMFR2_CCIDX) | KEEP(MMFR2_ST) | KEEP(MMFR2_AT) | KEEP(MMFR2_IDS) |
		  KEEP(MMFR2_TTL) | KEEP(MMFR2_BBM) | KEEP(MMFR2_E0PD) },
};

#define TGRAN4_PRESENT UINT64_C(0)
#define TGRAN4_52_BITS UINT64_C(1)

static uint64_t limit_field(uint64_t value, struct limit limit)
{
	if (limit.most == 0 || ((value >> limit.shift) & FIELD_BITS) <= limit.most)
		return value;
	return (value & ~KEEP(limit.shift)) | (uint64_t)limit.most << limit.shift;
}

static uint64_t apply(const struct rule *rule, uint64_t value)
{
	value &= rule->kept;
	for (size_t i = 0; i < sizeof(rule->limits) / sizeof(rule->limits[0]); i++)
		value = limit_field(value, rule->limits[i]);
	/* TGran4 is signed, 15 is absent: no limit, but the one value that says 52 bits. */
	if (rule->id.crm == 7 && rule->id.op2 == 0 &&
	    ((value >> MMFR0_TGran4) & FIELD_BITS) == TGRAN4_52_BITS)
		value = (value & ~KEEP(MMFR0_TGran4)) | TGRAN4_PRESENT << MMFR0_TGran4;
	return value | rule->fixed;
}

uint64_t id_register_for_guest(struct id_register id, uint64_t value)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].id.crm == id.crm && rules[i].id.op2 == id.op2)
			return apply(&rules[i], value);
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/features.h>
#include <aarch64/registers.h>
#include <arch/address.h>
#include <stddef.h>

/* ID_AA64MMFR0_EL1.PARange; more than 48 bits with FEAT_LPA, FEAT_LPA2 or FEAT_D128. */
static const uint8_t pa_range_bits[] = { 32, 36, 40, 42, 44, 48, 52, 56 };

/* Support for a granule at Stage 2: TGran*_2 says it, or (0) refers to the Stage-1 field. */
#define STAGE2_GRANULE_ABSENT 1

static bool granule_present(bool stage1, uint64_t stage2)
{
	return stage1 && stage2 != STAGE2_GRANULE_ABSENT;
}

static uint8_t pa_bits(uint64_t pa_range)
{
	const size_t count = sizeof(pa_range_bits) / sizeof(pa_range_bits[0]);
	uint8_t bits = pa_range < count ? pa_range_bits[pa_range] : ADDRESS_BITS_MAX;

	return bits > ADDRESS_BITS_MAX ? ADDRESS_BITS_MAX : bits;
}

static uint8_t bbm_level(uint64_t bbm)
{
	return bbm > 2 ? 2 : (uint8_t)bbm;
}

#define CPU_MODEL(implementer, part) ((implementer) << 12 | (part))

/*
 * CPUs that may lose dirty state, or set it wrongly, where permissions change in place, as they do here:
 * Cortex-A55 erratum 1024718, in all revisions, and Cortex-A510 erratum 2051678, in r0. AmpereOne must not
 * be let to manage any flag at Stage 2 (AC03_CPU_38).
 */
static bool dirty_state_is_broken(uint64_t midr)
{
	switch (CPU_MODEL(FIELD_GET(MIDR_EL1_Implementer, midr),
			  FIELD_GET(MIDR_EL1_PartNum, midr))) {
	case CPU_MODEL(0x41, 0xd05): /* Cortex-A55 */
	case CPU_MODEL(0xc0, 0xac3): /* AmpereOne */
	case CPU_MODEL(0xc0, 0xac4):
		return true;
	case CPU_MODEL(0x41, 0xd46): /* Cortex-A510 */
		return FIELD_GET(MIDR_EL1_Variant, midr) == 0;
	default:
		return false;
	}
}

/*
 * The fields of ID registers are ordered, mostly: a higher value has everything a lower one has
 * (Arm ARM D19.1.3). TGran4 and TGran64 are signed (0 present, 15 absent), TGran16 is not (0
 * absent).
 */
struct arch_features features_decode(const struct id_registers *id)
{
	const uint64_t mmfr0 = id->id_aa64mmfr0_el1;
	const uint64_t mmfr1 = id->id_aa64mmfr1_el1;
	const uint64_t mmfr2 = id->id_aa64mmfr2_el1;
	const bool stage1_4k = FIELD_GET(ID_AA64MMFR0_EL1_TGran4, mmfr0) < 8;
	const bool stage1_16k = FIELD_GET(ID_AA64MMFR0_EL1_TGran16, mmfr0) != 0;
	const bool stage1_64k = FIELD_GET(ID_AA64MMFR0_EL1_TGran64, mmfr0) < 8;

	return (struct arch_features){
		.midr = id->midr_el1,
		.pa_bits = pa_bits(FIELD_GET(ID_AA64MMFR0_EL1_PARange, mmfr0)),
		.vmid_bits = FIELD_GET(ID_AA64MMFR1_EL1_VMIDBits, mmfr1) >= 2 ? 16 : 8,
		.granule_4k =
			granule_present(stage1_4k, FIELD_GET(ID_AA64MMFR0_EL1_TGran4_2, mmfr0)),
		.granule_16k =
			granule_present(stage1_16k, FIELD_GET(ID_AA64MMFR0_EL1_TGran16_2, mmfr0)),
		.granule_64k =
			granule_present(stage1_64k, FIELD_GET(ID_AA64MMFR0_EL1_TGran64_2, mmfr0)),
		.access_flag = FIELD_GET(ID_AA64MMFR1_EL1_HAFDBS, mmfr1) >= 1,
		.dirty_state = FIELD_GET(ID_AA64MMFR1_EL1_HAFDBS, mmfr1) >= 2 &&
			       !dirty_state_is_broken(id->midr_el1),
		.vhe = FIELD_GET(ID_AA64MMFR1_EL1_VH, mmfr1) >= 1,
		.execute_never_el = FIELD_GET(ID_AA64MMFR1_EL1_XNX, mmfr1) >= 1,
		.bbm_level = bbm_level(FIELD_GET(ID_AA64MMFR2_EL1_BBM, mmfr2)),
		.ttl = FIELD_GET(ID_AA64MMFR2_EL1_TTL, mmfr2) >= 1,
		.tlb_range = FIELD_GET(ID_AA64ISAR0_EL1_TLB, id->id_aa64isar0_el1) >= 2,
		.large_address = FIELD_GET(ID_AA64MMFR0_EL1_PARange, mmfr0) >= 6 ||
				 FIELD_GET(ID_AA64MMFR0_EL1_TGran4, mmfr0) == 1,
	};
}

bool features_suffice(const struct arch_features *features, const struct arch_features *used)
{
	return features->pa_bits >= used->pa_bits && features->vmid_bits >= used->vmid_bits &&
	       features->granule_4k >= used->granule_4k &&
	       features->access_flag >= used->access_flag &&
	       features->dirty_state >= used->dirty_state &&
	       features->execute_never_el >= used->execute_never_el &&
	       features->bbm_level >= used->bbm_level && features->ttl >= used->ttl &&
	       features->tlb_range >= used->tlb_range;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this CPU can do, read from its ID registers once (Arm ARM D19.2, "ID_AA64MMFRn_EL1").
 *
 * Nothing in the subsystem assumes a feature: sizes and forms are chosen from this structure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct arch_features {
	uint64_t midr;	       /* MIDR_EL1 as read */
	uint8_t pa_bits;       /* ID_AA64MMFR0_EL1.PARange in bits, at most ADDRESS_BITS_MAX */
	uint8_t vmid_bits;     /* ID_AA64MMFR1_EL1.VMIDBits: 8 or 16 */
	bool granule_4k;       /* ID_AA64MMFR0_EL1.TGran4 and TGran4_2 */
	bool granule_16k;      /* TGran16, TGran16_2 */
	bool granule_64k;      /* TGran64, TGran64_2 */
	bool access_flag;      /* FEAT_HAFDBS: hardware sets the Access flag */
	bool dirty_state;      /* FEAT_HAFDBS: hardware manages dirty state as well */
	bool vhe;	       /* FEAT_VHE */
	bool execute_never_el; /* FEAT_XNX: Stage 2 execute permission by Exception level */
	uint8_t bbm_level;     /* FEAT_BBM: 0, 1 or 2 */
	bool ttl;	       /* FEAT_TTL: TLBI takes a level hint */
	bool tlb_range;	       /* FEAT_TLBIRANGE */
	bool large_address;    /* FEAT_LPA2 or FEAT_LPA seen (not used: 48 bits at most) */
};

/* Never NULL; constant after start-up. */
const struct arch_features *arch_features(void);

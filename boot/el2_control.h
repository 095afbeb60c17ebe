/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The translation regime of EL2, as its control registers say it (Arm ARM D19.2, "SCTLR_EL2",
 * "TCR_EL2", "MAIR_EL2"): 4 KiB granule, 48-bit input addresses, one table for all. For C and
 * assembly.
 */
#pragma once

/* Fields that are 1 where the feature that gave them a meaning is absent, and start-up wants them 1. */
#define SCTLR_EL2_ONES 0x30c50830
#define SCTLR_EL2_M (1 << 0)	/* Stage 1 on */
#define SCTLR_EL2_C (1 << 2)	/* data cacheable */
#define SCTLR_EL2_SA (1 << 3)	/* SP must be aligned to 16 bytes */
#define SCTLR_EL2_I (1 << 12)	/* instructions cacheable */
#define SCTLR_EL2_WXN (1 << 19) /* writable is never executable */

#define SCTLR_EL2_OFF SCTLR_EL2_ONES
#define SCTLR_EL2_ON (SCTLR_EL2_ONES | SCTLR_EL2_M | SCTLR_EL2_C | SCTLR_EL2_SA | SCTLR_EL2_I)

/* Attribute indices, from 0: Normal write-back, Device-nGnRE, Normal uncached, Normal write-through. */
#define MAIR_EL2_VALUE 0xbb4404ff
#define MAIR_INDEX_WRITEBACK 0
#define MAIR_INDEX_DEVICE 1

#define EL2_IA_BITS 48

/*
 * T0SZ; walks are Normal write-back (IRGN0, ORGN0) Inner Shareable (SH0), 4 KiB granule (TG0 = 0);
 * bits 31 and 23 are RES1. PS (bits 18 to 16) is added from ID_AA64MMFR0_EL1.
 */
#define TCR_EL2_VALUE                                                                              \
	((1 << 31) | (1 << 23) | (3 << 12) | (1 << 10) | (1 << 8) | (64 - EL2_IA_BITS))
#define TCR_EL2_PS_SHIFT 16
#define TCR_EL2_PS_48_BITS 5

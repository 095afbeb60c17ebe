/* SPDX-License-Identifier: BSD-3-Clause */
/* The bits of the registers that decide what of EL1 comes to EL2 (Arm ARM D19.2), for the world
 * switch. HCR_EL2.E2H is 0. */
#pragma once

#include <aarch64/field.h>

/* HCR_EL2 */
#define HCR_EL2_VM (UINT64_C(1) << 0)
#define HCR_EL2_SWIO (UINT64_C(1) << 1)
#define HCR_EL2_FMO (UINT64_C(1) << 3)
#define HCR_EL2_IMO (UINT64_C(1) << 4)
#define HCR_EL2_AMO (UINT64_C(1) << 5)
#define HCR_EL2_FB (UINT64_C(1) << 9)
#define HCR_EL2_BSU_INNER_SHAREABLE (UINT64_C(1) << 10)
#define HCR_EL2_DC (UINT64_C(1) << 12)
#define HCR_EL2_TWI (UINT64_C(1) << 13)
#define HCR_EL2_TWE (UINT64_C(1) << 14)
#define HCR_EL2_TID1 (UINT64_C(1) << 16)
#define HCR_EL2_TID3 (UINT64_C(1) << 18)
#define HCR_EL2_TSC (UINT64_C(1) << 19)
#define HCR_EL2_TIDCP (UINT64_C(1) << 20)
#define HCR_EL2_TACR (UINT64_C(1) << 21)
#define HCR_EL2_TSW (UINT64_C(1) << 22)
#define HCR_EL2_TVM (UINT64_C(1) << 26)
#define HCR_EL2_RW (UINT64_C(1) << 31)
#define HCR_EL2_TLOR (UINT64_C(1) << 35)
#define HCR_EL2_TERR (UINT64_C(1) << 36)
#define HCR_EL2_TEA (UINT64_C(1) << 37)

/* CPTR_EL2 */
#define CPTR_EL2_RES1 UINT64_C(0x22ff)
#define CPTR_EL2_TZ (UINT64_C(1) << 8)
#define CPTR_EL2_TSM (UINT64_C(1) << 12)
#define CPTR_EL2_TTA (UINT64_C(1) << 20)
#define CPTR_EL2_TAM (UINT64_C(1) << 30)

/* MDCR_EL2 */
#define MDCR_EL2_HPMN_SHIFT 0
#define MDCR_EL2_HPMN_WIDTH 5
#define MDCR_EL2_TPMCR (UINT64_C(1) << 5)
#define MDCR_EL2_TPM (UINT64_C(1) << 6)
#define MDCR_EL2_HPME (UINT64_C(1) << 7)
#define MDCR_EL2_TDA (UINT64_C(1) << 9)
#define MDCR_EL2_TDOSA (UINT64_C(1) << 10)
#define MDCR_EL2_TDRA (UINT64_C(1) << 11)
#define MDCR_EL2_TPMS (UINT64_C(1) << 14)
#define MDCR_EL2_TTRF (UINT64_C(1) << 19)

/* CNTHCTL_EL2 */
#define CNTHCTL_EL2_EL1PCTEN (UINT64_C(1) << 0)

/* MPAM2_EL2 */
#define MPAM2_EL2_TRAPMPAM1EL1 (UINT64_C(1) << 48)
#define MPAM2_EL2_TRAPMPAM0EL1 (UINT64_C(1) << 49)

/* The GIC's registers (Arm IHI 0069, 12.2, 12.4). */
#define ICC_SRE_EL2_SRE (UINT64_C(1) << 0)
#define ICC_SRE_EL2_DFB (UINT64_C(1) << 1)
#define ICC_SRE_EL2_DIB (UINT64_C(1) << 2)
#define ICH_HCR_EL2_TC (UINT64_C(1) << 10)
#define ICH_HCR_EL2_TALL0 (UINT64_C(1) << 11)
#define ICH_HCR_EL2_TALL1 (UINT64_C(1) << 12)

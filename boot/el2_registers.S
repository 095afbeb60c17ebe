/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every control register that decides what EL2 does or traps, written in full: their reset values
 * are UNKNOWN, and a loader may have left anything (Arm ARM D19.2). A register of an optional
 * feature is written only where the ID registers say that it exists.
 *
 * Traps of EL1 are written again, for guests, by vcpu_host_init; this state lets nothing through to
 * EL2 and traps nothing that EL2 itself uses.
 *
 * Written elsewhere: VBAR_EL2, SP_EL2 and TPIDR_EL2 by start.S; MAIR_EL2, TCR_EL2 and TTBR0_EL2 by
 * mmu.S, before Stage 1 is on; the ICC_* registers by gic_v3.c.
 *
 * Not written, because
 *
 * - its bits are IMPLEMENTATION DEFINED, a zero may break the CPU, and firmware has set it for it:
 *	ACTLR_EL2. What it could open to a guest traps by HCR_EL2.TIDCP and TACR all the same;
 * - it has no effect while the control above it is 0: TTBR1_EL2 and CONTEXTIDR_EL2 (HCR_EL2.E2H),
 *	VNCR_EL2 (NV2), VSESR_EL2 and VDISR_EL2 (VSE, AMO), CNTPOFF_EL2 (CNTHCTL_EL2.ECV), the timers'
 *	CVAL (ENABLE), ICH_VMCR_EL2, ICH_APxRn_EL2 and ICH_LRn_EL2 (ICH_HCR_EL2.En), PIR_EL2,
 *	PIRE0_EL2, POR_EL2 and the MECIDs (TCR2_EL2, SCTLR2_EL2), GCSPR_EL2 (GCSCR_EL2), the keys
 *	of pointer authentication and TFSR_EL2 (SCTLR_EL2), breakpoints and watchpoints (MDSCR_EL1),
 *	the buffers of profiling and trace (PMSCR_EL2, TRFCR_EL2);
 * - it is of SVE or SME, which trap at EL2 too (CPTR_EL2.TZ, TSM): ZCR_EL2, SMCR_EL2, SMPRIMAP_EL2;
 * - it is Secure or AArch32 state, of which EL2 has none: CNTHVS_*, CNTHPS_*, VSTCR_EL2, VSTTBR_EL2,
 *	SDER32_EL2, DBGVCR32_EL2, DACR32_EL2, IFSR32_EL2, FPEXC32_EL2;
 * - it says what happened or holds a number for software: ESR_EL2, FAR_EL2, HPFAR_EL2, AFSRn_EL2,
 *	ELR_EL2, SPSR_EL2, SCXTNUM_EL2.
 */
#include <aarch64/assembler.h>
#include <aarch64/registers.h>
#include "address_macros.h"
#include "el2_control.h"

/* Names by encoding of what registers.h does not need. */
#define ID_AA64MMFR3_EL1 S3_0_C0_C7_3
#define PMSCR_EL2 S3_4_C9_C9_0
#define TRFCR_EL2 S3_4_C1_C2_1
#define TCR2_EL2 S3_4_C2_C0_3
#define SCTLR2_EL2 S3_4_C1_C0_3
#define GCSCR_EL2 S3_4_C2_C5_0
#define PMBIDR_EL1 S3_0_C9_C10_7
#define BRBCR_EL2 S2_4_C9_C0_0
#define MPAMHCR_EL2 S3_4_C10_C4_0
#define MPAMIDR_EL1 S3_0_C10_C4_4
#define CNTHV_CTL_EL2 S3_4_C14_C3_1

#define PMBIDR_EL1_P 4 /* the buffer is EL3's, and so is PMSCR_EL2 */
#define MPAMIDR_EL1_HAS_HCR 17

#define HCR_EL2_RW (1 << 31)
#define HCR_EL2_E2H 34
/* RES1 bits, and SVE trapped; floating point (TFP) is not. */
#define CPTR_EL2_VALUE 0x33ff
#define CNTHCTL_EL2_VALUE 3 /* EL1 may read the physical counter and timer */
#define VTCR_EL2_VALUE (1 << 31) /* RES1 */
#define ICC_SRE_EL2_VALUE 0xf /* Enable, DIB, DFB, SRE */

/* Jumps to @skip if the 4-bit field of @id at @shift says that a feature is absent. Uses x0. */
.macro	unless_feature id, shift, skip
	mrs	x0, \id
	ubfx	x0, x0, #\shift, #4
	cbz	x0, \skip
.endm

/* Uses x0 to x3. Returns with Stage 1 off. */
FUNCTION el2_registers_init
	mov_q	x0, SCTLR_EL2_OFF
	msr	sctlr_el2, x0
	isb
	/* E2H first: it changes what the other registers mean. */
	mov_q	x0, HCR_EL2_RW
	msr	hcr_el2, x0
	isb
	mrs	x0, hcr_el2
	tbnz	x0, #HCR_EL2_E2H, .Le2h_only
	msr	spsel, #1

	mov	x0, #CPTR_EL2_VALUE
	msr	cptr_el2, x0
	isb
	msr	hstr_el2, xzr
	msr	hacr_el2, xzr
	msr	amair_el2, xzr

	/* Debug and profiling: nothing comes to EL2, every event counter is EL1's. */
	mrs	x0, id_aa64dfr0_el1
	ubfx	x1, x0, #8, #4		// PMUVer
	add	x2, x1, #1
	and	x2, x2, #0xf		// 0xf: not the architecture's PMU
	mov	x3, xzr
	cmp	x2, #1
	b.ls	1f
	mrs	x3, pmcr_el0
	ubfx	x3, x3, #11, #5		// N
1:	msr	mdcr_el2, x3		// HPMN = N
	msr	mdscr_el1, xzr
	unless_feature id_aa64dfr0_el1, 32, 2f	// PMSVer: FEAT_SPE
	mrs	x0, PMBIDR_EL1
	tbnz	x0, #PMBIDR_EL1_P, 2f
	msr	PMSCR_EL2, xzr
2:	unless_feature id_aa64dfr0_el1, 40, 3f	// TraceFilt: FEAT_TRF
	msr	TRFCR_EL2, xzr
3:	unless_feature id_aa64dfr0_el1, 52, 4f	// BRBE
	msr	BRBCR_EL2, xzr
4:	mov	x0, #CNTHCTL_EL2_VALUE
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	msr	cnthp_ctl_el2, xzr
	unless_feature id_aa64mmfr1_el1, 8, 5f	// VH: FEAT_VHE
	msr	CNTHV_CTL_EL2, xzr
5:
	/* No Stage 2, and EL1 sees the CPU as it is. */
	mov_q	x0, VTCR_EL2_VALUE
	msr	vtcr_el2, x0
	msr	vttbr_el2, xzr
	mrs	x0, midr_el1
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0

	/* System registers of a GICv3, if there is one and EL3 lets us use them. */
	unless_feature id_aa64pfr0_el1, 24, 6f	// GIC
	mov	x0, #ICC_SRE_EL2_VALUE
	msr	REGISTER_ICC_SRE_EL2, x0
	isb
	mrs	x0, REGISTER_ICC_SRE_EL2
	tbz	x0, #0, 6f
	msr	REGISTER_ICH_HCR_EL2, xzr
6:	unless_feature id_aa64mmfr1_el1, 40, 7f	// HCX: FEAT_HCX
	msr	REGISTER_HCRX_EL2, xzr
7:	unless_feature id_aa64mmfr0_el1, 56, 9f	// FGT: FEAT_FGT
	msr	REGISTER_HFGRTR_EL2, xzr
	msr	REGISTER_HFGWTR_EL2, xzr
	msr	REGISTER_HFGITR_EL2, xzr
	msr	REGISTER_HDFGRTR_EL2, xzr
	msr	REGISTER_HDFGWTR_EL2, xzr
	cmp	x0, #2			// FEAT_FGT2
	b.lo	8f
	msr	REGISTER_HFGRTR2_EL2, xzr
	msr	REGISTER_HFGWTR2_EL2, xzr
	msr	REGISTER_HFGITR2_EL2, xzr
	msr	REGISTER_HDFGRTR2_EL2, xzr
	msr	REGISTER_HDFGWTR2_EL2, xzr
8:	unless_feature id_aa64pfr0_el1, 44, 9f	// AMU: FEAT_AMUv1
	msr	REGISTER_HAFGRTR_EL2, xzr
9:	unless_feature id_aa64pfr0_el1, 40, 10f	// MPAM
	msr	REGISTER_MPAM2_EL2, xzr
	mrs	x0, MPAMIDR_EL1
	tbz	x0, #MPAMIDR_EL1_HAS_HCR, 10f
	msr	MPAMHCR_EL2, xzr
10:	unless_feature id_aa64pfr1_el1, 44, 11f	// GCS: FEAT_GCS
	msr	GCSCR_EL2, xzr
11:	unless_feature ID_AA64MMFR3_EL1, 0, 12f	// TCRX: FEAT_TCR2
	msr	TCR2_EL2, xzr
12:	unless_feature ID_AA64MMFR3_EL1, 4, 13f	// SCTLRX: FEAT_SCTLR2
	msr	SCTLR2_EL2, xzr
13:	isb
#if STRATA_LSE
	unless_feature id_aa64isar0_el1, 20, .Lno_lse	// Atomic: FEAT_LSE
#endif
	ret

#if STRATA_LSE
.Lno_lse:
	adr_l	x0, message_lse
	b	early_refuse
#endif

.Le2h_only:
	adr_l	x0, message_e2h
	b	early_refuse
END_FUNCTION el2_registers_init

	.section .rodata.start, "a"
message_e2h:
	.asciz	"\nstrata: this CPU has no EL2 without HCR_EL2.E2H; halted.\n"
#if STRATA_LSE
message_lse:
	.asciz	"\nstrata: this image was built with -Dlse=true, and this CPU has no FEAT_LSE; halted.\n"
#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A loader that leaves EL2 in the worst state that the boot protocol permits: every control register
 * full of ones but for SCTLR_EL2.M and GCSCR_EL2 (with its bits even BL may fault), and SP_EL0
 * selected. It is flat code that every CPU runs at EL3,
 * wherever it lies; the test appends doublewords: x0 and pc for the image; the Aff0 of the
 * only CPU that goes on, or all ones for all of them; the function by which the others turn themselves off,
 * called by HVC, or 0; where there is a spin table, or 0. Where there is
 * one, a CPU with another Aff0 than 0 goes on to what is in its doubleword there, once that is not 0. The
 * last two: the Aff0 of the one that is late, or all ones for all of them, and by how many counts, or 0. It
 * leaves all ones in its doubleword when it goes on at last.
 */
#include <aarch64/registers.h>

/* NS, HCE, RW: EL2 and EL1 are Non-secure and AArch64. Bits 4 and 5 are RES1. */
#define SCR_EL3_BASE 0x531
/* What the protocol asks of EL3 for newer features, where they exist: EL2 may use APK and API, ATA,
 * FGTEn, ECVEn, HXEn, GCSEn, TCR2En, SCTLR2En, PIEn, FGTEn2. */
#define SCR_EL3_FEATURES (0x3 << 16 | 0x7 << 26 | 0x3 << 38 | 0x7 << 43 | 0x1 << 59)
/* The buffers of profiling and trace are Non-secure, and branches are recorded: NSPB, NSTB, SBRBE. */
#define MDCR_EL3_VALUE (0x3 << 12 | 0x3 << 24 | 0x3 << 32)
#define ICC_SRE_EL3_VALUE 0xf /* Enable, DIB, DFB, SRE */
#define SPSR_EL3_VALUE 0x3c8 /* EL2t, everything masked */

/* Names by encoding of what registers.h does not have. */
#define ICC_SRE_EL3 S3_6_C12_C12_5
#define MPAM3_EL3 S3_6_C10_C5_0
#define MPAMHCR_EL2 S3_4_C10_C4_0
#define MPAMIDR_EL1 S3_0_C10_C4_4
#define MPAMIDR_EL1_HAS_HCR 17
#define ID_AA64MMFR3_EL1 S3_0_C0_C7_3
#define CNTHV_CTL_EL2 S3_4_C14_C3_1
#define CNTHV_CVAL_EL2 S3_4_C14_C3_2
#define PMSCR_EL2 S3_4_C9_C9_0
#define TRFCR_EL2 S3_4_C1_C2_1
#define BRBCR_EL2 S2_4_C9_C0_0
#define TCR2_EL2 S3_4_C2_C0_3
#define SCTLR2_EL2 S3_4_C1_C0_3

/* Jumps to @skip if the 4-bit field of @id at @shift is below @least. Uses x1. */
.macro	unless_at_least least, id, shift, skip
	mrs	x1, \id
	ubfx	x1, x1, #\shift, #4
	cmp	x1, #\least
	b.lo	\skip
.endm

	.text
	.globl	entry
entry:
	ldr	x0, chosen
	mrs	x1, mpidr_el1
	and	x1, x1, #0xff
	cmn	x0, #1
	ccmp	x0, x1, #4, ne		// "equal" for all ones
	b.eq	1f
	ldr	x0, off
	cbz	x0, .
	hvc	#0
	b	.

1:
	ldr	x0, scr
	msr	scr_el3, x0
	msr	cptr_el3, xzr
	ldr	x0, mdcr
	msr	mdcr_el3, x0
	isb

	mov	x0, #-1
	msr	hcr_el2, x0
	isb
	bic	x1, x0, #1
	msr	sctlr_el2, x1
	msr	cptr_el2, x0
	msr	mdcr_el2, x0
	msr	hstr_el2, x0
	msr	hacr_el2, x0
	msr	amair_el2, x0
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, x0
	msr	cnthp_cval_el2, xzr
	msr	cnthp_ctl_el2, x0
	msr	tcr_el2, x0
	msr	ttbr0_el2, x0
	msr	mair_el2, x0
	msr	vtcr_el2, x0
	msr	vttbr_el2, x0
	msr	vpidr_el2, x0
	msr	vmpidr_el2, x0
	msr	vbar_el2, x0
	msr	tpidr_el2, x0
	msr	mdscr_el1, x0
	msr	sp_el2, x0
	msr	sp_el0, x0

	unless_at_least 1, id_aa64mmfr1_el1, 8, 1f	// VH
	msr	CNTHV_CVAL_EL2, xzr
	msr	CNTHV_CTL_EL2, x0
1:	unless_at_least 1, id_aa64mmfr1_el1, 40, 2f	// HCX
	msr	REGISTER_HCRX_EL2, x0
2:	unless_at_least 1, id_aa64mmfr0_el1, 56, 4f	// FGT
	msr	REGISTER_HFGRTR_EL2, x0
	msr	REGISTER_HFGWTR_EL2, x0
	msr	REGISTER_HFGITR_EL2, x0
	msr	REGISTER_HDFGRTR_EL2, x0
	msr	REGISTER_HDFGWTR_EL2, x0
	unless_at_least 1, id_aa64pfr0_el1, 44, 3f	// AMU
	msr	REGISTER_HAFGRTR_EL2, x0
3:	unless_at_least 2, id_aa64mmfr0_el1, 56, 4f	// FGT
	msr	REGISTER_HFGRTR2_EL2, x0
	msr	REGISTER_HFGWTR2_EL2, x0
	msr	REGISTER_HFGITR2_EL2, x0
	msr	REGISTER_HDFGRTR2_EL2, x0
	msr	REGISTER_HDFGWTR2_EL2, x0
4:	unless_at_least 1, id_aa64pfr0_el1, 24, 5f	// GIC
	mov	x1, #ICC_SRE_EL3_VALUE
	msr	ICC_SRE_EL3, x1
	isb
	msr	REGISTER_ICC_SRE_EL2, x0
	isb
	msr	REGISTER_ICH_HCR_EL2, x0
5:	unless_at_least 1, id_aa64pfr0_el1, 40, 6f	// MPAM
	msr	MPAM3_EL3, xzr
	msr	REGISTER_MPAM2_EL2, x0
	mrs	x1, MPAMIDR_EL1
	tbz	x1, #MPAMIDR_EL1_HAS_HCR, 6f
	msr	MPAMHCR_EL2, x0
6:	unless_at_least 1, id_aa64dfr0_el1, 32, 7f	// PMSVer
	msr	PMSCR_EL2, x0
7:	unless_at_least 1, id_aa64dfr0_el1, 40, 8f	// TraceFilt
	msr	TRFCR_EL2, x0
8:	unless_at_least 1, id_aa64dfr0_el1, 52, 9f	// BRBE
	msr	BRBCR_EL2, x0
9:	unless_at_least 1, ID_AA64MMFR3_EL1, 0, 10f	// TCRX
	msr	TCR2_EL2, x0
10:	unless_at_least 1, ID_AA64MMFR3_EL1, 4, 11f	// SCTLRX
	msr	SCTLR2_EL2, x0
11:
	mov	x0, #SPSR_EL3_VALUE
	msr	spsr_el3, x0
	ldr	x0, start
	ldr	x1, table
	mrs	x2, mpidr_el1
	and	x2, x2, #0xff
	cbz	x1, 13f
	cbz	x2, 13f
12:	wfe
	ldr	x0, [x1, x2, lsl #3]
	cbz	x0, 12b
	ldr	x3, late
	cmn	x3, #1
	ccmp	x3, x2, #4, ne		// "equal" for all ones
	b.ne	13f
	ldr	x3, delay
	cbz	x3, 13f
	mrs	x4, cntpct_el0
	add	x3, x3, x4
1:	mrs	x4, cntpct_el0
	cmp	x4, x3
	b.lo	1b
	mov	x4, #-1
	str	x4, [x1, x2, lsl #3]
13:	msr	elr_el3, x0
	ldr	x0, argument
	eret

	.balign	8
scr:
	.quad	SCR_EL3_BASE | SCR_EL3_FEATURES
mdcr:
	.quad	MDCR_EL3_VALUE
argument:
start = . + 8
chosen = . + 16
off = . + 24
table = . + 32
late = . + 40
delay = . + 48

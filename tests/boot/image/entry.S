/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A loader that leaves EL2 in the worst state that the boot protocol permits: every control register
 * full of ones but for SCTLR_EL2.M, and SP_EL0 selected. It is flat code that every CPU runs at EL3,
 * wherever it lies; the test appends three doublewords: x0 and pc for the image, and the Aff0 of the
 * only CPU that goes on, or all ones for all of them.
 */

/* NS, HCE, RW: EL2 and EL1 are Non-secure and AArch64. Bits 4 and 5 are RES1. */
#define SCR_EL3_BASE 0x531
/* What the protocol asks of EL3 for newer features, where they exist: EL2 may use APK and API, ATA,
 * FGTEn, ECVEn, HXEn, GCSEn, TCR2En, SCTLR2En, PIEn. */
#define SCR_EL3_FEATURES (0x3 << 16 | 0x7 << 26 | 0x3 << 38 | 0x7 << 43)
#define SPSR_EL3_VALUE 0x3c8 /* EL2t, everything masked */

	.text
	.globl	entry
entry:
	ldr	x0, chosen
	mrs	x1, mpidr_el1
	and	x1, x1, #0xff
	cmn	x0, #1
	ccmp	x0, x1, #4, ne		// "equal" for all ones
	b.ne	.

	ldr	x0, scr
	msr	scr_el3, x0
	msr	cptr_el3, xzr
	msr	mdcr_el3, xzr
	isb

	mov	x0, #-1
	msr	hcr_el2, x0
	isb
	bic	x1, x0, #1
	msr	sctlr_el2, x1
	msr	cptr_el2, x0
	msr	mdcr_el2, x0
	msr	hstr_el2, x0
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

	mov	x0, #SPSR_EL3_VALUE
	msr	spsr_el3, x0
	ldr	x0, start
	msr	elr_el3, x0
	ldr	x0, argument
	eret

	.balign	8
scr:
	.quad	SCR_EL3_BASE | SCR_EL3_FEATURES
argument:
start = . + 8
chosen = . + 16

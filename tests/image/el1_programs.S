/* SPDX-License-Identifier: BSD-3-Clause */
/* What runs at EL1. Each program ends in a hypercall, and goes on from its start if it is run on. */

.macro PROGRAM name
	.balign	8
	.global	\name
\name:
.endm

.macro END_PROGRAM name
	.global	\name\()_end
\name\()_end:
.endm

	.arch	armv8-a+simd
	.section .rodata.el1_programs, "a", %progbits

PROGRAM el1_vectors
	.irp	vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.balign	128
	hvc	#0x100 + \vector
	.endr
END_PROGRAM el1_vectors

/* Adds 1 to x0, 2 to x1 and so on. */
PROGRAM el1_add_one
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	add	x\n, x\n, #\n + 1
	.endr
	hvc	#0
	b	el1_add_one
END_PROGRAM el1_add_one

PROGRAM el1_invert_vectors
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	mvn	v\n\().16b, v\n\().16b
	.endr
	mrs	x0, fpcr
	mrs	x1, fpsr
	mov	x2, #3 << 22			/* round to zero */
	msr	fpcr, x2
	mov	x3, #0x1f			/* all exceptions seen */
	msr	fpsr, x3
	hvc	#0
END_PROGRAM el1_invert_vectors

PROGRAM el1_show_registers
	mrs	x0, cpacr_el1
	mrs	x1, ttbr0_el1
	mrs	x2, ttbr1_el1
	mrs	x3, tcr_el1
	mrs	x4, mair_el1
	mrs	x5, vbar_el1
	mrs	x6, esr_el1
	mrs	x7, far_el1
	mrs	x8, par_el1
	mrs	x9, elr_el1
	mrs	x10, spsr_el1
	mrs	x11, sp_el0
	mov	x12, sp
	mrs	x13, tpidr_el0
	mrs	x14, tpidrro_el0
	mrs	x15, tpidr_el1
	mrs	x16, contextidr_el1
	mrs	x17, csselr_el1
	mrs	x18, cntkctl_el1
	mrs	x19, cntv_cval_el0
	mrs	x20, mpidr_el1
	mrs	x21, midr_el1
	mrs	x22, sctlr_el1
	mrs	x23, CurrentEL
	mrs	x24, cntv_ctl_el0
	hvc	#0
END_PROGRAM el1_show_registers

/* The same registers, written from where el1_show_registers puts them. */
PROGRAM el1_write_registers
	msr	cpacr_el1, x0
	msr	ttbr0_el1, x1
	msr	ttbr1_el1, x2
	msr	tcr_el1, x3
	msr	mair_el1, x4
	msr	vbar_el1, x5
	msr	esr_el1, x6
	msr	far_el1, x7
	msr	par_el1, x8
	msr	elr_el1, x9
	msr	spsr_el1, x10
	msr	sp_el0, x11
	mov	sp, x12
	msr	tpidr_el0, x13
	msr	tpidrro_el0, x14
	msr	tpidr_el1, x15
	msr	contextidr_el1, x16
	msr	csselr_el1, x17
	msr	cntkctl_el1, x18
	msr	cntv_cval_el0, x19
	hvc	#0
END_PROGRAM el1_write_registers

/* x0 = the virtual count */
PROGRAM el1_count
	isb
	mrs	x0, cntvct_el0
	hvc	#0
END_PROGRAM el1_count

/* T32, for EL0: WFI, then SVC #0. */
PROGRAM el1_thumb_wait
	.short	0xbf30, 0xdf00
END_PROGRAM el1_thumb_wait

/* x1 = [x0] */
PROGRAM el1_load
	ldr	x1, [x0]
	hvc	#0
	b	el1_load
END_PROGRAM el1_load

/* [x0] = x1 */
PROGRAM el1_store
	str	x1, [x0]
	hvc	#0
	b	el1_store
END_PROGRAM el1_store

/* Stage 1 on, as an operating system does it: x0 TTBR0_EL1, x1 TCR_EL1, x2 MAIR_EL1. Then x4 = [x3],
 * Stage 1 off, and x5 = [x3]. */
PROGRAM el1_stage1_on
	msr	ttbr0_el1, x0
	msr	tcr_el1, x1
	msr	mair_el1, x2
	isb
	mrs	x6, sctlr_el1
	orr	x7, x6, #1
	msr	sctlr_el1, x7
	isb
	ldr	x4, [x3]
	hvc	#1
	msr	sctlr_el1, x6
	isb
	hvc	#2
	ldr	x5, [x3]
	hvc	#3
END_PROGRAM el1_stage1_on

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Into a guest and out of it: the registers that C cannot save while it runs. System registers are
 * vcpu_registers.c's.
 *
 * While a guest runs, SP_EL2 holds EL2's stack with this frame on it:
 *
 *	SP_EL2 ─► x18, x19 │ x20 … x29 │ x30, FPCR │ d8 … d15		(HOST_FRAME_SIZE)
 */
#include <aarch64/assembler.h>
#include <aarch64/percpu.h>
#include <aarch64/vcpu_offsets.h>

#define HOST_FRAME_SIZE 176
#define HOST_FRAME_VECTORS 112

.macro HOST_REGISTERS operation
	\operation	x18, x19, [sp]
	\operation	x20, x21, [sp, #16]
	\operation	x22, x23, [sp, #32]
	\operation	x24, x25, [sp, #48]
	\operation	x26, x27, [sp, #64]
	\operation	x28, x29, [sp, #80]
	\operation	d8, d9, [sp, #HOST_FRAME_VECTORS]
	\operation	d10, d11, [sp, #HOST_FRAME_VECTORS + 16]
	\operation	d12, d13, [sp, #HOST_FRAME_VECTORS + 32]
	\operation	d14, d15, [sp, #HOST_FRAME_VECTORS + 48]
.endm

.macro VECTOR_REGISTERS operation, base
	\operation	q0, q1, [\base]
	\operation	q2, q3, [\base, #32]
	\operation	q4, q5, [\base, #64]
	\operation	q6, q7, [\base, #96]
	\operation	q8, q9, [\base, #128]
	\operation	q10, q11, [\base, #160]
	\operation	q12, q13, [\base, #192]
	\operation	q14, q15, [\base, #224]
	\operation	q16, q17, [\base, #256]
	\operation	q18, q19, [\base, #288]
	\operation	q20, q21, [\base, #320]
	\operation	q22, q23, [\base, #352]
	\operation	q24, q25, [\base, #384]
	\operation	q26, q27, [\base, #416]
	\operation	q28, q29, [\base, #448]
	\operation	q30, q31, [\base, #480]
.endm

	.arch	armv8-a+fp+simd

/*
 * enum vcpu_exit_reason vcpu_enter(struct vcpu *vcpu)
 *
 * percpu.vcpu is @vcpu, and every system register of the guest is loaded. ERET synchronises the
 * context, so that no ISB is needed before it.
 */
FUNCTION vcpu_enter
	sub	sp, sp, #HOST_FRAME_SIZE
	HOST_REGISTERS stp
	mrs	x1, fpcr
	stp	x30, x1, [sp, #96]

	add	x1, x0, #VCPU_V
	VECTOR_REGISTERS ldp, x1
	add	x1, x0, #VCPU_FPCR
	ldp	x2, x3, [x1]
	msr	fpcr, x2
	msr	fpsr, x3

	ldp	x1, x2, [x0, #VCPU_PC]
	msr	elr_el2, x1
	msr	spsr_el2, x2
	X2_TO_X29 ldp, x0
	ldr	x30, [x0, #VCPU_X + 8 * 30]
	ldp	x0, x1, [x0, #VCPU_X]
	eret
	/* No speculation past ERET with the guest's registers (FEAT_CSV2 is not assumed). */
	dsb	nsh
	isb
END_FUNCTION vcpu_enter

/*
 * From the vectors: x1 is the reason, the guest's x0 and x1 are on top of EL2's stack. Returns from
 * vcpu_enter.
 */
FUNCTION guest_exit
	mrs	x0, tpidr_el2
	ldr	x0, [x0, #PERCPU_VCPU]
	X2_TO_X29 stp, x0
	str	x30, [x0, #VCPU_X + 8 * 30]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0, #VCPU_X]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [x0, #VCPU_PC]

	add	x2, x0, #VCPU_V
	VECTOR_REGISTERS stp, x2
	add	x2, x0, #VCPU_FPCR
	mrs	x3, fpcr
	mrs	x4, fpsr
	stp	x3, x4, [x2]

	HOST_REGISTERS ldp
	ldp	x30, x3, [sp, #96]
	msr	fpcr, x3
	add	sp, sp, #HOST_FRAME_SIZE
	mov	x0, x1
	ret
END_FUNCTION guest_exit

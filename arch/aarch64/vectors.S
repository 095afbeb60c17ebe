/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vectors of EL2 (Arm ARM D1.3.1.4). Exceptions of a guest leave it (switch.S); those of EL2
 * itself build a struct exception_frame on the emergency stack.
 */
#include <aarch64/assembler.h>
#include <aarch64/exception.h>
#include <aarch64/percpu.h>
#include <aarch64/vcpu_offsets.h>

/* What an exception must find left of the emergency stack. */
#define EMERGENCY_STACK_RESERVE 2048

/* TPIDR_EL1 is free here: while EL2 runs, a guest's value is in its struct vcpu. */
.macro FROM_EL2 vector
	.balign	128
	msr	tpidr_el1, x0
	mrs	x0, tpidr_el2
	stp	x1, x2, [x0, #PERCPU_SCRATCH]
	str	x3, [x0, #PERCPU_SCRATCH + 16]
	mov	x1, #\vector
	b	el2_exception
.endm

/* SP is where vcpu_enter left it. */
.macro FROM_GUEST reason
	.balign	128
	stp	x0, x1, [sp, #-16]!
	mov	x1, #\reason
	b	guest_exit
.endm

	.section .text.el2_vectors, "ax", %progbits
	.balign	2048
	.global	el2_vectors
	.type	el2_vectors, %object
el2_vectors:
	FROM_EL2 0
	FROM_EL2 1
	FROM_EL2 2
	FROM_EL2 3
	FROM_EL2 4
	FROM_EL2 5
	FROM_EL2 6
	FROM_EL2 7
	FROM_GUEST VCPU_REASON_SYNCHRONOUS
	FROM_GUEST VCPU_REASON_IRQ
	FROM_GUEST VCPU_REASON_FIQ
	FROM_GUEST VCPU_REASON_SERROR
	/* EL0 of a guest may be AArch32 where the CPU has it. */
	FROM_GUEST VCPU_REASON_SYNCHRONOUS
	FROM_GUEST VCPU_REASON_IRQ
	FROM_GUEST VCPU_REASON_FIQ
	FROM_GUEST VCPU_REASON_SERROR
	.balign	128
	.size	el2_vectors, . - el2_vectors

/*
 * x0: this CPU's struct percpu, x1: vector. The interrupted x0 is in TPIDR_EL1, x1 to x3 are in the
 * scratch area. A nested exception goes on below the frame of the one before.
 */
FUNCTION el2_exception
	mov	x2, sp
	sub	x3, x2, x0
	subs	x3, x3, #PERCPU_STACK_START
	b.lo	.Loverflowed
	cmp	x3, #EMERGENCY_STACK_RESERVE
	b.lo	.Loverflowed
	cmp	x3, #PERCPU_STRIDE - PERCPU_STACK_START
	b.ls	1f
.Lfrom_top:
	add	x3, x0, #PERCPU_STRIDE
	b	2f
1:	and	x3, x2, #~15
2:	sub	sp, x3, #EXCEPTION_FRAME_SIZE

	str	x1, [sp, #EXCEPTION_FRAME_VECTOR]
	str	x2, [sp, #EXCEPTION_FRAME_SP]
	ldp	x1, x2, [x0, #PERCPU_SCRATCH]
	ldr	x3, [x0, #PERCPU_SCRATCH + 16]
	mrs	x0, tpidr_el1
	stp	x0, x1, [sp]
	X2_TO_X29 stp, sp
	str	x30, [sp, #8 * 30]

	mrs	x0, elr_el2
	mrs	x1, spsr_el2
	stp	x0, x1, [sp, #EXCEPTION_FRAME_ELR]
	mrs	x0, esr_el2
	mrs	x1, far_el2
	stp	x0, x1, [sp, #EXCEPTION_FRAME_ESR]
	mrs	x0, hpfar_el2
	str	x0, [sp, #EXCEPTION_FRAME_HPFAR]

	mov	x0, sp
	bl	exception_dispatch

	/* Returned: resume. Nothing interrupts between the two writes of SP and ERET. */
	ldp	x0, x1, [sp, #EXCEPTION_FRAME_ELR]
	msr	elr_el2, x0
	msr	spsr_el2, x1
	X2_TO_X29 ldp, sp
	ldr	x30, [sp, #8 * 30]
	mov	x0, sp
	ldr	x1, [sp, #EXCEPTION_FRAME_SP]
	mov	sp, x1
	ldp	x0, x1, [x0]
	eret
.Loverflowed:
	ldr	x3, [x0, #PERCPU_OVERFLOWED]
	cbnz	x3, .Lhalt
	mov	x3, #1
	str	x3, [x0, #PERCPU_OVERFLOWED]
	b	.Lfrom_top
.Lhalt:
	wfe
	b	.Lhalt
END_FUNCTION el2_exception

/* bool probe_read(const void *address, uint64_t *value) */
FUNCTION probe_read
.Lprobe_load:
	ldr	x2, [x0]
	str	x2, [x1]
	mov	w0, #1
	ret
.Lprobe_aborted:
	mov	w0, #0
	ret
	EXCEPTION_FIXUP .Lprobe_load, .Lprobe_aborted
END_FUNCTION probe_read

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The probing guest: asks the monitor for an access, tries it, tells how it ended.
 *
 * Every access is a 64-bit load, store or call through x1, the data in x2: the monitor computes
 * the syndrome it must see from that. An abort taken to EL1 is recorded by the vector, which goes
 * on with the next command instead of returning to the access.
 */
#include "monitor/guest_calls.h"

	.section .text.entry, "ax"
	.globl guest_entry
guest_entry:
	b	start
	nop
	.if	. - guest_entry - GUEST_PROBE_RETURN_OFFSET
	.error	"the RET that may be executed is not where it should be"
	.endif
	ret

start:
	adr	x0, vectors
	msr	vbar_el1, x0
	isb
	mov	x0, #GUEST_COMMAND_NONE
command:
	hvc	#GUEST_CALL_COMMAND
	cmp	x0, #GUEST_COMMAND_WRITE
	b.eq	write
	b.hi	execute
read:
	ldr	x2, [x1]
	b	done
write:
	str	x2, [x1]
	b	done
execute:
	blr	x1
done:
	mov	x0, #GUEST_COMMAND_DONE
	b	command

	.macro	unexpected_vector
	.balign	128
	mov	x0, #(. - vectors)
1:	hvc	#GUEST_CALL_UNEXPECTED
	b	1b
	.endm

	.balign	2048
vectors:
	.rept	4		/* current EL with SP_EL0 */
	unexpected_vector
	.endr

	.balign	128		/* current EL with SP_EL1: synchronous */
	mrs	x3, esr_el1
	mrs	x4, far_el1
	mrs	x5, elr_el1
	mov	x0, #GUEST_COMMAND_ABORTED
	b	command

	.rept	11		/* its interrupts and SErrors; lower ELs */
	unexpected_vector
	.endr
	.balign	128

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What start-up can say before it can run C: a message, and where an exception happened. Polled
 * PL011 (Arm DDI 0183, "Programmers Model"), registers only, no stack, at any Exception level.
 */
#include <aarch64/assembler.h>
#include "address_macros.h"
#include "early_console.h"

#define UART_DATA 0x00
#define UART_FLAGS 0x18
#define UART_FLAGS_TRANSMIT_FULL 5
#define UART_CONTROL 0x30
#define UART_CONTROL_ENABLE 0x101 /* transmitter and UART */

/* Prints the string at x0 on the PL011 at x20. Uses x1, x2. */
FUNCTION early_print
	ldr	w1, [x20, #UART_CONTROL]
	mov	w2, #UART_CONTROL_ENABLE
	orr	w1, w1, w2
	str	w1, [x20, #UART_CONTROL]
1:	ldrb	w1, [x0], #1
	cbz	w1, 4f
	cmp	w1, #'\n'
	b.ne	3f
2:	ldr	w2, [x20, #UART_FLAGS]
	tbnz	w2, #UART_FLAGS_TRANSMIT_FULL, 2b
	mov	w2, #'\r'
	str	w2, [x20, #UART_DATA]
3:	ldr	w2, [x20, #UART_FLAGS]
	tbnz	w2, #UART_FLAGS_TRANSMIT_FULL, 3b
	str	w1, [x20, #UART_DATA]
	b	1b
4:	ret
END_FUNCTION early_print

/* Prints x3 as 16 hexadecimal digits. Uses x1, x2, x4. */
FUNCTION early_print_hex
	mov	w4, #60
1:	ldr	w2, [x20, #UART_FLAGS]
	tbnz	w2, #UART_FLAGS_TRANSMIT_FULL, 1b
	lsr	x1, x3, x4
	and	x1, x1, #0xf
	add	w2, w1, #'a' - 10
	add	w1, w1, #'0'
	cmp	w1, #'9'
	csel	w1, w2, w1, hi
	str	w1, [x20, #UART_DATA]
	subs	w4, w4, #4
	b.pl	1b
	ret
END_FUNCTION early_print_hex

/* Prints the string at x0 on the PL011 at x20 and halts. */
FUNCTION early_refuse
	bl	early_print
	b	halt
END_FUNCTION early_refuse

FUNCTION halt
	msr	daifset, #0xf
1:	wfe
	b	1b
END_FUNCTION halt

/* An exception at EL2 before the real vectors are installed. It ends here, so registers are free. */
FUNCTION early_exception
	early_console_address x20, x0, x1
	adr_l	x0, message_exception
	bl	early_print
	mrs	x3, esr_el2
	bl	early_print_hex
	adr_l	x0, message_elr
	bl	early_print
	mrs	x3, elr_el2
	bl	early_print_hex
	adr_l	x0, message_far
	bl	early_print
	mrs	x3, far_el2
	bl	early_print_hex
	adr_l	x0, message_image
	bl	early_print
	adr_l	x3, image_start
	bl	early_print_hex
	adr_l	x0, message_end
	b	early_refuse
END_FUNCTION early_exception

	.section .text.early_vectors, "ax", %progbits
	.balign	2048
	.globl	early_vectors
early_vectors:
	.rept	16
	.balign	128
	b	early_exception
	.endr

	.section .rodata.start, "a"
message_exception:
	.asciz	"\nstrata: exception while the MMU is off: ESR_EL2 "
message_elr:
	.asciz	" ELR_EL2 "
message_far:
	.asciz	" FAR_EL2 "
message_image:
	.asciz	" image at "
message_end:
	.asciz	"; halted.\n"

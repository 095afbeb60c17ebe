/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program's own start: one CPU, at EL2, MMU off, on a machine just reset.
 *
 * What its Stage 1 has where is in layout.h. Of RAM only the program's code is at its physical
 * address as well: a library that took one for a pointer would fault, and one that took a pointer for
 * a physical address would find nothing there.
 */
#include <aarch64/percpu.h>
#include "layout.h"

#define SCTLR_EL2_VALUE 0x30cd183d	/* RES1, M, C, SA, I, WXN */
#define MAIR_EL2_VALUE 0xbb4404ff	/* as strata/vm_space.h wants it */
#define TCR_EL2_VALUE 0x80803510	/* RES1, 4 KiB, Inner Shareable write-back walks, 48 bits */
#define HCR_EL2_RW (1 << 31)
#define CPTR_EL2_VALUE 0x33ff		/* RES1: nothing of floating point traps */

#define TABLE 3
#define BLOCK (1 | 1 << 6 | 1 << 10)	/* AP[1] is RES1; Access flag */
#define NORMAL (BLOCK | 3 << 8)
#define DEVICE (BLOCK | 1 << 2)
#define READ_ONLY (1 << 7)
#define EXECUTE_NEVER (1 << 54)
#define BLOCK_SIZE 0x200000

.macro	address register, symbol
	adrp	\register, \symbol
	add	\register, \register, :lo12:\symbol
.endm

.macro	constant register, value
	movz	\register, #((\value) & 0xffff)
	movk	\register, #(((\value) >> 16) & 0xffff), lsl #16
.endm

	.section .text.start, "ax"
	.globl	start
	.type	start, %function
start:
	msr	daifset, #0xf
	msr	spsel, #1
	constant x0, HCR_EL2_RW
	msr	hcr_el2, x0
	mov	x0, #CPTR_EL2_VALUE
	msr	cptr_el2, x0
	isb

	address	x0, bss_start
	address	x1, bss_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b

	constant x0, MAIR_EL2_VALUE
	msr	mair_el2, x0
	constant x0, TCR_EL2_VALUE
	mrs	x1, id_aa64mmfr0_el1
	and	x1, x1, #0xf		// PARange, at most 48 bits
	mov	x2, #5
	cmp	x1, x2
	csel	x1, x1, x2, lo
	orr	x0, x0, x1, lsl #16
	msr	tcr_el2, x0
	address	x0, root
	msr	ttbr0_el2, x0
	isb
	tlbi	alle2
	ic	iallu
	dsb	sy
	isb
	constant x0, SCTLR_EL2_VALUE
	msr	sctlr_el2, x0
	isb
	ldr	x0, =linked
	br	x0

linked:
	/* What the library wants of each CPU (strata/mm.h). */
	address	x0, percpu_data
	msr	tpidr_el2, x0
	address	x0, el2_vectors
	msr	vbar_el2, x0
	isb

	address	x0, stack_top
	mov	sp, x0
	mov	x29, xzr
	mov	x30, xzr
	bl	embed_main
1:	wfe
	b	1b
	.ltorg
	.size	start, . - start

/* A guest, for EL1: doubles the number at x1, says that it is done, then touches what x2 points to. */
	.section .rodata.guest, "a"
	.globl	guest_code
	.globl	guest_code_end
	.balign	8
guest_code:
	ldr	x0, [x1]
	add	x0, x0, x0
	str	x0, [x1]
	hvc	#GUEST_DONE
	ldr	x0, [x2]
	b	.
guest_code_end:

/* The tables, in .data. */
.macro	TABLE_AT symbol
	.quad	\symbol - PROGRAM_OFFSET + TABLE
.endm

	.section .data.tables, "aw"
	.balign	4096
root:
	TABLE_AT same
	.skip	8 * (PROGRAM_OFFSET >> 39) - (. - root)
	TABLE_AT program
	.skip	8 * (LINEAR_OFFSET >> 39) - (. - root)
	TABLE_AT linear
	.balign	4096
same:
	TABLE_AT same_devices
	TABLE_AT same_code
	.balign	4096
program:
	.quad	0
	TABLE_AT program_blocks
	.balign	4096
linear:
	.quad	0
	TABLE_AT linear_blocks
	.balign	4096
same_devices:
	.skip	8 * (UART_START / BLOCK_SIZE)
	.quad	UART_START + DEVICE + EXECUTE_NEVER
	.balign	4096
same_code:
	.quad	0
	.quad	PROGRAM_START + NORMAL + READ_ONLY
	.balign	4096
program_blocks:
	.quad	0
	.quad	PROGRAM_START + NORMAL + READ_ONLY
	.quad	PROGRAM_START + BLOCK_SIZE + NORMAL + EXECUTE_NEVER
	.balign	4096
linear_blocks:
	.set	block, RAM_START
	.rept	RAM_BLOCKS
	.quad	block + NORMAL + EXECUTE_NEVER
	.set	block, block + BLOCK_SIZE
	.endr
	.balign	4096

	.section .bss.stack, "aw", %nobits
	.balign	16
	.skip	16384
stack_top:

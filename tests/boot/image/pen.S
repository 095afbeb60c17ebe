/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A loader at EL2 that has one CPU wait for an address in memory, and keeps it when the address is there: flat
 * code that runs wherever it lies. The test appends doublewords: x0 and pc for the image, the MPIDR_EL1 of the
 * CPU, which PSCI starts, the place of its doubleword, and by how many counts it is late. It leaves all ones in
 * its doubleword when it goes on at last.
 */
#define PSCI_CPU_ON 0xc4000003

	.text
	.globl	entry
entry:
	movz	x0, #(PSCI_CPU_ON >> 16), lsl #16
	movk	x0, #(PSCI_CPU_ON & 0xffff)
	ldr	x1, late
	adr	x2, pen
	mov	x3, #0
	smc	#0
	ldr	x0, argument
	ldr	x1, start
	br	x1

pen:
	ldr	x1, table
1:	wfe
	ldr	x0, [x1]
	cbz	x0, 1b
	ldr	x2, delay
	mrs	x3, cntpct_el0
	add	x2, x2, x3
2:	mrs	x3, cntpct_el0
	cmp	x3, x2
	b.lo	2b
	mov	x3, #-1
	str	x3, [x1]
	br	x0

	.balign	8
argument:
start = . + 8
late = . + 16
table = . + 24
delay = . + 32

/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions and exception fix-ups, for assembly. */
#pragma once

/* clang-format off */

.macro FUNCTION name
	.section .text.\name, "ax", %progbits
	.balign	16
	.global	\name
	.type	\name, %function
\name:
.endm

.macro END_FUNCTION name
	.size	\name, . - \name
.endm

/* A synchronous exception of EL2 at \fault goes on at \resume (exception.h). Entries are distances
 * from themselves: nothing to relocate. */
.macro EXCEPTION_FIXUP fault, resume
	.pushsection exception_fixups, "aR", %progbits
	.balign	4
	.word	\fault - .
	.word	\resume - .
	.popsection
.endm

/* Stores or loads (\operation: stp or ldp) x2 to x29 in an array of registers at \base. */
.macro X2_TO_X29 operation, base
	\operation	x2, x3, [\base, #16]
	\operation	x4, x5, [\base, #32]
	\operation	x6, x7, [\base, #48]
	\operation	x8, x9, [\base, #64]
	\operation	x10, x11, [\base, #80]
	\operation	x12, x13, [\base, #96]
	\operation	x14, x15, [\base, #112]
	\operation	x16, x17, [\base, #128]
	\operation	x18, x19, [\base, #144]
	\operation	x20, x21, [\base, #160]
	\operation	x22, x23, [\base, #176]
	\operation	x24, x25, [\base, #192]
	\operation	x26, x27, [\base, #208]
	\operation	x28, x29, [\base, #224]
.endm

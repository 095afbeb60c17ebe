/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memcpy, memmove, memset and memcmp: the four functions that a compiler may call on its own, even
 * freestanding. General registers only, so that a guest's SIMD state survives them.
 *
 * Weak, and in an object of their own: the library links without a C library, and where an image or
 * a host program brings one, its definitions win or are never pulled in, never clash.
 *
 * No access is unaligned, so that they work with the MMU off too, where memory is Device memory
 * (Arm ARM B2.7.2). In assembly because a compiler may turn a loop in C into a call of the very
 * function it is in.
 */
#include <aarch64/assembler.h>

.macro WEAK_FUNCTION name
	.section .text.\name, "ax", %progbits
	.balign	16
	.weak	\name
	.type	\name, %function
\name:
.endm

/* x0: to, x1: from, x2: size; returns to */
WEAK_FUNCTION memcpy
	mov	x3, x0
	eor	x4, x0, x1
	tst	x4, #7
	b.ne	.Lcopy_bytes			/* never aligned together */
.Lcopy_head:
	tst	x3, #7
	b.eq	.Lcopy_pairs
	cbz	x2, .Lcopy_done
	ldrb	w4, [x1], #1
	strb	w4, [x3], #1
	sub	x2, x2, #1
	b	.Lcopy_head
.Lcopy_pairs:
	subs	x2, x2, #32
	b.lo	.Lcopy_words
	ldp	x4, x5, [x1], #16
	ldp	x6, x7, [x1], #16
	stp	x4, x5, [x3], #16
	stp	x6, x7, [x3], #16
	b	.Lcopy_pairs
.Lcopy_words:
	add	x2, x2, #32
1:	subs	x2, x2, #8
	b.lo	2f
	ldr	x4, [x1], #8
	str	x4, [x3], #8
	b	1b
2:	add	x2, x2, #8
.Lcopy_bytes:
	cbz	x2, .Lcopy_done
	ldrb	w4, [x1], #1
	strb	w4, [x3], #1
	sub	x2, x2, #1
	b	.Lcopy_bytes
.Lcopy_done:
	ret
END_FUNCTION memcpy

/* Upwards unless @to starts inside [from, from + size). */
WEAK_FUNCTION memmove
	sub	x4, x0, x1
	cmp	x4, x2
	b.hs	memcpy
	add	x3, x0, x2
	add	x1, x1, x2
	tst	x4, #7
	b.ne	.Lmove_bytes
.Lmove_tail:
	tst	x3, #7
	b.eq	.Lmove_words
	cbz	x2, .Lmove_done
	ldrb	w4, [x1, #-1]!
	strb	w4, [x3, #-1]!
	sub	x2, x2, #1
	b	.Lmove_tail
.Lmove_words:
	subs	x2, x2, #8
	b.lo	1f
	ldr	x4, [x1, #-8]!
	str	x4, [x3, #-8]!
	b	.Lmove_words
1:	add	x2, x2, #8
.Lmove_bytes:
	cbz	x2, .Lmove_done
	ldrb	w4, [x1, #-1]!
	strb	w4, [x3, #-1]!
	sub	x2, x2, #1
	b	.Lmove_bytes
.Lmove_done:
	ret
END_FUNCTION memmove

/* x0: to, w1: byte, x2: size; returns to */
WEAK_FUNCTION memset
	mov	x3, x0
	and	x1, x1, #0xff
	orr	x1, x1, x1, lsl #8
	orr	x1, x1, x1, lsl #16
	orr	x1, x1, x1, lsl #32
.Lset_head:
	tst	x3, #7
	b.eq	.Lset_pairs
	cbz	x2, .Lset_done
	strb	w1, [x3], #1
	sub	x2, x2, #1
	b	.Lset_head
.Lset_pairs:
	subs	x2, x2, #32
	b.lo	.Lset_words
	stp	x1, x1, [x3], #16
	stp	x1, x1, [x3], #16
	b	.Lset_pairs
.Lset_words:
	add	x2, x2, #32
1:	subs	x2, x2, #8
	b.lo	2f
	str	x1, [x3], #8
	b	1b
2:	add	x2, x2, #8
.Lset_bytes:
	cbz	x2, .Lset_done
	strb	w1, [x3], #1
	sub	x2, x2, #1
	b	.Lset_bytes
.Lset_done:
	ret
END_FUNCTION memset

/* x0, x1: what to compare, x2: size; returns the difference of the first bytes that differ */
WEAK_FUNCTION memcmp
	mov	x3, x0
	mov	w0, #0
1:	cbz	x2, 2f
	ldrb	w4, [x3], #1
	ldrb	w5, [x1], #1
	sub	x2, x2, #1
	subs	w0, w4, w5
	b.eq	1b
2:	ret
END_FUNCTION memcmp

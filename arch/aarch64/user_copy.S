/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loads and stores that may fault (arch/user_copy.h). One routine serves the hypervisor's pointers
 * and window addresses: to EL2 both are addresses of its Stage 1.
 *
 * A load or store that is aborted leaves its base register as it was (Arm ARM D1.3.2, "Data Abort
 * exceptions and register state"), so the register that stores go through says what is done. Accesses
 * of several bytes that fault, also by alignment on Device memory, go on byte by byte: the first
 * byte that faults then is the one to report.
 */
#include <aarch64/assembler.h>

/* clang-format off */

#define EXCHANGE_DONE 0
#define EXCHANGE_FAULT 1
#define EXCHANGE_CONTENDED 2

/* A guest that stores without pause makes STXR fail: no more tries than this. */
#define EXCHANGE_TRIES 128

/* An access of which an abort goes on at \resume. */
.macro MAY_FAULT resume, operation:vararg
9900:	\operation
	EXCEPTION_FIXUP 9900b, \resume
.endm

/* 64 bytes, both bases 16 behind. The last load and store move the base. */
.macro COPY_64
	MAY_FAULT .Lcopy_behind, ldp x4, x5, [x1, #16]
	MAY_FAULT .Lcopy_behind, ldp x6, x7, [x1, #32]
	MAY_FAULT .Lcopy_behind, ldp x8, x9, [x1, #48]
	MAY_FAULT .Lcopy_behind, ldp x10, x11, [x1, #64]!
	MAY_FAULT .Lcopy_behind, stp x4, x5, [x0, #16]
	MAY_FAULT .Lcopy_behind, stp x6, x7, [x0, #32]
	MAY_FAULT .Lcopy_behind, stp x8, x9, [x0, #48]
	MAY_FAULT .Lcopy_behind, stp x10, x11, [x0, #64]!
.endm

/* As many bytes as \load and \store move, if bit \bit of \count says so. */
.macro COPY_PIECE count, bit, size, load, store, register
	tbz	\count, #\bit, 9910f
	MAY_FAULT .Lcopy_bytes, \load \register, [x1], #\size
	MAY_FAULT .Lcopy_bytes, \store \register, [x0], #\size
9910:
.endm

/*
 * size_t user_copy_in(void *to, struct iaddr from, size_t size), and its equals.
 *
 * x0, x1: the next byte of each; x2: size left; x12: from minus to; x13: end of to; x14: its start
 */
FUNCTION user_copy_in
	.global	user_copy_out
	.global	user_copy_across
	.global	memory_copy
	.type	user_copy_out, %function
	.type	user_copy_across, %function
	.type	memory_copy, %function
user_copy_out:
user_copy_across:
memory_copy:
	mov	x14, x0
	add	x13, x0, x2
	sub	x12, x1, x0
	cmp	x2, #256
	b.lo	.Lcopy_tail
	neg	x3, x0
	ands	x3, x3, #15
	b.eq	1f
	sub	x2, x2, x3
	COPY_PIECE x3, 0, 1, ldrb, strb, w4
	COPY_PIECE x3, 1, 2, ldrh, strh, w4
	COPY_PIECE x3, 2, 4, ldr, str, w4
	COPY_PIECE x3, 3, 8, ldr, str, x4
	cmp	x2, #256
	b.lo	.Lcopy_tail
1:	sub	x0, x0, #16
	sub	x1, x1, #16
	sub	x2, x2, #256
2:	COPY_64
	COPY_64
	COPY_64
	COPY_64
	subs	x2, x2, #256
	b.hs	2b
	add	x0, x0, #16
	add	x1, x1, #16
.Lcopy_tail:				/* x2 modulo 256 */
	tbz	x2, #7, 7f
	sub	x0, x0, #16
	sub	x1, x1, #16
	COPY_64
	COPY_64
	add	x0, x0, #16
	add	x1, x1, #16
7:	tbz	x2, #6, 3f
	sub	x0, x0, #16
	sub	x1, x1, #16
	COPY_64
	add	x0, x0, #16
	add	x1, x1, #16
3:	tbz	x2, #5, 4f
	MAY_FAULT .Lcopy_bytes, ldp x4, x5, [x1], #16
	MAY_FAULT .Lcopy_bytes, ldp x6, x7, [x1], #16
	MAY_FAULT .Lcopy_bytes, stp x4, x5, [x0], #16
	MAY_FAULT .Lcopy_bytes, stp x6, x7, [x0], #16
4:	tbz	x2, #4, 5f
	MAY_FAULT .Lcopy_bytes, ldp x4, x5, [x1], #16
	MAY_FAULT .Lcopy_bytes, stp x4, x5, [x0], #16
5:	COPY_PIECE x2, 3, 8, ldr, str, x4
	COPY_PIECE x2, 2, 4, ldr, str, w4
	COPY_PIECE x2, 1, 2, ldrh, strh, w4
	COPY_PIECE x2, 0, 1, ldrb, strb, w4
.Lcopy_done:
	sub	x0, x0, x14
	ret
.Lcopy_behind:
	add	x0, x0, #16
.Lcopy_bytes:
	add	x1, x0, x12
6:	cmp	x0, x13
	b.eq	.Lcopy_done
	MAY_FAULT .Lcopy_done, ldrb w4, [x1], #1
	MAY_FAULT .Lcopy_done, strb w4, [x0], #1
	b	6b
	.size	user_copy_out, . - user_copy_out
	.size	user_copy_across, . - user_copy_across
	.size	memory_copy, . - memory_copy
END_FUNCTION user_copy_in

.macro ZERO_PIECE count, bit, size, store, register
	tbz	\count, #\bit, 9910f
	MAY_FAULT .Lzero_bytes, \store \register, [x0], #\size
9910:
.endm

/* size_t user_zero(struct iaddr to, size_t size); x13: end of to; x14: its start */
FUNCTION user_zero
	.global	memory_zero
	.type	memory_zero, %function
memory_zero:
	mov	x14, x0
	add	x13, x0, x1
	cmp	x1, #64
	b.lo	2f
	neg	x3, x0
	and	x3, x3, #15
	sub	x1, x1, x3
	ZERO_PIECE x3, 0, 1, strb, wzr
	ZERO_PIECE x3, 1, 2, strh, wzr
	ZERO_PIECE x3, 2, 4, str, wzr
	ZERO_PIECE x3, 3, 8, str, xzr
	subs	x1, x1, #64
	b.lo	3f
1:	MAY_FAULT .Lzero_bytes, stp xzr, xzr, [x0], #16
	MAY_FAULT .Lzero_bytes, stp xzr, xzr, [x0], #16
	MAY_FAULT .Lzero_bytes, stp xzr, xzr, [x0], #16
	MAY_FAULT .Lzero_bytes, stp xzr, xzr, [x0], #16
	subs	x1, x1, #64
	b.hs	1b
3:	add	x1, x1, #64
2:	tbz	x1, #5, 4f
	MAY_FAULT .Lzero_bytes, stp xzr, xzr, [x0], #16
	MAY_FAULT .Lzero_bytes, stp xzr, xzr, [x0], #16
4:	tbz	x1, #4, 5f
	MAY_FAULT .Lzero_bytes, stp xzr, xzr, [x0], #16
5:	ZERO_PIECE x1, 3, 8, str, xzr
	ZERO_PIECE x1, 2, 4, str, wzr
	ZERO_PIECE x1, 1, 2, strh, wzr
	ZERO_PIECE x1, 0, 1, strb, wzr
.Lzero_done:
	sub	x0, x0, x14
	ret
.Lzero_bytes:
	cmp	x0, x13
	b.eq	.Lzero_done
	MAY_FAULT .Lzero_done, strb wzr, [x0], #1
	b	.Lzero_bytes
	.size	memory_zero, . - memory_zero
END_FUNCTION user_zero

/* Goes to the label 1, 2, 4 or 8 that w1 says. */
.macro BY_SIZE
	cmp	w1, #4
	b.hi	8f
	b.eq	4f
	cmp	w1, #2
	b.eq	2f
.endm

/* bool user_load(struct iaddr from, unsigned int size, uint64_t *value) */
FUNCTION user_load
	BY_SIZE
	MAY_FAULT .Lload_fault, ldrb w3, [x0]
	b	3f
2:	MAY_FAULT .Lload_fault, ldrh w3, [x0]
	b	3f
4:	MAY_FAULT .Lload_fault, ldr w3, [x0]
	b	3f
8:	MAY_FAULT .Lload_fault, ldr x3, [x0]
3:	str	x3, [x2]
	mov	w0, #1
	ret
.Lload_fault:
	mov	w0, #0
	ret
END_FUNCTION user_load

/* bool user_store(struct iaddr to, unsigned int size, uint64_t value) */
FUNCTION user_store
	BY_SIZE
	MAY_FAULT .Lstore_fault, strb w2, [x0]
	b	3f
2:	MAY_FAULT .Lstore_fault, strh w2, [x0]
	b	3f
4:	MAY_FAULT .Lstore_fault, str w2, [x0]
	b	3f
8:	MAY_FAULT .Lstore_fault, str x2, [x0]
3:	mov	w0, #1
	ret
.Lstore_fault:
	mov	w0, #0
	ret
END_FUNCTION user_store

.macro EXCHANGE load, store, old, expected, desired
9920:	MAY_FAULT .Lexchange_fault, \load \old, [x0]
	cmp	\old, \expected
	b.ne	.Lexchange_differs
	MAY_FAULT .Lexchange_fault, \store w6, \desired, [x0]
	cbz	w6, .Lexchange_done
	subs	w7, w7, #1
	b.ne	9920b
	mov	w0, #EXCHANGE_CONTENDED
	ret
.endm

/*
 * enum exchange_result user_compare_exchange(struct iaddr at, unsigned int size, uint64_t expected,
 *					      uint64_t desired, uint64_t *previous)
 */
FUNCTION user_compare_exchange
	.global	memory_compare_exchange
	.type	memory_compare_exchange, %function
memory_compare_exchange:
	mov	w7, #EXCHANGE_TRIES
	BY_SIZE
	EXCHANGE ldxrb, stxrb, w5, w2, w3
2:	EXCHANGE ldxrh, stxrh, w5, w2, w3
4:	EXCHANGE ldxr, stxr, w5, w2, w3
8:	EXCHANGE ldxr, stxr, x5, x2, x3
.Lexchange_differs:
	clrex
.Lexchange_done:
	str	x5, [x4]
	mov	w0, #EXCHANGE_DONE
	ret
.Lexchange_fault:
	clrex
	mov	w0, #EXCHANGE_FAULT
	ret
	.size	memory_compare_exchange, . - memory_compare_exchange
END_FUNCTION user_compare_exchange

/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses and constants in registers, for assembly that runs before the image is relocated. */
#pragma once

/* clang-format off */

/* The address of \symbol, wherever the image lies. */
.macro	adr_l	register, symbol
	adrp	\register, \symbol
	add	\register, \register, :lo12:\symbol
.endm

/* A 64-bit constant. */
.macro	mov_q	register, value
	movz	\register, #((\value) & 0xffff)
	movk	\register, #(((\value) >> 16) & 0xffff), lsl #16
	movk	\register, #(((\value) >> 32) & 0xffff), lsl #32
	movk	\register, #(((\value) >> 48) & 0xffff), lsl #48
.endm

    /* clang-format on */

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The console before the device tree is known: a PL011, guessed from where the loader put the image.
 *
 * A board fact that nothing tells us yet. Override it with the Meson option early_uart.
 *
 *	image at or above	PL011 at	board
 *	0x40000000		0x09000000	QEMU virt
 *	0			0xfe201000	Raspberry Pi 4
 */
#pragma once

/* clang-format off */
#ifndef STRATA_EARLY_UART
#define STRATA_EARLY_UART 0 /* by the table */
#endif

/* @result = the PL011's address; @t0 and @t1 are used. */
.macro	early_console_address result, t0, t1
#if STRATA_EARLY_UART
	mov_q	\result, STRATA_EARLY_UART
#else
	adr_l	\t0, image_start
	mov_q	\t1, 0x40000000
	cmp	\t0, \t1
	mov_q	\result, 0xfe201000
	mov_q	\t1, 0x09000000
	csel	\result, \t1, \result, hs
#endif
.endm

	/* clang-format on */

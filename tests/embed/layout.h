/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where things are, for C, assembly and the linker. Physical addresses are those of QEMU's virt board
 * with 128 MiB of RAM. To get there, the program adds
 *
 *	LINEAR_OFFSET	for any byte of RAM: the linear map, never executable
 *	PROGRAM_OFFSET	for its own code and data: where it is linked
 *	nothing		for the UART, and for the code that turns Stage 1 on
 */
#pragma once

#define LINEAR_OFFSET 0x400000000000  /* 2^46 */
#define PROGRAM_OFFSET 0x200000000000 /* 2^45 */
#define RAM_START 0x40000000
#define RAM_BLOCKS 64		 /* of 2 MiB */
#define PROGRAM_START 0x40200000 /* a block of code, a block of data */
#define UART_START 0x09000000

/* What a guest says when it is done. */
#define GUEST_DONE 7

/* SPDX-License-Identifier: BSD-3-Clause */
/* Each range form of TLBI twice: as the library encodes it, and as an assembler knows it. */
#include <aarch64/tlb_instructions.h>

	.arch	armv8.4-a
	.section .rodata.tlb_words, "a", %progbits
	.balign	4
	.global	tlb_words, tlb_words_end
tlb_words:
	TLBI_RVAE2IS, x0
	tlbi	rvae2is, x0
	TLBI_RVALE2IS, x0
	tlbi	rvale2is, x0
	TLBI_RIPAS2E1IS, x0
	tlbi	ripas2e1is, x0
	TLBI_RIPAS2LE1IS, x0
	tlbi	ripas2le1is, x0
tlb_words_end:

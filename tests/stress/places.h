/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the CPUs meet: the addresses that are worked on in each space, and what a page says of itself.
 *
 *	0		PAGES	  around the borders of leaf tables, all CPUs
 *	8 MiB		BLOCKS	  two blocks, all CPUs
 *	16 MiB		OWN	  a few pages of each CPU, next to each other in one leaf table
 *	18 MiB		LOG	  a dirty log
 *	20 MiB		COMMON	  pages that are mapped in several places
 *	1 GiB		PAGES
 *	1 GiB + 4 MiB	PROGRAM	  what guests run, if they run: stays
 *
 * Invariant: every word of a page follows from what it says. A page that is mapped outside of COMMON says the
 * space and the address that it is mapped at; one of COMMON, or one that is held in a box, COMMON_WORD; one
 * that was taken away, or was not mapped yet, POISON. Word 0 is what it says, word 1 the same below a stamp of
 * 16 bits, and each word further down a function of both that and its place. So a translation that is not
 * there any more is seen as a wrong word, and so is a byte that nobody should have changed.
 */
#pragma once

#include <arch/address.h>

#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define BLOCKS_START MIB(8)
#define BLOCKS 2
#define OWN_START MIB(16)
#define OWN_PAGES 16
#define LOG_START MIB(18)
#define LOG_PAGES 16
#define COMMON_START MIB(20)
#define COMMON_PAGES 8
#define WIDE_END (GIB(1) + MIB(2))
#define PROGRAM (GIB(1) + MIB(4))
#define IA_BITS_MIN 31

#define POISON UINT64_C(0xdeaddeaddeaddead)
#define COMMON_WORD UINT64_C(0xc0335a5ac033)
#define IDENTITY_MASK ((UINT64_C(1) << 48) - 1)

static inline bool is_common(uint64_t ia)
{
	return ia >= COMMON_START && ia < COMMON_START + COMMON_PAGES * PAGE_SIZE;
}

static inline bool is_logged(uint64_t ia)
{
	return ia >= LOG_START && ia < LOG_START + LOG_PAGES * PAGE_SIZE;
}

/* @id: of the space, the same for no two spaces of a world. */
static inline uint64_t identity(uint64_t id, uint64_t ia)
{
	return is_common(ia) ? COMMON_WORD : (id & 0xffff) << 32 | ia >> PAGE_SHIFT;
}

#define PAGE_WORDS (PAGE_SIZE / sizeof(uint64_t))

/* Word @index of a page that says @says, without a stamp. */
static inline uint64_t page_word(uint64_t says, uint64_t index)
{
	return index < 2 ? says : (says ^ index << 48) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Whether @word can be word @index of a page that says @says. */
static inline bool is_page_word(uint64_t word, uint64_t says, uint64_t index)
{
	const uint64_t mask = index == 1 && says != POISON ? IDENTITY_MASK : UINT64_MAX;

	return (word & mask) == (page_word(says, index) & mask);
}

static inline bool is_identity(uint64_t word, uint64_t id, uint64_t ia)
{
	return (word & IDENTITY_MASK) == identity(id, ia);
}

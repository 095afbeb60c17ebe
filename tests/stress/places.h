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
 * Invariant: word 0 of a page that is mapped outside of COMMON says the space and the address that it is
 * mapped at, and word 1 says it too, below a stamp of 16 bits; a page that was taken away, or was not
 * mapped yet, says POISON. So a translation that is not there any more is seen as a wrong word.
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

static inline bool is_identity(uint64_t word, uint64_t id, uint64_t ia)
{
	return (word & IDENTITY_MASK) == identity(id, ia);
}

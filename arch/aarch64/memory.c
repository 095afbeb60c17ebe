/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/registers.h>
#include <arch/address.h>
#include <arch/memory.h>
#include <stdint.h>

/* BS and the line sizes of CTR_EL0 are log2 of the number of 4-byte words. */
#define WORD_SIZE 4

#define STORE_PAIR_STEP 64

static void zero_by_stores(uint64_t start)
{
	for (uint64_t at = start; at < start + PAGE_SIZE; at += STORE_PAIR_STEP)
		__asm__ volatile("stp xzr, xzr, [%0]\n\t"
				 "stp xzr, xzr, [%0, #16]\n\t"
				 "stp xzr, xzr, [%0, #32]\n\t"
				 "stp xzr, xzr, [%0, #48]"
				 :
				 : "r"(at)
				 : "memory");
}

/* DC ZVA zeroes a whole aligned block without reading it first. A block is at most 2 KiB. */
void page_zero(void *page)
{
	const uint64_t start = (uintptr_t)page;
	const uint64_t dczid = register_read(dczid_el0);
	const uint64_t block = (uint64_t)WORD_SIZE << FIELD_GET(DCZID_EL0_BS, dczid);

	if (FIELD_GET(DCZID_EL0_DZP, dczid)) {
		zero_by_stores(start);
		return;
	}
	for (uint64_t at = start; at < start + PAGE_SIZE; at += block)
		__asm__ volatile("dc zva, %0" : : "r"(at) : "memory");
}

void page_copy(void *to, const void *from)
{
	const char *end = (const char *)from + PAGE_SIZE;

	__asm__ volatile("1:\n\t"
			 "ldp x4, x5, [%1]\n\t"
			 "ldp x6, x7, [%1, #16]\n\t"
			 "ldp x8, x9, [%1, #32]\n\t"
			 "ldp x10, x11, [%1, #48]\n\t"
			 "add %1, %1, #64\n\t"
			 "stp x4, x5, [%0]\n\t"
			 "stp x6, x7, [%0, #16]\n\t"
			 "stp x8, x9, [%0, #32]\n\t"
			 "stp x10, x11, [%0, #48]\n\t"
			 "add %0, %0, #64\n\t"
			 "cmp %1, %2\n\t"
			 "b.lo 1b"
			 : "+&r"(to), "+&r"(from)
			 : "r"(end)
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "cc", "memory");
}

/*
 * Arm ARM B2.7.4.2: clean data to the point of unification, then drop the instruction lines, each
 * step complete before the next. CTR_EL0.IDC and DIC say that a step is not needed.
 */
void instruction_cache_sync(const void *start, size_t size)
{
	const uint64_t ctr = register_read(ctr_el0);
	const uint64_t data_line = (uint64_t)WORD_SIZE << FIELD_GET(CTR_EL0_DminLine, ctr);
	const uint64_t instruction_line = (uint64_t)WORD_SIZE << FIELD_GET(CTR_EL0_IminLine, ctr);
	const uint64_t first = (uintptr_t)start;
	const uint64_t end = first + size;

	if (!FIELD_GET(CTR_EL0_IDC, ctr))
		for (uint64_t at = first & ~(data_line - 1); at < end; at += data_line)
			__asm__ volatile("dc cvau, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb ish" : : : "memory");

	if (!FIELD_GET(CTR_EL0_DIC, ctr)) {
		for (uint64_t at = first & ~(instruction_line - 1); at < end;
		     at += instruction_line)
			__asm__ volatile("ic ivau, %0" : : "r"(at) : "memory");
		__asm__ volatile("dsb ish" : : : "memory");
	}
	__asm__ volatile("isb" : : : "memory");
}

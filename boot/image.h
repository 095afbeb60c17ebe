/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the parts of the image lie. The linker script alone knows; every bound is page aligned.
 *
 *  image_start                                                                    image_end
 *  ├─ text r-x ─┼─ rodata r-- ─┼─ relro r-- ─┼─ data rw- ─┼─ per CPU ─┼─ bss rw- ─┼─ stacks ─┤
 *
 * relro is written once, by the relocation in start.S, and read only from then on. What is per CPU
 * and the stacks are rw-, but for the guard pages (stacks.h).
 */
#pragma once

#include <arch/address.h>
#include <stdint.h>

extern char image_start[], text_end[], rodata_end[], relro_end[], data_end[], percpu_end[];
extern char bss_end[], image_end[];

static inline uint64_t image_address(const char *symbol)
{
	return (uint64_t)(uintptr_t)symbol;
}

static inline struct prange image_range(const char *start, const char *end)
{
	return prange(paddr(image_address(start)), paddr(image_address(end)));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the parts of the image lie. The linker script alone knows; every bound is page aligned.
 *
 *  image_start                                                                    image_end
 *  ├─ text r-x ─┼─ rodata r-- ─┼─ relro r-- ─┼─ data rw- ─┼─ bss rw- ─┼─ guard ─┼─ stack rw- ─┤
 *
 * relro is written once, by the relocation in start.S, and read only from then on.
 */
#pragma once

#include <arch/address.h>
#include <stdint.h>

extern char image_start[], text_end[], rodata_end[], relro_end[], data_end[], bss_end[];
extern char boot_stack_guard[], boot_stack_bottom[], boot_stack_top[], image_end[];

static inline uint64_t image_address(const char *symbol)
{
	return (uint64_t)(uintptr_t)symbol;
}

static inline struct prange image_range(const char *start, const char *end)
{
	return prange(paddr(image_address(start)), paddr(image_address(end)));
}

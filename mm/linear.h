/* SPDX-License-Identifier: BSD-3-Clause */
/* The linear map, inlined for those who walk tables: mm_linear and mm_physical of strata/mm.h. */
#pragma once

#include <arch/address.h>
#include <arch/memory.h>
#include <stdint.h>

/* A variable of the library's own, in the same link: addressed directly, not by a table. */
#define MM_PRIVATE __attribute__((visibility("hidden")))

/* mm_config.linear_offset; constant after mm_init. */
extern MM_PRIVATE uint64_t linear_map_offset;

static inline void *linear(struct paddr paddr)
{
	return (void *)(uintptr_t)(paddr.value + linear_map_offset);
}

static inline struct paddr physical(const void *pointer)
{
	return (struct paddr){ (uint64_t)(uintptr_t)pointer - linear_map_offset };
}

/* Of whole pages. */
static inline void zero_pages(struct prange pages)
{
	for (; !prange_is_empty(pages); pages.start.value += PAGE_SIZE)
		page_zero(linear(pages.start));
}

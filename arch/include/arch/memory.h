/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole pages of Normal memory, through addresses the hypervisor can load from. */
#pragma once

#include <stddef.h>

/* Zeroes the page-aligned page at @page (DC ZVA where the CPU permits it). */
void page_zero(void *page);

/* Copies one page; both are page aligned and do not overlap. */
void page_copy(void *to, const void *from);

/* Makes what was written to [@start, @start + @size) visible to instruction fetch on every CPU
 * (Arm ARM B2.7.4.2, "Synchronization and coherency of instruction and data caches"). */
void instruction_cache_sync(const void *start, size_t size);

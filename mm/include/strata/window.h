/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Windows: one page of physical memory at an address of the hypervisor, for a moment.
 *
 * Invariant: every CPU has one window, at an address of its own with nothing mapped beside it; between
 * window_map and window_unmap it shows one page, and otherwise accesses there fault on every CPU.
 *
 * For pages that the linear map does not have, or not with that property. Each CPU's window lies in a
 * level-3 table of its own, which stays: mapping needs no memory, and CPUs do not wait for each other.
 *
 * Who maps a window stays on that CPU until it has unmapped it (strata/mm.h), and keeps the page what
 * it is: a window holds no reference. Locks: the node of that table, within each call.
 */
#pragma once

#include <strata/kvirt_area.h>

struct windows;

/*
 * Makes the windows of all CPUs, in an area of @kvirt, which outlives them.
 *
 * MM_NO_MEMORY: no memory for their tables, or no addresses. MM_OUT_OF_BOUND: @kvirt's range is smaller
 * than they need, 2 MiB for each of STRATA_MAX_CPUS and as much again. MM_BUSY: this CPU holds a cursor
 * in the way.
 */
MM_MUST_CHECK enum mm_status windows_new(struct kvirt_space *kvirt, struct windows **out);

/* No window is mapped. @windows is void afterwards, unless it is MM_BUSY: this CPU holds a cursor in
 * the way. */
MM_MUST_CHECK enum mm_status windows_destroy(struct windows *windows);

/*
 * Shows the physical page at @page in this CPU's window, with the cache policy that every other
 * mapping of it has; @out is the window's address.
 *
 * MM_NOT_ALIGNED. MM_OUT_OF_BOUND: above the CPU's physical addresses.
 * MM_NOT_SUPPORTED: EL2's Stage 1 cannot express @property.
 * MM_EXISTS: this CPU's window is mapped. MM_BUSY: this CPU holds a cursor in the way.
 */
MM_MUST_CHECK enum mm_status window_map(struct windows *windows, struct paddr page,
					struct page_property property, struct iaddr *out);

/*
 * Unmaps this CPU's window; no TLB remembers it.
 *
 * MM_NOT_MAPPED: it is not mapped. MM_BUSY: this CPU holds a cursor in the way.
 */
MM_MUST_CHECK enum mm_status window_unmap(struct windows *windows);

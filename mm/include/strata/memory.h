/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that comes and goes at run time.
 *
 * Invariant: memory that was added is like memory that was there at start, and the whole of it is
 * given back, or none.
 */
#pragma once

#include <arch/address.h>
#include <strata/status.h>

/*
 * Takes over @range, which is mapped in the linear map already. Its own metadata (16 bytes a page;
 * in checked builds 28) lies at its beginning, as PAGE_META; the rest is free memory.
 *
 * MM_NOT_ALIGNED; MM_INVALID_ARGS: empty or reversed; MM_OUT_OF_BOUND: above 2^48.
 * MM_EXISTS: part of it is memory already. MM_NO_MEMORY: no page would be left beside the metadata.
 * MM_NOT_SUPPORTED: 16 TiB of memory or more.
 * MM_IN_USE: part of it is registers of an io_mem, or of what a space was given of devices and
 *	remembers until it is destroyed (vm_space_find_iomem).
 *
 * Safe against everything but another call of these two functions.
 */
MM_MUST_CHECK enum mm_status mm_memory_add(struct prange range);

/*
 * Gives @range back, which was added as it is: nothing of the subsystem looks at it any more.
 *
 * MM_INVALID_ARGS: @range is not one that was added.
 * MM_BUSY: a page of it has an owner, or is withheld (unique_frame_reset_as_unused). (Pages are not
 * moved: that is their user's to do.)
 *
 * No other operation may be in flight on any CPU.
 */
MM_MUST_CHECK enum mm_status mm_memory_remove(struct prange range);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The heap: small objects on top of pages.
 *
 * Invariant: an object is in one slab, a page of objects of one size class, or has pages of its own;
 * a slab without objects is given back, so that what is not used costs nothing. Pages of the heap are
 * PAGE_HYPERVISOR.
 *
 * In checked builds an object lies between red zones that its release checks, its memory is filled
 * when it is released and that filling is checked when it is given out again: writing past an object,
 * writing to a released one and releasing twice are broken invariants, named by the panic hook.
 *
 * Safe on every CPU; each size class has a lock of its own, taken before those of the page allocator.
 */
#pragma once

#include <strata/status.h>
#include <stddef.h>

/* What is not an object of a slab any more has pages of its own. Bytes. */
#define HEAP_SLAB_OBJECT_MAX 1024

/*
 * Makes @out an object of @size bytes, aligned to 16, contents undefined.
 *
 * MM_INVALID_ARGS: @size is 0. MM_NO_MEMORY: no page is left for it.
 */
MM_MUST_CHECK enum mm_status heap_alloc(size_t size, void **out);

/* Gives an object back; NULL is none. */
void heap_free(void *object);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors of the VMSAv8-64 formats with a 4 KiB granule (Arm ARM D8.3): what both stages share.
 *
 *  63      59 58  55 54           50 49 48 47                         12 11       2 1 0
 *  ├─────────┼──────┼───────────────┼─────┼─────────────────────────────┼──────────┼─┼─┤
 *  │         │ ours │ upper attr.   │  0  │ output or table address     │ lower    │T│V│
 *
 * V: valid. T: at levels 0 to 2 a table (1) or a block (0); at level 3 a page (1).
 * A descriptor is read and written whole, by one atomic access: the table walker of every CPU reads
 * it at any moment. Writing is a release, so that a table is seen complete before it is linked.
 */
#pragma once

#include <arch/address.h>
#include <arch/canary.h>
#include <arch/observe.h>
#include <stdatomic.h>
#include "linear.h"

#define LEVEL_PAGE 3	    /* the level whose leaves are pages */
#define LEVEL_BLOCK_FIRST 1 /* the level nearest the root that may hold a block */
#define TABLE_ENTRIES 512
#define LEVEL_BITS 9

#define DESCRIPTOR_VALID UINT64_C(1)
#define DESCRIPTOR_TABLE_OR_PAGE UINT64_C(2)
#define DESCRIPTOR_ADDRESS UINT64_C(0x0000fffffffff000)
#define DESCRIPTOR_ACCESS_FLAG (UINT64_C(1) << 10)
/* Bit 55 is ignored by hardware (D8.3.2): a leaf whose pages are not counted. */
#define DESCRIPTOR_NOT_COUNTED (UINT64_C(1) << 55)

/* log2 of what one descriptor at @level covers. */
static inline unsigned int level_shift(int level)
{
	return PAGE_SHIFT + LEVEL_BITS * (unsigned int)(LEVEL_PAGE - level);
}

static inline uint64_t level_size(int level)
{
	return UINT64_C(1) << level_shift(level);
}

/* Acquire: what was written before a table was linked, its slot too, is seen by who follows the descriptor
 * without locks. */
static inline uint64_t descriptor_read(const uint64_t *descriptor)
{
	return atomic_load_explicit((const _Atomic uint64_t *)descriptor, memory_order_acquire);
}

/* For a leaf that goes on translating to the same place: who sees the new value needs to see nothing
 * else, so it is relaxed. */
static inline void descriptor_change(uint64_t *leaf, uint64_t value)
{
	OBSERVE(.kind = OBSERVE_DESCRIPTOR_WRITE, .address = physical(leaf), .value = value,
		.previous = *leaf, .order = OBSERVE_RELAXED);
	atomic_store_explicit((_Atomic uint64_t *)leaf, value, memory_order_relaxed);
}

static inline void descriptor_write(uint64_t *descriptor, uint64_t value)
{
	if (CANARY(table_linked_early)) {
		descriptor_change(descriptor, value);
		return;
	}
	OBSERVE(.kind = OBSERVE_DESCRIPTOR_WRITE, .address = physical(descriptor), .value = value,
		.previous = *descriptor);
	/* Release: a table is complete before it is linked, for who reads without locks; and for table walkers,
	 * which are no readers of C's, once the writer has published (cursor_publish, gather_flush). */
	atomic_store_explicit((_Atomic uint64_t *)descriptor, value, memory_order_release);
}

/*
 * For leaves that CPUs change as well (vm_space_use_hardware_flags). Relaxed: table walkers are ordered
 * by barriers and invalidations, and all that counts is that the step is one.
 */
static inline uint64_t descriptor_exchange(uint64_t *leaf, uint64_t value)
{
	OBSERVE(.kind = OBSERVE_DESCRIPTOR_WRITE, .address = physical(leaf), .value = value,
		.previous = descriptor_read(leaf), .order = OBSERVE_RELAXED);
	return atomic_exchange_explicit((_Atomic uint64_t *)leaf, value, memory_order_relaxed);
}

/* False, and @expected is what is there, if it is not @expected. */
static inline bool descriptor_compare_exchange(uint64_t *leaf, uint64_t *expected, uint64_t value)
{
	OBSERVE(.kind = OBSERVE_DESCRIPTOR_WRITE, .address = physical(leaf), .value = value,
		.previous = *expected, .order = OBSERVE_RELAXED);
	if (atomic_compare_exchange_strong_explicit((_Atomic uint64_t *)leaf, expected, value,
						    memory_order_relaxed, memory_order_relaxed))
		return true;
	/* Observed before it was tried: it is as if it was taken back. */
	OBSERVE(.kind = OBSERVE_DESCRIPTOR_WRITE, .address = physical(leaf), .value = *expected,
		.previous = value);
	return false;
}

/*
 * Sets the flags @set in a leaf as the MMU of a CPU does (FEAT_HAFDBS), and so, as in its case, nobody
 * observes it: no permission is taken away, and a leaf without the Access flag is in no TLB, so there is
 * nothing to invalidate or to wait for. Relaxed, as above. False, and @expected is what is there, if it is not @expected.
 */
static inline bool descriptor_set_as_mmu(uint64_t *leaf, uint64_t *expected, uint64_t set)
{
	return atomic_compare_exchange_strong_explicit((_Atomic uint64_t *)leaf, expected,
						       *expected | set, memory_order_relaxed,
						       memory_order_relaxed);
}

static inline bool descriptor_is_table(uint64_t descriptor, int level)
{
	const uint64_t type = DESCRIPTOR_VALID | DESCRIPTOR_TABLE_OR_PAGE;

	return level < LEVEL_PAGE && (descriptor & type) == type;
}

static inline struct paddr descriptor_address(uint64_t descriptor)
{
	return paddr(descriptor & DESCRIPTOR_ADDRESS);
}

static inline uint64_t *descriptor_table(uint64_t descriptor)
{
	return linear(descriptor_address(descriptor));
}

static inline uint64_t table_descriptor(struct paddr table)
{
	return table.value | DESCRIPTOR_TABLE_OR_PAGE | DESCRIPTOR_VALID;
}

/* A leaf at @level with attributes and software bits @attributes. */
static inline uint64_t leaf_descriptor(struct paddr output, uint64_t attributes, int level)
{
	uint64_t type = level == LEVEL_PAGE ? DESCRIPTOR_TABLE_OR_PAGE | DESCRIPTOR_VALID
					    : DESCRIPTOR_VALID;

	return output.value | attributes | type;
}

static inline uint64_t leaf_attributes(uint64_t descriptor)
{
	return descriptor & ~(DESCRIPTOR_ADDRESS | DESCRIPTOR_TABLE_OR_PAGE | DESCRIPTOR_VALID);
}

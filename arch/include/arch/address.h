/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses.
 *
 * Invariant: a physical address, an input address of a translation regime and an address the
 * hypervisor itself loads from are three different types, so that mixing them does not compile.
 *
 * Every range is half open, [start, end). Range checks never add to an address: they compare a
 * length with the distance that is left, so that nothing wraps at the top of the address space.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The translation granule: 4 KiB (Arm ARM D8.2, "The 4KB translation granule"). */
#define PAGE_SHIFT 12
#define PAGE_SIZE (UINT64_C(1) << PAGE_SHIFT)

/* The architecture without FEAT_LPA2 resolves at most 48 bits of input and of output address. */
#define ADDRESS_BITS_MAX 48

/* A physical address: what Stage 2, and EL2's Stage 1, produce. Bytes. */
struct paddr {
	uint64_t value;
};

/* An input address of a space: an IPA for Stage 2, a virtual address for Stage 1. Bytes. */
struct iaddr {
	uint64_t value;
};

struct prange {
	struct paddr start;
	struct paddr end; /* exclusive */
};

struct irange {
	struct iaddr start;
	struct iaddr end; /* exclusive */
};

static inline struct paddr paddr(uint64_t value)
{
	return (struct paddr){ value };
}

static inline struct iaddr iaddr(uint64_t value)
{
	return (struct iaddr){ value };
}

static inline bool is_page_aligned(uint64_t value)
{
	return (value & (PAGE_SIZE - 1)) == 0;
}

static inline uint64_t page_align_down(uint64_t value)
{
	return value & ~(PAGE_SIZE - 1);
}

/* @value rounded up; the caller knows that it lies at least a page below 2^64. */
static inline uint64_t page_align_up(uint64_t value)
{
	return page_align_down(value + PAGE_SIZE - 1);
}

static inline struct prange prange(struct paddr start, struct paddr end)
{
	return (struct prange){ start, end };
}

/* The page at @page, which is page aligned. */
static inline struct prange page_range(struct paddr page)
{
	return prange(page, paddr(page.value + PAGE_SIZE));
}

static inline uint64_t prange_size(struct prange range)
{
	return range.end.value - range.start.value;
}

/* Empty, or reversed. */
static inline bool prange_is_empty(struct prange range)
{
	return range.start.value >= range.end.value;
}

static inline bool prange_is_page_aligned(struct prange range)
{
	return is_page_aligned(range.start.value | range.end.value);
}

static inline bool prange_contains(struct prange outer, struct prange inner)
{
	return outer.start.value <= inner.start.value && inner.end.value <= outer.end.value;
}

static inline bool prange_has(struct prange range, struct paddr address)
{
	return range.start.value <= address.value && address.value < range.end.value;
}

static inline bool prange_overlaps(struct prange a, struct prange b)
{
	return a.start.value < b.end.value && b.start.value < a.end.value;
}

/* What both have; empty if there is nothing. */
static inline struct prange prange_intersection(struct prange a, struct prange b)
{
	return prange(a.start.value > b.start.value ? a.start : b.start,
		      a.end.value < b.end.value ? a.end : b.end);
}

static inline struct irange irange(struct iaddr start, struct iaddr end)
{
	return (struct irange){ start, end };
}

static inline uint64_t irange_size(struct irange range)
{
	return range.end.value - range.start.value;
}

/* Empty, or reversed. */
static inline bool irange_is_empty(struct irange range)
{
	return range.start.value >= range.end.value;
}

static inline bool irange_is_page_aligned(struct irange range)
{
	return is_page_aligned(range.start.value | range.end.value);
}

static inline bool irange_contains(struct irange outer, struct irange inner)
{
	return outer.start.value <= inner.start.value && inner.end.value <= outer.end.value;
}

static inline bool irange_has(struct irange range, struct iaddr address)
{
	return range.start.value <= address.value && address.value < range.end.value;
}

static inline bool irange_overlaps(struct irange a, struct irange b)
{
	return a.start.value < b.end.value && b.start.value < a.end.value;
}

/* What both have; empty if there is nothing. */
static inline struct irange irange_intersection(struct irange a, struct irange b)
{
	return irange(a.start.value > b.start.value ? a.start : b.start,
		      a.end.value < b.end.value ? a.end : b.end);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a mapping permits and how it is cached.
 *
 * Stage 2 (Arm ARM D8.4.3, "Stage 2 permissions"; D8.6.6, "Stage 2 memory types") can say all of it.
 * EL2's Stage 1 has no user bit without VHE, cannot make a page unreadable or execute-only, and
 * with SCTLR_EL2.WXN a writable page is never executable: what a regime cannot say is
 * MM_NOT_SUPPORTED, never rounded to something else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum page_flag {
	PAGE_READ = 1 << 0,
	PAGE_WRITE = 1 << 1,
	PAGE_EXECUTE = 1 << 2,
	PAGE_ACCESSED = 1 << 3, /* the Access flag: clear makes the next access fault */
	/* Stage 2 with FEAT_HAFDBS only: where the space lets the hardware manage flags, a write where
	 * PAGE_WRITE is clear sets that, and does not fault (the DBM bit). So with it PAGE_WRITE says
	 * dirty, and no PAGE_WRITE says clean; both can be written. */
	PAGE_DIRTY_STATE = 1 << 4,
};

enum cache_policy {
	CACHE_WRITEBACK,    /* Normal, Inner and Outer Write-Back, Inner Shareable */
	CACHE_WRITETHROUGH, /* Normal, Inner and Outer Write-Through, Inner Shareable */
	CACHE_UNCACHED,	    /* Normal, Non-cacheable (write combining) */
	CACHE_DEVICE,	    /* Device-nGnRE, never executable */
	CACHE_POLICY_COUNT
};

struct page_property {
	uint8_t flags; /* enum page_flag */
	uint8_t cache; /* enum cache_policy */
};

static inline struct page_property page_property(uint8_t flags, enum cache_policy cache)
{
	return (struct page_property){ flags, (uint8_t)cache };
}

static inline bool page_property_equal(struct page_property a, struct page_property b)
{
	return a.flags == b.flags && a.cache == b.cache;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What tests of spaces and cursors share. */
#pragma once

#include "harness.h"
#include <strata/cursor.h>
#include <strata/ownership.h>
#include <strata/vm_space.h>

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define READ_ONLY page_property(PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK)
#define READ_WRITE page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK)
#define READ_EXECUTE page_property(PAGE_READ | PAGE_EXECUTE | PAGE_ACCESSED, CACHE_WRITEBACK)
#define DEVICE page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_DEVICE)

/* Where there is no memory: 1 GiB aligned, within 40 bits. Mapped only, never accessed. */
#define NO_MEMORY_BASE UINT64_C(0xe000000000)

static inline struct irange span(uint64_t start, uint64_t size)
{
	return irange(iaddr(start), iaddr(start + size));
}

/* A cursor on [@start, @start + @size). */
static inline void open_at(struct vm_space *space, uint64_t start, uint64_t size,
			   struct cursor *cursor)
{
	EXPECT_OK(cursor_open(space, span(start, size), CURSOR_MUTABLE, cursor));
}

/* Opens a cursor just for what is named, and closes it. */
struct paddr map_frame_at(struct world *world, struct vm_space *space, uint64_t ia,
			  struct page_property property);
struct paddr map_segment_at(struct world *world, struct vm_space *space, uint64_t ia,
			    uint64_t pages, uint64_t alignment, struct page_property property);
void map_iomem_at(struct vm_space *space, uint64_t ia, uint64_t output, uint64_t size,
		  struct page_property property);
/* How many leaves were removed. */
uint64_t unmap_at(struct vm_space *space, uint64_t ia, uint64_t size);
/* Gives everything in the range @property. */
void protect_at(struct vm_space *space, uint64_t ia, uint64_t size, struct page_property property);
struct cursor_item item_at(struct vm_space *space, uint64_t ia);

/* @ia is mapped by a leaf of @leaf bytes, as @property says, to @output. */
void expect_mapped(struct vm_space *space, uint64_t ia, uint64_t output, uint64_t leaf,
		   struct page_property property);
void expect_hole(struct vm_space *space, uint64_t ia);

/*
 * Asks the MMU about every page of the range (every @step bytes), for reading and for writing, and
 * the cursor too: they agree. The space is left inactive.
 */
void expect_mmu_agrees(struct world *world, struct vm_space *space, uint64_t start, uint64_t size,
		       uint64_t step);

/* Puts the page of @frame, which is the hypervisor's, in a new sharing of two spaces. */
struct sharing *share_frame(const frame_t *frame, const struct vm_space *a,
			    const struct vm_space *b);

/* References to the page at @page. */
uint32_t references_of(struct paddr page);

/* For cursor_protect_next: the property that @context points to. */
struct page_property become(struct page_property property, void *context);

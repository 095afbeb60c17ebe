/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages of each kind of memory that readers and writers know, so that one claim can be made of all
 * kinds. What a page holds is known by its frame, past every table.
 */
#pragma once

#include "mapping.h"
#include <strata/vm_guest.h>
#include <strata/vm_object.h>
#include <strata/vm_reader.h>
#include <strata/vm_writer.h>

#define PLACE_PAGES_MAX 4

/* The guest's tables: an input address of 39 bits in either half, from level 1; 40 bits of output. */
#define GUEST_TABLES_IPA UINT64_C(0x10000000)
#define GUEST_TABLES 4 /* level 1, 2 and 3 for the lower half, level 1 for the upper one */
#define GUEST_TCR (UINT64_C(25) | UINT64_C(25) << 16 | UINT64_C(2) << 30 | UINT64_C(2) << 32)

struct place {
	enum vm_io_kind kind;
	uint64_t base; /* of the first page, in the kind's own addresses; a hole follows the last */
	unsigned int pages;
	frame_t frames[PLACE_PAGES_MAX]; /* one more reference to each page */
	struct vm_space space;		 /* SPACE, GUEST; WINDOW_SPACE: it is active */
	uint64_t ipa;			 /* of the first page: where there is a space */
	struct vm_guest guest;		 /* GUEST */
	struct paddr tables[GUEST_TABLES];
	struct segment segment; /* HYPERVISOR */
};

/* @pages zeroed pages, that can be read and written. Of places in a window space one is there at a
 * time. */
void place_make(struct world *world, struct place *place, enum vm_io_kind kind, unsigned int pages);
void place_end(struct world *world, struct place *place);

/* Unmaps or protects the page at @index where Stage 2, or EL2's Stage 1 for a window, decides. */
void place_unmap(struct world *world, struct place *place, unsigned int index);
void place_protect(struct world *world, struct place *place, unsigned int index,
		   struct page_property property);

/* What lies at @offset, as the frames have it. */
uint8_t *place_byte(const struct place *place, uint64_t offset);
/* Bytes of which each says where it is. */
uint8_t pattern_at(uint64_t offset);
void place_fill_pattern(const struct place *place);

/* The range of @length bytes at @offset, and a reader and a writer of it. */
struct vm_io_range place_range(struct world *world, struct place *place, uint64_t offset,
			       uint64_t length);
struct vm_reader place_reader(struct world *world, struct place *place, uint64_t offset,
			      uint64_t length);
struct vm_writer place_writer(struct world *world, struct place *place, uint64_t offset,
			      uint64_t length);

/* Of the hypervisor's own memory. */
struct vm_reader own_reader(const void *start, uint64_t length);
struct vm_writer own_writer(void *start, uint64_t length);

/* A descriptor of the guest's tables: @table is 0 to GUEST_TABLES - 1. */
void guest_put(struct place *place, unsigned int table, uint64_t index, uint64_t descriptor);
#define GUEST_TABLE(n) ((GUEST_TABLES_IPA + (uint64_t)(n)*PAGE_SIZE) | 3)
/* EL1 and EL0 may read and write; executable by none that may not be. */
#define GUEST_PAGE UINT64_C(0x743)

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regions: what the model knows of each page.
 *
 * Invariant: a page is in one of four states, and its counts agree with it.
 *
 *	free	nobody has it: every count is 0
 *	shared	rc = B + H + P + C + T, at least 1
 *	unique	one handle, or one list, has it; every count is 0
 *	other	never looked at, or not a frame: tables, metadata, the hypervisor's own
 *
 * H, P, C and T are what the sentence of frame.h says: live handles, raw ones too; table entries;
 * segments; parked references. B is what the model cannot name: references from before it began, and
 * handles that the subsystem could not certify (share.h).
 *
 * Sparse: pages that no operation named cost nothing.
 */
#pragma once

#include "arena.h"
#include "owners.h"
#include "tree.h"

#include <arch/address.h>
#include <stdbool.h>

enum page_knowledge {
	PAGE_OTHER,
	PAGE_FREE,
	PAGE_SHARED,
	PAGE_UNIQUE_OWNER,
};

struct page_record {
	uint32_t references;	  /* rc, as the steps count it */
	uint32_t before;	  /* B */
	uint32_t handles;	  /* H */
	uint32_t entries;	  /* P */
	uint32_t covers;	  /* C */
	uint32_t parked;	  /* T */
	uint32_t list : 27;	  /* the number of the list that has it (L), 0: none */
	uint32_t withheld : 1;	  /* free, and not given to who asks for any page */
	uint32_t state : 2;	  /* enum page_knowledge */
	uint32_t unique : 2;	  /* unique handles that have it (U) */
	uint32_t seen;		  /* while an invariant counts something anew */
	const void *metadata;	  /* its object, of one that has an owner */
	struct live_owner *owner; /* whose it is (owners.h); NULL: the hypervisor's */
};

/* What the counts add up to: rc, of a page that is shared. */
static inline uint64_t page_record_sum(const struct page_record *record)
{
	return (uint64_t)record->before + record->handles + record->entries + record->covers +
	       record->parked;
}

#define CHUNK_SHIFT 21
#define CHUNK_PAGES (UINT64_C(1) << (CHUNK_SHIFT - PAGE_SHIFT))

/* 2 MiB of pages. Alike, as those of a large segment are, they are one record until one differs. */
struct page_chunk {
	RB_ENTRY(page_chunk) link;
	uint64_t number;	   /* physical address / 2 MiB */
	struct page_record all;	   /* of each page, while pages is NULL */
	struct page_record *pages; /* CHUNK_PAGES of them */
};

struct regions {
	RB_HEAD(chunk_tree, page_chunk) chunks;
	struct model_pool chunk_pool;
	struct model_pool pages_pool;
	struct page_chunk *last; /* looked up */
};

void regions_init(struct regions *regions, struct model_arena *arena);

/* What is known of the page at @page; made PAGE_OTHER if it is new. NULL: the arena is full. */
struct page_record *regions_page(struct regions *regions, struct paddr page);

/*
 * One record for the first @count pages of @pages: for a whole chunk if its pages are alike, else for
 * one page.
 */
struct page_record *regions_run(struct regions *regions, struct prange pages, uint64_t *count);

/* The same as regions_page, NULL if nothing is known of it. */
const struct page_record *regions_find(const struct regions *regions, struct paddr page);

/* Calls @visit for every page whose state is not PAGE_OTHER, by ascending address, until it is false. */
bool regions_each(const struct regions *regions,
		  bool (*visit)(struct paddr page, const struct page_record *record, void *context),
		  void *context);

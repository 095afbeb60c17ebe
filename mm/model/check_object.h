/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events in the store's words; and the checks of operations that are no operation on a table: of frames,
 * segments, lists, flushes, areas and memory, of readers and writers, of owners.
 */
#pragma once

#include "checker.h"

/* The operation in the store's words. */
struct op op_of(const struct mm_operation *operation);
struct op_outcome outcome_of(const struct mm_operation *operation);

/* Steps the store, and compares all that came of it, and the counts of the pages concerned. */
void check_object_operation(struct checker *checker, const struct mm_operation *operation);

/* Readers and writers. */
void check_io_operation(struct checker *checker, const struct mm_operation *operation);

/* Owners of pages, and sharings. */
void check_owner_operation(struct checker *checker, const struct mm_operation *operation);

/* A page's references as the subsystem has them against the store's; true if they agree. What does not is
 * followed (follow.h). */
bool check_page(struct store *store, struct paddr page, struct subject subject);

/* Its owner, if it is shared. Unless it is @settled, another CPU's change may not have been reported. */
bool check_owner(struct store *store, struct paddr page, bool settled, struct subject subject);

/* The handle must be what it was made as; one that nobody knows is from before the model. */
void check_handle(const struct store *store, const struct op *op, struct subject subject);

/* Of many pages some are looked at: of more than 4 MiB the first and the last of every 2 MiB. The one after
 * @page, which is one. */
static inline struct paddr next_sampled(struct prange pages, struct paddr page)
{
	const uint64_t chunk = UINT64_C(1) << CHUNK_SHIFT;
	uint64_t last = (page.value & ~(chunk - 1)) + chunk - PAGE_SIZE;

	return paddr(prange_size(pages) > 2 * chunk && page.value < last ? last
									 : page.value + PAGE_SIZE);
}

/* Whether those, which are memory, are as who asked for zeroes gets them. */
void check_zeroed(struct prange pages, struct subject subject);

/* check_page, of those; ends at the first that does not agree. */
void check_pages(struct store *store, struct prange pages, struct subject subject);

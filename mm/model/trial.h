/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A page table that is being tried out: calls that are checked as they are made.
 *
 * Invariant: the result keeps the first rule that was broken and the call that broke it; from then on
 * no call is made.
 */
#pragma once

#include "conformance.h"

struct trial {
	const struct page_table_interface *interface;
	void *table;
	struct model_pool pool;
	struct page_table_state before, after; /* around the last call */
	struct prange outputs;
	uint64_t input; /* the first address */
	uint64_t page;	/* the smallest frame */
	struct page_property property;
	struct conformance_result result;
};

/* Remembers that @broken (NULL: nothing was) by @call at @address. */
void trial_note(struct trial *trial, const char *broken, const char *call, uint64_t address);

/* The table's invariants; what it means becomes @state. NULL, or what does not hold. */
const char *trial_look(struct trial *trial, struct page_table_state *state);

/* One call, held against the rules. */
enum mm_status trial_map(struct trial *trial, struct mapping mapping);
void trial_unmap(struct trial *trial, struct irange range);
void trial_query(struct trial *trial, uint64_t address);

/* @count smallest frames, the @first of the table's addresses and those after it. */
struct irange trial_range(const struct trial *trial, uint64_t first, uint64_t count);
/* The same, to be mapped to the outputs from number @output on. */
struct mapping trial_pages(const struct trial *trial, uint64_t first, uint64_t count,
			   uint64_t output);

/* Maps trial_pages, which must succeed: a claim that says nothing does not hold. */
void trial_given(struct trial *trial, uint64_t first, uint64_t count, uint64_t output);

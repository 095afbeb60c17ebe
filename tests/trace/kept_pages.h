/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages, each with its usage, references, owner and perhaps its bytes, that a call is to leave as they are. */
#pragma once

#include <strata/ownership.h>
#include <strata/tlb_gather.h>

/* None. */
void kept_pages_begin(void);

/* One more, if it is memory; @bytes: with those. */
void kept_pages_add(struct paddr page, bool bytes);

/* The first and the last pages of a handle, and the bytes of a few. */
void kept_pages_of_handle(struct prange pages);

/* All of @memory; of more than there is room for, evenly some. */
void kept_pages_add_all(struct prange memory);

/* Those that @gather has parked, and tables that nothing leads to any more, may have been given back by
 * the time they are judged: a flush does that, also for a call that is refused after it. */
void kept_pages_flushed(const struct tlb_gather *gather);

/* NULL, or what changed. */
const char *kept_pages_judge(void);

static inline uint64_t sum_with(uint64_t sum, uint64_t value)
{
	sum = (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 32;
}

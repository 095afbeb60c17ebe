/* SPDX-License-Identifier: BSD-3-Clause */
/* Frame lists, beside an array of page addresses that does the same in the plain way. */
#pragma once

#include "harness.h"
#include <strata/frame_list.h>

enum { FRAMES = 12 };

/* What a list should be: pages in order. */
struct array {
	struct paddr pages[FRAMES];
	unsigned int count;
};

void array_insert(struct array *array, unsigned int at, struct paddr page);
struct paddr array_take(struct array *array, unsigned int at);

/* The list has what the array has, in the same order; and of the pages @all no others. */
void expect_list(struct frame_list *list, const struct array *array, const struct paddr *all,
		 size_t all_count);

unique_frame_t new_unique(void);

/* @count frames pushed at the back of a new list, in the order of the array's pages. */
void fill(struct frame_list *list, struct array *array, unsigned int count);

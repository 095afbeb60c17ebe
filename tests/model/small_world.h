/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Machines so small that every state of theirs can be visited: a page is one word, a block two pages,
 * and there are a few of each.
 *
 * Promise: small_world_explore takes, from the initial state on, every step that the low machine may
 * take with the world's mappings and accesses, from every state it reaches, and checks each of them
 * (refine.h). What a TLB holds, and when it fills and evicts, is part of the state: no schedule of it
 * is left out.
 */
#pragma once

#include <refine.h>

#define WORLD_PAGES_MAX 4

struct small_world {
	unsigned int pages;   /* of input addresses: even */
	unsigned int outputs; /* pages of physical memory */
	unsigned int values;  /* that a word may have: 0 and up */
	const struct page_property *properties;
	unsigned int property_count;
	bool users; /* accesses by EL0 as well */
};

struct exploration {
	uint64_t states, steps;
	uint64_t kinds[STEP_COUNT];  /* steps of each kind */
	struct refine_result broken; /* broken.broken NULL: nothing was */
	struct low_step step;	     /* that broke it */
};

struct exploration small_world_explore(const struct small_world *world);

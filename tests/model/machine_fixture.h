/* SPDX-License-Identifier: BSD-3-Clause */
/* A low machine of the sizes that CPUs have, before and after a step. */
#pragma once

#include <mappings_relate.h>
#include <refine.h>

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)
#define MEMORY_START UINT64_C(0x40000000)
#define MEMORY_BYTES GIB(4)

struct machine {
	struct model_arena arena;
	struct machine_pools pools;
	struct refinement refinement;
	struct low_state before, after;
	void *memory;
};

/* 39 bits of input address, from level 1: frames of 1 GiB, 2 MiB and 4 KiB. Any property. */
struct page_table_constants machine_constants(void);

/* For cmocka. */
int machine_set_up(void **state);
int machine_tear_down(void **state);

/* [@start, @start + @size) to @offset of memory. */
struct mapping machine_mapping(uint64_t start, uint64_t size, uint64_t offset,
			       struct page_property property);

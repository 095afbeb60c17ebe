/* SPDX-License-Identifier: BSD-3-Clause */
/* Random operations on a region of a space, for readings between them. */
#pragma once

#include "draw.h"
#include "readings.h"

#define REGION_PAGES UINT64_C(2048)
#define REGION_BYTES (REGION_PAGES * PAGE_SIZE)

/* How many runs from a seed, of how many steps, with how many words read after each. */
#if WORLD_SIMULATED
#define RANDOM_SEEDS 4
#define RANDOM_STEPS 150
#else
#define RANDOM_SEEDS 2
#define RANDOM_STEPS 60
#endif
#define RANDOM_WORDS 6

/* Maps, shares, protects or unmaps something in the region at @base; @meanwhile as readings_unmap. */
void random_step(struct readings *readings, uint64_t base, uint32_t *random,
		 void (*meanwhile)(struct readings *readings, uint64_t ia, uint64_t size));

/* The offset of a word of the region that the machine knows: mostly where something happens. */
uint64_t random_word(uint32_t *random);

/* What a CPU does by itself: forget. The simulated one forgets nothing unless it is told to. */
void random_disturb(uint32_t *random);

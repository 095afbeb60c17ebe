/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers by chance: the seed is part of the test, so it is the same in every run. */
#pragma once

#include <stdint.h>

/* 24 bits. */
static inline uint32_t next_random(uint32_t *random)
{
	*random = *random * 1664525 + 1013904223;
	return *random >> 8;
}

/* 0 to @limit - 1. */
static inline uint32_t random_below(uint32_t *random, uint64_t limit)
{
	return (uint32_t)(next_random(random) % limit);
}

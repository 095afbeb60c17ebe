/* SPDX-License-Identifier: BSD-3-Clause */
/* Random operations on a cursor, right and wrong ones. */
#pragma once

#include "monitor/random.h"

#include <strata/cursor.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

#define RAM_BASE (1 * GIB)
#define RAM_SIZE (64 * MIB)
#define DEVICE_BASE (6 * GIB)
#define DEVICE_IN_RAM (RAM_BASE + RAM_SIZE - 4 * MIB)
#define DEVICE_IN_RAM_SIZE (2 * MIB)

/* Mostly a few pages around 2 MiB and 1 GiB boundaries, where blocks begin, end and are cut. */
uint64_t random_address(struct random *random, uint64_t limit);
uint64_t random_length(struct random *random);

/* One, or some that make a block or nearly do. The space's addresses begin at @base. */
void one_operation(struct cursor *cursor, struct random *random, uint64_t base);

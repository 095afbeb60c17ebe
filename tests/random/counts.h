/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run says that it reached. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <strata/status.h>

#define STATUSES_COUNT (MM_NOT_SUPPORTED + 1)

/* Adds the numbers that @more consists of, @size bytes of uint64_t, to those of @sum. */
void counts_add(void *sum, const void *more, size_t size);

/* A line: what was called, and how often it ended in which status. */
void counts_print(const char *called, const uint64_t statuses[STATUSES_COUNT]);

/* SPDX-License-Identifier: BSD-3-Clause */
/* A sum over a page's words (FNV-1a), for witnesses: any single changed word changes it. */
#pragma once

#include <arch/address.h>
#include <stddef.h>
#include <stdint.h>

static inline uint64_t page_sum(const uint64_t *words)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		sum = (sum ^ words[i]) * UINT64_C(0x100000001b3);
	return sum;
}

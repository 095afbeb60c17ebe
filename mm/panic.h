/* SPDX-License-Identifier: BSD-3-Clause */
/* Broken invariants, and nothing else: bad input gets a status. */
#pragma once

#include <stdint.h>

/* Names the sentence that does not hold and the value that contradicts it, by the host's hook. */
_Noreturn void mm_panic(const char *invariant, uint64_t value);

#define MM_INVARIANT(holds, invariant, value)                                                      \
	do {                                                                                       \
		if (__builtin_expect(!(holds), 0))                                                 \
			mm_panic((invariant), (uint64_t)(value));                                  \
	} while (0)

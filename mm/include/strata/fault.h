/* SPDX-License-Identifier: BSD-3-Clause */
/* Fault injection, for tests of checked builds. Release builds contain none of it. */
#pragma once

#include <arch/observe.h>
#include <stdint.h>

#if STRATA_CHECKED

/* The @nth allocation of pages from now on (1 is the next) fails once with MM_NO_MEMORY; 0 stops. */
void mm_fail_allocation(uint64_t nth);

#endif

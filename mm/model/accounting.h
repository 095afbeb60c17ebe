/* SPDX-License-Identifier: BSD-3-Clause */
/* What an uncounted mapping may not translate to: the subsystem's memory. */
#pragma once

#include "store.h"

/* Whether @output, page aligned, touches memory of the subsystem that is not PAGE_MMIO. All pages. */
bool accounting_is_memory(const struct store *store, struct prange output);

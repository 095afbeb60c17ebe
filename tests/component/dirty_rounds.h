/* SPDX-License-Identifier: BSD-3-Clause */
/* A dirty log of a space that guests store to: by faults, or by hardware. */
#pragma once

#include "two_cpus.h"
#include <strata/dirty_log.h>

/* A store by one of two CPUs, as @random says, to @page. It is done. */
typedef void logged_store(struct vm_space *space, struct dirty_log *log, uint32_t random,
			  uint64_t page);

/* Rounds of stores by chance to pages 0 to @pages - 1, of which a log has most: after each round the list
 * has exactly what was stored in it. */
void expect_stores_listed(struct vm_space *space, uint64_t pages, logged_store *store);

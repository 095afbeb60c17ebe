/* SPDX-License-Identifier: BSD-3-Clause */
/* What happens when the monitor itself tries to give a guest a page that is another's. */
#pragma once

#include "../boot_info.h"
#include "guest.h"

bool escape_is_memory(const struct boot_info *info, struct paddr address);

/*
 * Tries to map the page at @page, counted and then as a device, into @guest, where nothing is mapped.
 * MM_ACCESS_DENIED: both were denied, as they must be. MM_EXISTS: a way was found; it is undone. Any other
 * status is that of the first way that was not denied.
 */
MM_MUST_CHECK enum mm_status escape_map(struct guest *guest, struct paddr page);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose pages a Stage-2 mapping may translate to: a counted one, those that their owner permits its
 * space to map (strata/ownership.h); an uncounted one, none that is the subsystem's memory.
 */
#pragma once

#include <arch/address.h>
#include <stdbool.h>
#include <strata/vm_space.h>

/*
 * Whether every page of @pages is @space's own, or of a sharing that lets it have the page: after a
 * first map no page is the hypervisor's any more. Owners are asked about as they are now.
 */
bool accounting_is_permitted(const struct vm_space *space, struct prange pages);

/* Whether @output, page aligned, touches memory of the subsystem that is not PAGE_MMIO. All pages. */
bool accounting_is_memory(struct prange output);

/* SPDX-License-Identifier: BSD-3-Clause */
#include "accounting.h"

#include <strata/frame.h>

bool accounting_is_memory(struct prange output)
{
	for (uint64_t page = output.start.value; page < output.end.value; page += PAGE_SIZE) {
		struct page_state state;

		if (page_state(paddr(page), &state) == MM_OK && state.usage != PAGE_MMIO)
			return true;
	}
	return false;
}

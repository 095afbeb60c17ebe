/* SPDX-License-Identifier: BSD-3-Clause */
#include "accounting.h"

bool accounting_is_memory(const struct store *store, struct prange output)
{
	const struct live_memory *memory;

	LIST_FOREACH(memory, &store->memory, link)
	{
		struct prange part = prange_intersection(memory->range, output);

		for (; part.start.value < part.end.value; part.start.value += PAGE_SIZE) {
			struct page_state state;

			if (page_state(part.start, &state) == MM_OK && state.usage != PAGE_MMIO)
				return true;
		}
	}
	return false;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "accounting.h"

#include <strata/frame.h>
#include <strata/ownership.h>

static bool permits(const struct page_owner *owner, const struct vm_space *space)
{
	if (owner->kind == OWNER_SPACE)
		return owner->space == space;
	if (owner->kind != OWNER_SHARING)
		return false;
	return sharing_has_member(owner->sharing, space) ||
	       (!owner->lent && sharing_owner(owner->sharing) == space);
}

bool accounting_is_permitted(const struct vm_space *space, struct prange pages)
{
	for (uint64_t page = pages.start.value; page < pages.end.value; page += PAGE_SIZE) {
		struct page_owner owner = page_owner(paddr(page));

		if (!permits(&owner, space))
			return false;
	}
	return true;
}

bool accounting_is_memory(struct prange output)
{
	for (uint64_t page = output.start.value; page < output.end.value; page += PAGE_SIZE) {
		struct page_state state;

		if (page_state(paddr(page), &state) == MM_OK && state.usage != PAGE_MMIO)
			return true;
	}
	return false;
}

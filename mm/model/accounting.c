/* SPDX-License-Identifier: BSD-3-Clause */
#include "accounting.h"

#include <inttypes.h>
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

static struct iaddr input_of(const struct mapping *mapping, uint64_t page)
{
	return iaddr(mapping->range.start.value + (page - mapping->output.value));
}

void accounting_check_counted(const struct mapping *mapping, struct subject subject)
{
	uint64_t end = mapping_output(mapping, mapping->range.end).value;

	for (uint64_t page = mapping->output.value; page < end; page += PAGE_SIZE) {
		struct page_state state;
		enum mm_status status = page_state(paddr(page), &state);

		if (status == MM_OK && state.usage == PAGE_FRAME && state.references != 0)
			continue;
		if (status != MM_OK)
			difference(subject, input_of(mapping, page),
				   "page 0x%" PRIx64 " is mapped as counted, but is no memory",
				   page);
		else
			difference(subject, input_of(mapping, page),
				   "page 0x%" PRIx64
				   " is mapped as counted, but is %s with %" PRIu32 " references",
				   page, page_usage_name(state.usage), state.references);
		return;
	}
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

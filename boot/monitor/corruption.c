/* SPDX-License-Identifier: BSD-3-Clause */
#include "corruption.h"

#include <strata/mm.h>

#define TABLE_ENTRIES 512
#define LAST_LEVEL 3
#define VALID UINT64_C(1)
#define TABLE_OR_PAGE UINT64_C(2)
#define TABLE_ADDRESS UINT64_C(0x0000fffffffff000)
#define STAGE2_WRITE_ACCESS (UINT64_C(1) << 7) /* S2AP[1], Arm ARM D8.4.3 */

static uint64_t *first_valid(uint64_t *table, size_t entries)
{
	for (size_t i = 0; i < entries; i++) {
		if (table[i] & VALID)
			return &table[i];
	}
	return NULL;
}

void corrupt_leaf(struct vm_space *space)
{
	if (vm_space_activate(space) != MM_OK)
		return;

	const struct stage2_context *context = stage2_active();
	int level = context->geometry.root_level;
	uint64_t *descriptor = first_valid(mm_linear(context->root),
					   context->geometry.root_tables * (size_t)TABLE_ENTRIES);

	/* A table that is linked has a descriptor. */
	for (; descriptor && level < LAST_LEVEL && *descriptor & TABLE_OR_PAGE; level++)
		descriptor =
			first_valid(mm_linear(paddr(*descriptor & TABLE_ADDRESS)), TABLE_ENTRIES);
	if (descriptor)
		*descriptor ^= STAGE2_WRITE_ACCESS;
	vm_space_deactivate();
}

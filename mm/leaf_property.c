/* SPDX-License-Identifier: BSD-3-Clause */
#include "leaf_property.h"
#include "descriptor.h"

#define SHAREABILITY_SHIFT 8
#define SHAREABILITY_OUTER                                                                         \
	(UINT64_C(2) << SHAREABILITY_SHIFT) /* what Device memory is in any case */
#define SHAREABILITY_INNER (UINT64_C(3) << SHAREABILITY_SHIFT)
#define EXECUTE_NEVER (UINT64_C(1) << 54) /* XN of EL2's Stage 1; XN[1] of Stage 2: EL1 and EL0 */

/* Stage 1, one privilege level (Arm ARM D8.4.1): AttrIndx[2:0], AP[2:1]. */
#define STAGE1_ATTRIBUTE_SHIFT 2
#define STAGE1_ATTRIBUTE_MASK (UINT64_C(7) << STAGE1_ATTRIBUTE_SHIFT)
#define STAGE1_AP1_RES1 (UINT64_C(1) << 6)
#define STAGE1_READ_ONLY (UINT64_C(1) << 7)

/* Indices into MAIR_EL2 (strata/vm_space.h says what it holds), and MemAttr values. */
static const uint8_t stage1_memory[CACHE_POLICY_COUNT] = {
	[CACHE_WRITEBACK] = 0,
	[CACHE_DEVICE] = 1,
	[CACHE_UNCACHED] = 2,
	[CACHE_WRITETHROUGH] = 3,
};

static const uint8_t stage2_memory[CACHE_POLICY_COUNT] = {
	[CACHE_WRITEBACK] = STAGE2_MEMORY_WRITEBACK,
	[CACHE_WRITETHROUGH] = STAGE2_MEMORY_WRITETHROUGH,
	[CACHE_UNCACHED] = STAGE2_MEMORY_UNCACHED,
	[CACHE_DEVICE] = STAGE2_MEMORY_DEVICE,
};

#define ALL_FLAGS (PAGE_READ | PAGE_WRITE | PAGE_EXECUTE | PAGE_ACCESSED | PAGE_DIRTY_STATE)

bool property_encode(const struct vm_space *space, struct page_property property,
		     uint64_t *attributes)
{
	bool read = property.flags & PAGE_READ;
	bool write = property.flags & PAGE_WRITE;
	bool execute = property.flags & PAGE_EXECUTE;
	uint64_t bits;

	if (property.cache >= CACHE_POLICY_COUNT || (property.flags & ~ALL_FLAGS) != 0)
		return false;
	if (property.cache == CACHE_DEVICE && execute)
		return false;
	if ((property.flags & PAGE_DIRTY_STATE) && !space->context.hardware_flags)
		return false;

	bits = property.cache == CACHE_DEVICE ? SHAREABILITY_OUTER : SHAREABILITY_INNER;
	if (property.flags & PAGE_ACCESSED)
		bits |= DESCRIPTOR_ACCESS_FLAG;
	if (!execute)
		bits |= EXECUTE_NEVER;

	if (space->stage == STAGE_1) {
		/* Readable always, and with SCTLR_EL2.WXN never writable and executable. */
		if (!read || (write && execute))
			return false;
		bits |= (uint64_t)stage1_memory[property.cache] << STAGE1_ATTRIBUTE_SHIFT;
		bits |= STAGE1_AP1_RES1;
		if (!write)
			bits |= STAGE1_READ_ONLY;
	} else {
		bits |= (uint64_t)stage2_memory[property.cache] << STAGE2_ATTRIBUTE_SHIFT;
		if (read)
			bits |= STAGE2_READ;
		if (write)
			bits |= STAGE2_WRITE;
		if (property.flags & PAGE_DIRTY_STATE)
			bits |= STAGE2_DIRTY_BIT_MODIFIER;
	}
	*attributes = bits;
	return true;
}

static enum cache_policy cache_of(const uint8_t *values, uint64_t value)
{
	unsigned int policy = 0;

	while (policy < CACHE_POLICY_COUNT - 1 && values[policy] != value)
		policy++;
	return (enum cache_policy)policy;
}

struct page_property property_decode(enum translation_stage stage, uint64_t attributes)
{
	struct page_property property = { 0, 0 };

	if (attributes & DESCRIPTOR_ACCESS_FLAG)
		property.flags |= PAGE_ACCESSED;
	if (!(attributes & EXECUTE_NEVER))
		property.flags |= PAGE_EXECUTE;
	if (stage == STAGE_1) {
		property.flags |= PAGE_READ;
		if (!(attributes & STAGE1_READ_ONLY))
			property.flags |= PAGE_WRITE;
		property.cache =
			(uint8_t)cache_of(stage1_memory, (attributes & STAGE1_ATTRIBUTE_MASK) >>
								 STAGE1_ATTRIBUTE_SHIFT);
	} else {
		if (attributes & STAGE2_READ)
			property.flags |= PAGE_READ;
		if (attributes & STAGE2_WRITE)
			property.flags |= PAGE_WRITE;
		if (attributes & STAGE2_DIRTY_BIT_MODIFIER)
			property.flags |= PAGE_DIRTY_STATE;
		property.cache =
			(uint8_t)cache_of(stage2_memory, (attributes & STAGE2_ATTRIBUTE_MASK) >>
								 STAGE2_ATTRIBUTE_SHIFT);
	}
	return property;
}

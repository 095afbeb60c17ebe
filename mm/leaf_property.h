/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What differs between the stages: how a property is written in a leaf.
 *
 * The two functions are inverse to each other on what a stage can say. Both are called once per
 * operation, not per page: within one, attributes are a constant.
 */
#pragma once

#include <strata/vm_space.h>

/* Stage 2 (Arm ARM D8.4.3, D8.6.6): MemAttr[3:0], S2AP[1:0]. */
#define STAGE2_ATTRIBUTE_SHIFT 2
#define STAGE2_ATTRIBUTE_MASK (UINT64_C(15) << STAGE2_ATTRIBUTE_SHIFT)
#define STAGE2_READ (UINT64_C(1) << 6)
#define STAGE2_WRITE (UINT64_C(1) << 7)
#define STAGE2_DIRTY_BIT_MODIFIER (UINT64_C(1) << 51) /* DBM, FEAT_HAFDBS */
#define STAGE2_MEMORY_WRITEBACK 0xf
#define STAGE2_MEMORY_WRITETHROUGH 0xa
#define STAGE2_MEMORY_UNCACHED 0x5
#define STAGE2_MEMORY_DEVICE 0x1

/* False if @space cannot express @property. */
bool property_encode(const struct vm_space *space, struct page_property property,
		     uint64_t *attributes);

struct page_property property_decode(enum translation_stage stage, uint64_t attributes);

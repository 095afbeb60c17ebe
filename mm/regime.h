/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What differs between the stages: how a property is written in a leaf.
 *
 * Both functions are inverse to each other on what a stage can say. They are called once per
 * operation, not per page: within one, attributes are a constant.
 */
#pragma once

#include <strata/vm_space.h>

/* False if the stage cannot express @property. */
bool property_encode(enum translation_stage stage, struct page_property property,
		     uint64_t *attributes);

struct page_property property_decode(enum translation_stage stage, uint64_t attributes);

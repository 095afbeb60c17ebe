/* SPDX-License-Identifier: BSD-3-Clause */
/* How a Stage-2 context becomes VTCR_EL2 and VTTBR_EL2: pure functions. */
#pragma once

#include <arch/features.h>
#include <arch/translation.h>
#include <stdint.h>

/* Also the PS field of TCR_EL2: the encoding of @pa_bits, one that arch_features() reports. */
uint64_t physical_size_encoding(uint8_t pa_bits);

uint64_t stage2_control(struct translation_geometry geometry, const struct arch_features *features);
uint64_t stage2_base(const struct stage2_context *context);

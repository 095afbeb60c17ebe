/* SPDX-License-Identifier: BSD-3-Clause */
/* Translation regimes, for this floor. */
#pragma once

#include <arch/features.h>
#include <arch/translation.h>
#include <stdint.h>

/* Also the PS field of TCR_EL2: the encoding of @pa_bits, one that arch_features() reports. */
uint64_t physical_size_encoding(uint8_t pa_bits);

/* VTCR_EL2 and VTTBR_EL2. Pure. */
uint64_t stage2_control(const struct stage2_context *context, const struct arch_features *features);
uint64_t stage2_base(const struct stage2_context *context);

/*
 * Closes the EL1&0 translation regime of this CPU: nothing walks it until the world switch loads a
 * guest's registers again. They are lost here; while EL2 runs, a guest's are in its struct vcpu.
 */
void el1_regime_close(void);

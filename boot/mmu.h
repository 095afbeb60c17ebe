/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdint.h>

/* From the live Stage-1 table of EL2 to the one at @root, with SCTLR_EL2.WXN on from then on. Both
 * map the image with VA = PA. No translation of the old table stays cached on this CPU. */
void mmu_switch(uint64_t root);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Translation regimes: which tables the MMU walks on this CPU.
 *
 * Invariant: the Stage-2 context is a per-CPU fact. It is written here and nowhere else, and
 * stage2_active() says what was written last. World switch does not touch it.
 */
#pragma once

#include <arch/address.h>
#include <stdbool.h>

/* The shape of a table, as VTCR_EL2 or TCR_EL2 describes it (4 KiB granule). */
struct translation_geometry {
	uint8_t ia_bits;     /* input address size: 64 - TxSZ */
	uint8_t root_level;  /* level of the first lookup: 0, 1 or 2 */
	uint8_t root_tables; /* concatenated tables at that level: 1, 2, 4, 8 or 16 */
	uint8_t pa_bits;     /* output address size: PS */
};

struct stage2_context {
	struct paddr root; /* aligned to root_tables * PAGE_SIZE */
	uint16_t vmid;
	struct translation_geometry geometry;
	bool hardware_flags; /* VTCR_EL2.HA and HD: needs arch_features()->dirty_state */
};

/*
 * Makes @context the Stage-2 context of this CPU: writes VTCR_EL2 and VTTBR_EL2, then ISB. It
 * invalidates nothing: translations cached for another VMID stay cached.
 */
void stage2_load(const struct stage2_context *context);

/* No Stage-2 context: VTTBR_EL2 points nowhere and no guest may run. ISB included. */
void stage2_unload(void);

/* What stage2_load was given last on this CPU, or NULL after stage2_unload and at start. The
 * pointer is valid until the next load or unload on this CPU. */
const struct stage2_context *stage2_active(void);

/*
 * Makes @root the table of EL2's own Stage 1 on this CPU: writes TTBR0_EL2, then ISB. The geometry
 * must be the one that the MMU was turned on with, and the code that runs, its stack and the linear
 * map be translated alike by both tables.
 *
 * It invalidates nothing, and EL2 has no ASID: what else the table before translated stays cached. So
 * between two tables that translate one address to two places comes one that does not translate it,
 * and an invalidation (Arm ARM D8.16.1, break-before-make).
 */
void el2_stage1_load(struct paddr root, struct translation_geometry geometry);

/* Whether TTBR0_EL2 of this CPU, whoever wrote it, names the table at @root. */
bool el2_stage1_is(struct paddr root);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLB invalidation (Arm ARM D8.16, "TLB maintenance"). All forms but one, which says so, are broadcast
 * in the Inner Shareable domain. None waits: the caller orders them with barrier.h.
 *
 * Stage-2 forms act on the VMID that is active on this CPU (translation.h), never on another.
 * Levels are the Arm ARM's (3 holds pages); TLB_LEVEL_ANY gives no hint. A hint may only be given
 * when every descriptor changed in the range lies at that level: with FEAT_TTL a wrong hint
 * invalidates nothing. CPUs without FEAT_TTL ignore it.
 */
#pragma once

#include <arch/address.h>

#define TLB_LEVEL_ANY (-1)

enum tlb_depth {
	TLB_LEAF_ONLY,	/* only leaf descriptors changed: intermediate walk entries may stay */
	TLB_ALL_LEVELS, /* a table descriptor changed as well */
};

/* EL2's own Stage 1, one page or block that contains @ia: TLBI VALE2IS or VAE2IS. */
void tlbi_el2_address(struct iaddr ia, int level, enum tlb_depth depth);
/* The same for a page-aligned, non-empty range: TLBI RVALE2IS or RVAE2IS. Needs
 * arch_features()->tlb_range; the number of instructions is chosen here. */
void tlbi_el2_range(struct irange range, int level, enum tlb_depth depth);
/* All of EL2's Stage 1: TLBI ALLE2IS. */
void tlbi_el2_all(void);
/* All of EL2's Stage 1 on this CPU, and on no other: TLBI ALLE2. */
void tlbi_el2_all_here(void);

/* Stage-2-only entries of the active VMID that translate @ipa: TLBI IPAS2LE1IS or IPAS2E1IS. Entries
 * that combine both stages may survive it: tlbi_vmid_stage1 removes those. */
void tlbi_ipa_address(struct iaddr ipa, int level, enum tlb_depth depth);
/* The same for a page-aligned, non-empty range: TLBI RIPAS2LE1IS or RIPAS2E1IS. Needs
 * arch_features()->tlb_range. */
void tlbi_ipa_range(struct irange range, int level, enum tlb_depth depth);
/* Stage-1 and combined entries of the active VMID: TLBI VMALLE1IS. */
void tlbi_vmid_stage1(void);
/* Everything of the active VMID, both stages: TLBI VMALLS12E1IS. */
void tlbi_vmid_stage12(void);
/* Everything of every VMID: TLBI ALLE1IS. */
void tlbi_all_vmids(void);

/* SPDX-License-Identifier: BSD-3-Clause */
/* What a TLBI instruction is given: pure functions, so that they can be tried anywhere. */
#pragma once

#include <arch/address.h>
#include <arch/tlb.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The operand of a TLBI by address for the page that holds @address, a VA of EL2 or an IPA. @level
 * becomes a hint if it is 1 to 3.
 */
uint64_t tlb_address_operand(struct iaddr address, int level);

/* One instruction of those that cover a range. */
struct tlb_range_step {
	bool by_range; /* else by address: a single page */
	uint64_t operand;
	uint64_t pages; /* covered by this instruction */
};

/*
 * The first instruction for the non-empty, page-aligned @range; the caller goes on with what it
 * leaves. The instructions together cover exactly @range.
 */
struct tlb_range_step tlb_range_first(struct irange range, int level);

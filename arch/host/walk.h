/* SPDX-License-Identifier: BSD-3-Clause */
/* A walk of one stage. With the machine's lock held. */
#pragma once

#include "descriptor.h"
#include "machine_internal.h"

/* What the registers of one translation stage say. */
struct regime {
	enum descriptor_format format;
	enum tlb_kind leaf, walk; /* how its entries are cached */
	uint16_t vmid;
	uint64_t root; /* an IPA for FORMAT_EL1 */
	int root_level;
	unsigned int ia_bits, pa_bits;
	struct descriptor_controls controls;
};

/* Reads the tables of @regime for @ia, from the deepest one that is cached, and caches what it reads.
 * When @looking_ahead, tables that a pending TLBI will remove from the cache are read again. */
bool walk(struct cpu *cpu, const struct regime *regime, uint64_t ia, bool looking_ahead,
	  struct tlb_entry *out, struct machine_fault *fault);

/* The entry that translates @ia, whatever its size, or NULL. When @looking_ahead, one that a pending
 * TLBI will remove does not count. */
struct tlb_entry *tlb_lookup(const struct cpu *cpu, enum tlb_kind kind, uint16_t vmid, uint64_t ia,
			     bool looking_ahead);

/* Caches @entry; two entries that contradict each other are a violation. */
void tlb_fill(struct cpu *cpu, const struct tlb_entry *entry);

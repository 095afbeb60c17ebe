/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors as the simulated MMU reads them: VMSAv8-64, 4 KiB granule, 48-bit output addresses
 * (Arm ARM D8.3, "Translation table descriptor formats"). Nothing here is shared with the code
 * that writes them.
 */
#pragma once

#include <host/machine.h>
#include <stdbool.h>
#include <stdint.h>

enum descriptor_format {
	FORMAT_EL2, /* Stage 1 of EL2 without VHE: one privilege level */
	FORMAT_EL1, /* Stage 1 of EL1&0, seen from EL1 */
	FORMAT_STAGE2,
};

enum descriptor_kind {
	DESCRIPTOR_INVALID,
	DESCRIPTOR_TABLE,
	DESCRIPTOR_LEAF, /* a block or a page */
};

struct descriptor {
	enum descriptor_kind kind;
	uint64_t address;    /* of the next table, or the output */
	uint8_t permissions; /* leaf: enum tlb_permission */
	bool accessed;	     /* leaf: the Access flag */
	uint8_t memory;	     /* leaf: enum machine_memory */
	uint8_t shareability;
	bool reserved_set; /* a bit that must be zero is not */
	/* Table, Stage 1: limits on everything below (D8.4.2, hierarchical permissions). */
	bool limits_write, limits_execute;
};

/* What the registers of a regime say about leaves. */
struct descriptor_controls {
	uint64_t mair;		       /* MAIR_ELx; Stage 1 */
	bool write_implies_no_execute; /* SCTLR_ELx.WXN */
	bool execute_never_el;	       /* FEAT_XNX; Stage 2 */
	bool dirty_state;	       /* FEAT_HAFDBS with dirty state; Stage 2 */
	bool hardware_flags;	       /* VTCR_EL2.HA and HD; Stage 2 */
};

struct descriptor descriptor_decode(uint64_t value, int level, enum descriptor_format format,
				    const struct descriptor_controls *controls);

/* What hardware management sets in a leaf of Stage 2: the Access flag; and S2AP[1], where the leaf is one
 * that a write makes dirty, else 0. */
uint64_t descriptor_accessed(uint64_t value);
uint64_t descriptor_dirtied(uint64_t value);

/* Whether the leaf lets a write through as it is. */
bool descriptor_is_writable(uint64_t value);

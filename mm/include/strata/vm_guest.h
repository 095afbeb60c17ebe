/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest's own Stage 1: from its virtual addresses to intermediate physical ones, as its CPU would
 * translate them (Arm ARM D8.2, "Translation process", EL1&0 regime, 4 KiB granule).
 *
 * Invariant: a translation depends on the registers given, and on one read of each descriptor on the
 * way; nothing it finds there is believed beyond the address it names, and every address, of tables
 * too, is checked by Stage 2. A walk reads at most four descriptors, so loops end.
 */
#pragma once

#include <arch/address.h>
#include <strata/page_property.h>
#include <strata/status.h>
#include <strata/vm_space.h>

/* Who accesses. */
enum vm_guest_level {
	VM_GUEST_EL0,
	VM_GUEST_EL1,
};

/* The guest's registers as its CPU has them; PAN is taken as clear. The caller's, unchanged while in
 * use. */
struct vm_guest {
	struct vm_space *space; /* its Stage 2 */
	uint64_t ttbr0;
	uint64_t ttbr1;
	uint64_t tcr;
	uint64_t sctlr;
	enum vm_guest_level level;
};

/* Where a walk went, or where it ended. */
struct vm_guest_walk {
	struct iaddr ipa; /* the byte asked for; for a fault of Stage 2, what it was asked for */
	int level;	  /* of the leaf, or of the descriptor that the walk ended at */
	int stage; /* of the fault: 1, or 2 if a table could not be read. 0 without a fault */
};

/*
 * Translates @va for an access of kind @access (PAGE_READ, PAGE_WRITE or PAGE_EXECUTE, one of them)
 * by Stage 1 alone. What Stage 2 permits at the resulting IPA is not asked.
 *
 * Table and page permissions, WXN, hierarchical attributes, tags (TBI, TBID), EPD, E0PD and
 * big-endian tables are as the architecture says. Where the guest lets hardware set the Access flag
 * (TCR.HA), a clear flag permits the access and stays clear; where it lets hardware manage dirty
 * state, a clean page does not permit a write: nothing is stored into a guest's tables here.
 *
 * MM_INVALID_ARGS: @access is not one of the three.
 * MM_PAGE_FAULT: translation, address size, Access flag or permission fault of Stage 1, or a table
 *	that Stage 2 does not let be read; @out says where. (On other errors it is untouched.)
 * MM_ACCESS_DENIED, MM_BUSY: as vm_io.h says, for a table.
 * MM_NOT_SUPPORTED: another granule, TCR.DS, or an address size outside 25 to 48 bits.
 */
MM_MUST_CHECK enum mm_status vm_guest_translate(const struct vm_guest *guest, uint64_t va,
						enum page_flag access, struct vm_guest_walk *out);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VMIDs: what tells the TLB one Stage-2 space from another.
 *
 * Invariant: of all spaces that may have translations cached, no two have one VMID. VMID 0 is
 * given to none.
 *
 * A space's VMID is its own in one generation. When no VMID is left the generation is incremented,
 * every VMID is invalidated, and the spaces that are active on some CPU, or visited by it, keep
 * theirs; all others must ask again before they run.
 */
#pragma once

#include <arch/cpu.h>
#include <strata/vm_space.h>

/* Each CPU may have a space active and visit another: with one more there is always a VMID to give. */
#define VMID_LIMIT_MIN (2 * STRATA_MAX_CPUS + 2)

/* Start: no VMID is given out, and none will be from @limit on, which is VMID_LIMIT_MIN at least; 0: all
 * that the CPU has. */
void vmid_reset(uint32_t limit);

/* Gives @space a VMID of this generation, if it has none, and makes it the space that is active on
 * this CPU in place of the one before: VTTBR_EL2 is written under the same lock, since a VMID that it
 * names must not be given to another space. */
void vmid_activate(struct vm_space *space);

/* Lets the hardware manage flags in @space from its first activation on; false if it was active: a TLB
 * that knows the space may know VTCR_EL2 as well. */
bool vmid_use_hardware_flags(struct vm_space *space);

/* No space is active on this CPU. Returns the one that was, or NULL. */
struct vm_space *vmid_deactivate(void);

/* The VMID @space has in this generation; 0 if it has none: then no CPU has translations cached for it. */
uint16_t vmid_of(const struct vm_space *space);

/* Whether VTTBR_EL2 of this CPU names @space: it does so until this CPU activates another, and keeps the
 * VMID of the space its own. No lock: only this CPU says what is active here. */
bool vmid_is_active_here(const struct vm_space *space);

/* False if no CPU can have translations cached for @space; else it keeps its VMID, whatever rolls over,
 * until vmid_end_visit: this CPU may load its context to invalidate them. */
bool vmid_visit(struct vm_space *space);
/* VTTBR_EL2 of this CPU does not name the visited space any more, unless it is the active one. */
void vmid_end_visit(void);

/* Takes the VMID back from a space whose translations have been invalidated and which is active
 * nowhere. */
void vmid_release(struct vm_space *space);

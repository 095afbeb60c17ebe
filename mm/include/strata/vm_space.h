/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Spaces: one translation table and what identifies it to the TLB.
 *
 * Invariant: the tables of a space, read by the architecture's rules, say exactly what was mapped
 * into it; and whatever a CPU may have cached of it, under its VMID or while it was active in the
 * window, is in the tables or covered by a gather that has not been flushed.
 *
 * A space is one of three things:
 *
 *	a Stage-2 space		a guest's IPA space, with a VMID.
 *	EL2's own Stage 1	what the hypervisor runs on: all CPUs share it, nobody activates it.
 *	a window space		Stage-1 translations that EL2 has in its window while the space is
 *				active, each CPU those of one space.
 *
 *	0			 2^47			2^47 + 2^46		 2^48
 *	├─ EL2's own: linear map ─┼─ EL2's own: areas ───┼─ VM_SPACE_WINDOW ─────┤
 *
 *	EL2's own root   │ A │ B │   │ C │   │   │   │   │	TTBR0_EL2 while none is active
 *	a window space's │ A │ B │   │ C │   │ x │   │ y │	TTBR0_EL2 while it is
 *	another one's    │ A │ B │   │ C │   │   │ z │   │
 *
 * Below the window the root of a window space has what EL2's own root has, always: what changes there
 * changes in each. Only the part in the window is the space's own.
 *
 * Every table page is a node: one page of usage PAGE_TABLE, with its lock in its slot. Nodes are
 * locked from the root down and, on one level, by ascending input address (cursor.h). The lock of EL2's
 * own root also protects the list of the window spaces above it. A space has no other lock; what is not
 * of one space alone has locks for all (mm/lock.h): VMIDs, the owners of pages, device regions, dirty
 * logs. What protects a field stands beside it; what says nothing is constant from new to destroy.
 */
#pragma once

#include <arch/address.h>
#include <arch/translation.h>
#include <strata/page_property.h>
#include <strata/status.h>
#include <stdatomic.h>

struct owner;

enum translation_stage {
	STAGE_1, /* EL2's own Stage 1: input addresses are the hypervisor's */
	STAGE_2, /* a guest's IPA space, with a VMID */
};

struct device_region;
struct dirty_log;

/* What of the input addresses of its table is a space's own. */
enum vm_space_part {
	SPACE_WHOLE,
	SPACE_BELOW_WINDOW, /* EL2's own, with a window above it */
	SPACE_IN_WINDOW,
};

/* The window: 2^46 bytes, to the last page. (OSTD keeps the last page of its user addresses unmapped,
 * for the sake of an x86 instruction; here nothing asks for that.) */
#define VM_SPACE_WINDOW irange(iaddr(UINT64_C(3) << 46), iaddr(UINT64_C(1) << 48))

/* Its user owns the storage, and keeps it where it is between new and destroy. Fields are private. */
struct vm_space {
	enum translation_stage stage;
	struct translation_geometry geometry;
	struct irange range; /* its own input addresses */
	struct paddr root;   /* geometry.root_tables pages */
	/* What is loaded while it is active. Stage 2 only. Its VMID: changed under the lock of VMIDs, and only
	 * where it has none of this generation. */
	struct stage2_context context;
	/* In which context.vmid is its own; 0: none (vmid.h). Changed under the same lock, read without. */
	_Atomic uint64_t vmid_generation;
	struct owner *owner; /* of the pages that are its own (ownership.h); EL2's own: NULL */
	_Atomic uint32_t active_cpus; /* bit per CPU: each changes its own, anybody looks */
	_Atomic uint32_t tidying; /* CPUs that gave a cursor's nodes back and tidy up after it */
	/* Those that hardware writes: changed under the lock of dirty logs, read without
	 * (dirty_log_list.c). */
	struct dirty_log *_Atomic logs;
	_Atomic uint32_t logs_by_fault; /* how many others run: each adds and takes away itself */
	/* Remembered, in heap objects: the lock of device regions. Not of EL2's own. */
	struct device_region *devices;
	enum vm_space_part part;
	struct vm_space *el2; /* IN_WINDOW: whose addresses its table has below the window */
	/* BELOW_WINDOW, the first of them; IN_WINDOW, the next one, and what points to this one: the node
	 * of EL2's own root. */
	struct vm_space *windows;
	struct vm_space *next_window, **window_link;
};

/*
 * Makes an empty Stage-2 space for input addresses of @ia_bits bits. Root level and concatenation
 * follow from it (Arm ARM D8.2.2): the highest start level with at most 16 concatenated tables.
 *
 * MM_NOT_SUPPORTED: @ia_bits is below 25 or above what the CPU's physical address size permits,
 *	or the CPU has no 4 KiB granule at Stage 2.
 * MM_NO_MEMORY: no pages for the root, none for what owns its pages, or too many owners
 *	(strata/ownership.h).
 */
MM_MUST_CHECK enum mm_status vm_space_new_stage2(unsigned int ia_bits, struct vm_space *out);

/*
 * Makes an empty table for EL2's own Stage 1 with @ia_bits (25 to 48) bits of input address.
 *
 * Who loads it (el2_stage1_load) sets the rest: MAIR_EL2 to 0xbb4404ff, since leaves index it
 * (0 write-back, 1 Device-nGnRE, 2 Non-cacheable, 3 write-through), and TCR_EL2 to the 4 KiB granule,
 * this many bits and Inner Shareable write-back walks.
 *
 * MM_NOT_SUPPORTED: @ia_bits outside that. MM_NO_MEMORY: no page for the root.
 */
MM_MUST_CHECK enum mm_status vm_space_new_stage1(unsigned int ia_bits, struct vm_space *out);

/*
 * The same with 48 bits, of which those of VM_SPACE_WINDOW are not the space's: window spaces can be
 * made above it. Who loads it does so on each CPU.
 *
 * MM_NO_MEMORY: no page for the root.
 */
MM_MUST_CHECK enum mm_status vm_space_new_el2(struct vm_space *out);

/*
 * Makes an empty window space above @el2, which outlives it. Its input addresses are VM_SPACE_WINDOW.
 * It owns pages as a Stage-2 space does: mapping another space's private page into it is
 * MM_ACCESS_DENIED (strata/ownership.h).
 *
 * MM_NOT_SUPPORTED: @el2 was not made by vm_space_new_el2; or EL2 does not run on it on this CPU, as
 *	in a host that has a table of its own.
 * MM_NO_MEMORY: as vm_space_new_stage2. MM_BUSY: this CPU holds a cursor in the way of @el2's root.
 */
MM_MUST_CHECK enum mm_status vm_space_new_window(struct vm_space *el2, struct vm_space *out);

/*
 * Lets the hardware manage flags in a Stage-2 space that was never active (FEAT_HAFDBS, VTCR_EL2.HA and
 * HD): an access where PAGE_ACCESSED is clear sets it instead of faulting, and a write where there is
 * PAGE_DIRTY_STATE sets PAGE_WRITE. So cursor_age sees accesses that nobody took a fault for, and a dirty
 * log (strata/dirty_log.h) writes. It stays so until the space is destroyed.
 *
 * CPUs then write to leaves while nobody knows. They write only to valid leaves that lack
 * PAGE_ACCESSED, or have PAGE_DIRTY_STATE and lack PAGE_WRITE, and only by an atomic
 * read-modify-write that sets one of the two. Whatever changes such a leaf here does so in one
 * atomic step too, by compare-exchange or exchange, and what it finds in that step is what the leaf
 * was: so each bit that a CPU sets is seen by exactly one change, and none is lost: cursor_reclaim
 * hands it over with the page, cursor_migrate takes it along, what cursor_protect asks about has
 * it, a dirty log lists it. cursor_unmap and cursor_replace give it to a log only: who keeps dirty
 * state without one protects first, and looks. A leaf that a CPU may change is never merged into a
 * block; one that is split is exchanged for zero first, and its pages have the bits that were
 * found. Where the hypervisor reads or writes in a guest's place (strata/vm_io.h) it sets what the
 * guest's CPU would.
 *
 * MM_INVALID_ARGS: not a Stage-2 space. MM_NOT_SUPPORTED: the CPU does not have it.
 * Who does this has the space to itself: nobody opens a cursor on it or begins a log during the call.
 *
 * MM_BUSY: the space was active, a cursor is open, or a dirty log runs, which would be one by faults.
 */
MM_MUST_CHECK enum mm_status vm_space_use_hardware_flags(struct vm_space *space);

/*
 * Unmaps everything, flushes, and frees every table, deferred ones too (strata/deferred_tables.h), and every
 * reference: nothing of the space stays. Pages of its own that somebody still holds are the hypervisor's. @space is void afterwards.
 *
 * MM_BUSY: a cursor is open, or not closed yet, or another CPU is moving bytes of the space; or the space is
 *	active on some CPU, or a window space is above it; or @space is a window space and this CPU holds a
 *	cursor in the way of EL2's own root.
 */
MM_MUST_CHECK enum mm_status vm_space_destroy(struct vm_space *space);

/*
 * Makes a Stage-2 space the one that guests on this CPU run in, giving it a VMID if it has none of
 * this generation; or a window space the one that EL2 has in its window on this CPU. Each in the place
 * of the one of its kind that was active. Activating the active space does nothing.
 *
 * EL2 has no ASID: leaving a window space, for another one or for none, invalidates all of EL2's
 * Stage 1 in this CPU's TLB.
 *
 * MM_INVALID_ARGS: EL2's own Stage 1.
 * MM_NOT_SUPPORTED: a window space, and on this CPU EL2 does not run on the table it was made above.
 */
MM_MUST_CHECK enum mm_status vm_space_activate(struct vm_space *space);

/* No Stage-2 space is active on this CPU any more. Cached translations stay, under its VMID. */
void vm_space_deactivate(void);

/* No window space is active on this CPU any more: every access to the window faults, and nothing of it
 * is cached. */
void vm_space_deactivate_window(void);

/* The VMID the space has now; 0, which no space ever gets, if it has none. */
uint16_t vm_space_vmid(const struct vm_space *space);

/* Where its cursors may go: [0, 2^ia_bits), of which EL2's own Stage 1 may have only the part below the
 * window; VM_SPACE_WINDOW for a window space. */
static inline struct irange vm_space_range(const struct vm_space *space)
{
	return space->range;
}

/*
 * Finds the device region that has @address, among those mapped into a Stage-2 or window
 * space by cursor_map_iomem since it was made: @region is all of it, so @address is its byte
 * @address - @region->start.
 *
 * A space remembers what it was given and not where: neighbours, and what overlaps, are one region,
 * and unmapping forgets nothing. What is remembered stays until the space is destroyed; that something
 * maps it now only a cursor can say. None of it becomes memory meanwhile (MM_IN_USE of mm_memory_add). It
 * is a region that io_mem_new (strata/io_mem.h) takes, for a
 * hypervisor that must reach the same registers. Safe on every CPU, also while the space is mapped into.
 *
 * MM_NOT_MAPPED: the space was never given it. EL2's own space remembers none: there an io_mem is the
 * memory of what it maps.
 */
MM_MUST_CHECK enum mm_status vm_space_find_iomem(const struct vm_space *space, struct paddr address,
						 struct prange *region);

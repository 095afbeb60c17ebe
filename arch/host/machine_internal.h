/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the simulated machine share. Everything here is called with the machine's lock
 * held, unless it says otherwise. */
#pragma once

#include <arch/counters.h>
#include <arch/observe.h>
#include <arch/tlb.h>
#include <host/machine.h>
#include "store_buffer.h"
#include "tlb_store.h"

/* A TLBI that was issued and that no DSB has completed yet. */
struct invalidation {
	enum observe_kind kind; /* which instruction */
	struct irange range;
	int level;
	enum tlb_depth depth;
	enum observe_scope scope;
	uint16_t vmid;
	uint64_t issued; /* machine.clock at that moment */
};

struct cpu {
	bool stage2_loaded;
	struct stage2_context stage2;
	bool stage2_walkable; /* the geometry is one that this CPU can walk */
	bool el2_loaded;
	struct paddr el2_root;
	struct translation_geometry el2_geometry;
	bool guest_stage1_on;
	struct machine_guest_stage1 guest_stage1;

	struct tlb_store tlb;
	struct store_buffer stores;
	struct invalidation *pending;
	size_t pending_count, pending_capacity;
	struct arch_counters counters;
};

struct machine {
	bool exists;
	struct machine_config config;
	uint8_t *host_base; /* of physical address memory[0].start */
	size_t host_size;
	struct cpu cpus[STRATA_MAX_CPUS];
	uint64_t clock; /* one tick per event */
	struct iaddr watch_el2[MACHINE_WATCH_MAX], watch_guest[MACHINE_WATCH_MAX];
	size_t watch_el2_count, watch_guest_count;
	uint64_t violations[VIOLATION_COUNT];
};

extern struct machine machine;

void machine_lock(void);
void machine_unlock(void);

struct cpu *this_cpu(void);

/* The VMID as this CPU's TLB knows it: as many bits as it has. */
uint16_t visible_vmid(const struct cpu *cpu);

void violation(enum machine_violation kind);

/* ---- walk.c -------------------------------------------------------------------------------- */

/* Reads memory as a table walker of any CPU may see it: a store that no DSB ordered is not there. */
bool walker_read(uint64_t address, uint64_t *descriptor);

/*
 * Sets @flags in the descriptor at @address, atomically, as long as it is what @value says; if it is not,
 * false, and @value says what it is. A store that walkers may not see yet is seen by this one.
 */
bool walker_set(uint64_t address, uint64_t *value, uint64_t flags);

/*
 * Translates @ia by Stage 2 of @cpu, from its TLB or the tables, and caches it. When @looking_ahead,
 * leaf entries that a pending TLBI will remove are taken as removed.
 */
bool stage2_translate(struct cpu *cpu, uint64_t ipa, bool looking_ahead, struct tlb_entry *out,
		      struct machine_fault *fault);
bool el2_translate(struct cpu *cpu, uint64_t ia, bool looking_ahead, struct tlb_entry *out,
		   struct machine_fault *fault);
/* Both stages of the guest on @cpu; Stage 1 may be off. */
bool guest_translate(struct cpu *cpu, uint64_t va, bool looking_ahead, struct tlb_entry *out,
		     struct machine_fault *fault);

/* ---- maintenance.c ------------------------------------------------------------------------- */

/* Will some pending TLBI of any CPU remove @entry of @cpu? */
bool invalidation_pending_for(const struct cpu *cpu, const struct tlb_entry *entry);

/*
 * When an entry of @kind that @cpu makes from its @source now counts as cached. A TLBI that must
 * remove both removes the new one too: what it is made from is not to be seen once the TLBI is
 * complete. One that removes @source alone promises nothing about the other.
 */
uint64_t date_of_derived(const struct cpu *cpu, const struct tlb_entry *source, enum tlb_kind kind);

/* ---- look_ahead.c -------------------------------------------------------------------------- */

/* Every CPU tries to cache what is watched. */
void look_ahead(void);

/* ---- rules.c ------------------------------------------------------------------------------- */

/* From now on the machine learns of stores, if this build observes them. */
void rules_start(void);
void rules_stop(void);

/* A descriptor is about to be stored by @cpu. */
void descriptor_store(struct cpu *cpu, uint64_t address, uint64_t value, uint64_t previous);

/* @cpu has another table of EL2's Stage 1 from now on. */
void el2_root_changed(const struct cpu *cpu);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A simulated machine in an ordinary process: physical memory, CPUs, and an MMU that is as lazy as
 * the architecture lets it be.
 *
 * Promise: whatever a real CPU may do with a translation, this one does. It keeps every TLB entry
 * and every walk-cache entry until an invalidation that must remove it is complete; a TLBI takes
 * effect at the DSB that completes it and no sooner; a descriptor store stays invisible to table
 * walkers until a DSB of the CPU that stored it (checked builds: the store is known by the observer
 * interface). Code that is right on this machine relied on nothing that was not promised.
 *
 * The descriptors are real ones in simulated memory, read by a decoder that belongs to this machine
 * alone. Both stages, concatenated root tables, all levels of the 4 KiB granule, permissions, the
 * Access flag, address sizes and memory attributes are there. So is hardware management
 * of Access flag and dirty state at Stage 2: the flag is set as soon as a translation is cached, which
 * may be before anybody asks, and a leaf becomes dirty when a write needs it and not sooner. Not there:
 * the Contiguous bit, ASIDs (a guest has one), FEAT_BBM above level 0.
 *
 * There is one machine at a time. Its calls are safe from several threads, each of which says once
 * which CPU it is.
 */
#pragma once

#include <arch/address.h>
#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/translation.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_RANGES_MAX 8

struct machine_config {
	struct prange memory[MACHINE_RANGES_MAX]; /* page aligned, ascending, disjoint */
	size_t memory_count;
	struct arch_features features;
};

/* An Armv8.4 CPU: 44 bits of physical address, 16-bit VMIDs, FEAT_TTL and FEAT_TLBIRANGE. */
struct arch_features machine_features_v8_4(void);
/* An Armv8.0 CPU: 40 bits of physical address, 8-bit VMIDs, no optional feature. */
struct arch_features machine_features_v8_0(void);

/* Makes the machine; memory reads as zero and costs the host nothing until it is written. False if
 * the host has no address space for it. */
bool machine_create(const struct machine_config *config);
void machine_destroy(void);

/* The host address of physical address p is p plus this. */
uint64_t machine_linear_offset(void);

/* Which CPU the calling thread is; 0 at first. */
void machine_set_cpu(unsigned int index);

/* Physical memory, past every MMU, eight bytes at an aligned address inside memory. */
bool machine_is_memory(struct paddr paddr);
uint64_t machine_read(struct paddr paddr);
void machine_write(struct paddr paddr, uint64_t value);
/* In one step, if the word is @expected; if it is not, false, and @expected says what it is. */
bool machine_replace(struct paddr paddr, uint64_t *expected, uint64_t value);

/* ---- Accesses through the MMU -------------------------------------------------------------- */

enum machine_access {
	MACHINE_READ,
	MACHINE_WRITE,
	MACHINE_EXECUTE,
};

enum machine_fault_kind {
	MACHINE_FAULT_NONE,
	MACHINE_FAULT_TRANSLATION,
	MACHINE_FAULT_ACCESS_FLAG,
	MACHINE_FAULT_PERMISSION,
	MACHINE_FAULT_ADDRESS_SIZE,
	MACHINE_FAULT_EXTERNAL, /* a table lies where there is no memory */
	MACHINE_FAULT_DISABLED, /* no table was loaded for this regime */
};

struct machine_fault {
	enum machine_fault_kind kind;
	int level;	  /* of the lookup that faulted */
	int stage;	  /* 1 or 2 */
	bool table_walk;  /* Stage 2 faulted on an access of the Stage-1 walk */
	struct iaddr ipa; /* of a Stage-2 fault */
};

enum machine_memory {
	MEMORY_DEVICE_nGnRnE,
	MEMORY_DEVICE_nGnRE,
	MEMORY_DEVICE_nGRE,
	MEMORY_DEVICE_GRE,
	MEMORY_NONCACHEABLE,
	MEMORY_WRITETHROUGH,
	MEMORY_WRITEBACK,
	MEMORY_MIXED, /* inner and outer differ, or a reserved encoding */
};

enum machine_shareability {
	SHARE_NONE,
	SHARE_RESERVED,
	SHARE_OUTER,
	SHARE_INNER,
};

/* What an access used. */
struct machine_translation {
	struct paddr output; /* of the byte accessed */
	int level;	     /* of the entry used: the smaller leaf of the two stages */
	bool readable, writable, executable;
	enum machine_memory memory;
	enum machine_shareability shareability;
	bool cached; /* a TLB entry answered, no table was read */
};

/* An access by EL2 on this CPU, through its Stage 1. False, and @fault, if it does not complete. */
bool machine_el2_translate(struct iaddr ia, enum machine_access access,
			   struct machine_translation *out, struct machine_fault *fault);

/* An access by EL1 of the guest on this CPU, through its Stage 1 if that is on, and Stage 2. */
bool machine_guest_translate(struct iaddr va, enum machine_access access,
			     struct machine_translation *out, struct machine_fault *fault);

/* The same, and the word there is loaded or stored. Where there is no memory loads read as ones and
 * stores do nothing, as on a device. */
bool machine_guest_load(struct iaddr va, uint64_t *value, struct machine_fault *fault);
bool machine_guest_store(struct iaddr va, uint64_t value, struct machine_fault *fault);

/* The guest's own Stage 1 on this CPU: TTBR0_EL1, TCR_EL1 and MAIR_EL1. NULL turns it off. */
struct machine_guest_stage1 {
	struct iaddr root;    /* an IPA */
	unsigned int ia_bits; /* 25 to 48 */
	uint64_t mair;
};
void machine_guest_stage1_load(const struct machine_guest_stage1 *stage1);

/* ---- The TLB ------------------------------------------------------------------------------- */

/* Entries on all CPUs, of every kind, walk caches included. */
size_t machine_tlb_entries(void);
/* What a CPU may do at any moment by itself: forget. */
void machine_tlb_evict(void);

/*
 * What a CPU may do at any moment by itself: look ahead. From now on every CPU tries to cache the
 * translation of @address whenever anything happens: before each descriptor store that is observed,
 * and after each barrier, TLBI and load of a table. An entry that a TLBI still has to remove counts
 * as removed already if that lets the CPU cache it again. At most MACHINE_WATCH_MAX addresses.
 */
#define MACHINE_WATCH_MAX 64
void machine_watch_el2(struct iaddr ia);
void machine_watch_guest(struct iaddr va);
void machine_watch_nothing(void);

/* ---- Rules that were broken ---------------------------------------------------------------- */

enum machine_violation {
	VIOLATION_STORE_NOT_ORDERED, /* TLBI after a descriptor store, and no DSB between them */
	VIOLATION_BREAK_BEFORE_MAKE, /* a valid descriptor written over one still cached */
	VIOLATION_TLB_CONFLICT,	     /* two cached translations of one address that differ */
	VIOLATION_NO_VMID,	     /* Stage-2 TLBI while no Stage-2 context is loaded */
	VIOLATION_NOT_IMPLEMENTED,   /* an instruction this CPU does not have */
	VIOLATION_RESERVED_BITS,     /* a descriptor in use has reserved bits set */
	VIOLATION_GEOMETRY,	     /* a table was loaded with sizes this CPU cannot walk */
	VIOLATION_ROOT_CHANGE,	     /* EL2 got a table that contradicts what is cached */
	VIOLATION_COUNT
};

/* How often, since the machine was created or machine_violations_clear. */
uint64_t machine_violations(enum machine_violation kind);
uint64_t machine_violations_total(void);
void machine_violations_clear(void);
const char *machine_violation_name(enum machine_violation kind);

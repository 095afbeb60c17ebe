/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one CPU has cached of the tables it walked.
 *
 * Invariant: an entry leaves only when it is removed; nothing is ever replaced by something else
 * for lack of room.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tlb_kind {
	TLB_EL2,	 /* EL2 Stage 1: input address to physical address */
	TLB_EL2_WALK,	 /* a table descriptor of EL2's Stage 1 */
	TLB_STAGE2,	 /* IPA to physical address */
	TLB_STAGE2_WALK, /* a table descriptor of Stage 2 */
	TLB_STAGE1,	 /* a guest's virtual address to IPA */
	TLB_STAGE1_WALK, /* a guest's table descriptor, with the physical address of the next table */
	TLB_COMBINED,	 /* a guest's virtual address to physical address, both stages in one */
	TLB_FLAT,	 /* the same while the guest's Stage 1 is off */
	TLB_KIND_COUNT
};

enum tlb_permission {
	TLB_READ = 1,
	TLB_WRITE = 2,
	TLB_EXECUTE = 4,
	TLB_ALL = 7,
};

/* A descriptor that an entry was made from. */
struct tlb_source {
	uint64_t address;
	uint64_t value;
};

struct tlb_entry {
	enum tlb_kind kind;
	uint16_t vmid;	 /* 0 for EL2 */
	int8_t level;	 /* says how much input address the entry covers */
	uint64_t ia;	 /* its first input address */
	uint64_t output; /* for a walk entry: the next table */
	uint64_t ipa;	 /* of its first byte, if it combines both stages: only to name faults */
	uint8_t stage1, stage2; /* enum tlb_permission of each stage; all if it has no such stage */
	int8_t stage1_level, stage2_level; /* of each stage's own leaf, to name faults */
	uint8_t memory, shareability;
	struct tlb_source sources[2];
	uint64_t filled; /* when */
	size_t next;	 /* in its bucket, plus one */
};

#define TLB_SOURCE_BUCKETS 4096

struct tlb_store {
	struct tlb_entry *entries;
	size_t count, capacity;
	size_t *buckets; /* index of the first entry plus one */
	size_t bucket_count;
	/* How many entries came from descriptors whose address hashes here: mostly says "none". */
	uint32_t source_counts[TLB_SOURCE_BUCKETS];
};

/* Bytes of input address that an entry of @level covers (4 KiB granule). */
uint64_t level_size(int level);

/* The entry of @kind, @vmid and exactly @level that covers @ia, or NULL. */
struct tlb_entry *tlb_store_at(const struct tlb_store *store, enum tlb_kind kind, uint16_t vmid,
			       uint64_t ia, int level);

/* Adds @entry, in the place of one of the same kind, VMID, level and address. */
void tlb_store_put(struct tlb_store *store, const struct tlb_entry *entry);

/* Removes every entry that @gone says is gone. */
void tlb_store_remove(struct tlb_store *store,
		      bool (*gone)(const struct tlb_entry *entry, const void *context),
		      const void *context);

/* May an entry have been made from the descriptor at @address? No false "no". */
bool tlb_store_may_know(const struct tlb_store *store, uint64_t address);

void tlb_store_release(struct tlb_store *store);

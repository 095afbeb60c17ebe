/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hardware: physical memory, the tables as a walk finds them, and a TLB.
 *
 * Assumption: this is what a CPU does. Everything is built on it, and nothing proves it but the
 * readings of real MMUs that low.h judges.
 *
 *	HardwareState { mem, pt, tlb }		struct hardware_state
 *	read, write				hardware_access
 *	tlb_fill, tlb_evict			hardware_fill, hardware_evict: at any moment, of any entry
 *	pt_op					the page table's own business, see low.h
 *
 * A TLB entry is a frame of some level: it stands for a descriptor, or for a part of a larger one, at
 * the CPU's choice. With an entry for its address an access uses that, wherever it came from; without
 * one it walks. What has no Access flag is never cached (Arm ARM D8.17).
 */
#pragma once

#include "access.h"
#include "words.h"

#include <sys/queue.h>

struct tlb_entry {
	LIST_ENTRY(tlb_entry) link;
	struct mapping mapping;
};

struct tlb {
	LIST_HEAD(, tlb_entry) entries;
	struct model_pool *pool; /* of cells of struct tlb_entry */
};

/* Where the states of machines keep what they consist of. */
struct machine_pools {
	struct model_pool extents, words, entries;
};

struct hardware_state {
	struct words mem; /* by physical index */
	struct page_table_state table;
	struct tlb tlb;
};

void machine_pools_init(struct machine_pools *pools, struct model_arena *arena);

/* Empty memory, tables and TLB. */
void hardware_make(struct hardware_state *hardware, struct machine_pools *pools,
		   const struct page_table_constants *constants);
void hardware_clear(struct hardware_state *hardware);
/* False: the arena is full. */
bool hardware_copy(struct hardware_state *to, const struct hardware_state *from);

/* The state after a reset: no translation, and none remembered. */
bool hardware_init(const struct hardware_state *hardware);

bool tlb_has(const struct tlb *tlb, const struct mapping *entry);
/* The @nth entry that translates @address, counted from 0; NULL: there are fewer. */
const struct mapping *tlb_hit(const struct tlb *tlb, struct iaddr address, unsigned int nth);
/* Removes the entries that overlap @range but, if @keeps_inside, for those that lie inside it. */
void tlb_invalidate(struct tlb *tlb, struct irange range, bool keeps_inside);

/* Whether an entry for all of @entry may be made from @from, as the descriptors say. */
bool hardware_may_fill(const struct table_arch *arch, const struct mappings *from,
		       const struct mapping *entry);
/* @entry may be filled and is not there. False: the arena is full. */
bool hardware_fill(struct hardware_state *hardware, const struct mapping *entry);
/* @entry is there. */
void hardware_evict(struct hardware_state *hardware, const struct mapping *entry);

/*
 * Performs @access by @through, an entry of the TLB or what a walk found; NULL: the walk found nothing.
 * Says what came of it; the word that was read is the one in memory, which is present.
 */
struct outcome hardware_access(struct hardware_state *hardware, const struct access *access,
			       const struct mapping *through);

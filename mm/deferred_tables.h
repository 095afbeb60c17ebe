/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Freeing detached tables without waiting for who may be reading them (strata/deferred_tables.h; read_section.h).
 *
 *  tables that are detached
 *  and invalidated ──────────── no CPU in a section ──────────────────────────────▶ free
 *        │                                                                           ▲
 *        └──▶ next ── waiting is empty: note sections ──▶ waiting ── those have ended┘
 *
 * Each CPU has a queue of two batches (struct deferred_tables). Invariant: each table in waiting was detached
 * before the sections that the queue has noted were noted; so when those have ended nobody can read it.
 * What comes meanwhile is in next, and has nothing noted: however often somebody retires tables, waiting
 * waits for a fixed set of sections, and so ends.
 *
 * A queue has a lock, since who is short of memory empties those of others. It protects all of the queue.
 * count alone is also read without: by its own CPU, which alone makes it grow, and by others, who want to
 * know of what was put there before they came. Under the lock tables are freed and sections are waited for:
 * who finds the queue empty may rely on it that its tables are free. Sections end without locks, so
 * that one may have any other lock (of a lower rank) meanwhile.
 *
 * No table is written to on its way: its content may be read. The chain that it is in goes through its slot.
 */
#pragma once

#include <strata/deferred_tables.h>

#include <arch/address.h>
#include <stddef.h>

/*
 * Frees @count tables, chained from @first (node_chain), or puts them on this CPU's queue. They are detached,
 * marked stray, not locked by this CPU, and what led to them is invalidated.
 */
void tables_free(struct paddr first, size_t count);

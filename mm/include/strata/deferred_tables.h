/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deferred tables: what was taken out of a space while a CPU may still have been on its way through it.
 *
 * Invariant: no walk and no operation that begins now comes to a deferred table, and no TLB has what led to
 * it; but an operation of another CPU that began before may still read it. When all of these have ended (its
 * grace period), it may be freed. Until it is, its page is PAGE_TABLE with one reference, and is counted so
 * (mm_usage), though no space has it.
 *
 * Who takes a table out of a space frees it at once if no other CPU reads tables at that moment, which is
 * the common case. Otherwise the CPU does not wait but keeps it. It is freed when its grace period is
 * over and
 *  - that CPU takes out a table again, or
 *  - somebody wants a page that is not there: an allocation is not MM_NO_MEMORY, a page by its address
 *    not MM_IN_USE, and memory that is removed not MM_BUSY, for the sake of a deferred table of any CPU.
 *    They wait for the grace period; or
 *  - a space is destroyed: then nothing of any space is left behind; or
 *  - deferred_tables_drain is called.
 *
 * So tables that are left over are as many as the last changes of each CPU took out, and cost nobody
 * memory. How many were deferred so far: mm_statistics.
 */
#pragma once

#include <stdint.h>

/*
 * Frees all tables that were deferred when it was called, whichever CPU has them, and returns how many it
 * freed; another CPU may have freed some meanwhile. It waits for the grace period, and only if there are
 * such tables: for CPUs that read tables at that moment, each until it comes to the table that it looks for
 * (never longer, and not for a cursor that is open).
 *
 * For whoever wants counts of pages exact, or memory where others find it. Any CPU may call it at any time,
 * with cursors open too.
 */
uint64_t deferred_tables_drain(void);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Canaries: deliberate defects, each of which some test must catch.
 *
 * Invariant: without the Meson option `canary` every CANARY(...) is the constant false, and no byte
 * of any canary is in what is built. With it, all of them are in one build, and at most one is on,
 * chosen by name when the run starts: by --canary=NAME of the host's component tests, by canary=NAME
 * in the image's bootargs.
 *
 * A new one takes four steps:
 *   1. X(its_name, "what goes wrong") in the list here;
 *   2. CANARY(its_name) where it goes wrong;
 *   3. its name and what catches it, in tests/canary/meson.build (a style test compares the lists);
 *   4. scripts/test canary: two builds for all, so that one more costs the time of its run.
 */
#pragma once

#include <stdbool.h>

#define CANARIES(X)                                                                                \
	X(tlbi_missing, "no TLBI is issued after a descriptor changed")                            \
	X(stage1_step_missing, "IPA invalidation, but no VMALLE1IS after it")                      \
	X(wrong_ipa, "IPA invalidation for the neighbouring page")                                 \
	X(frame_not_dropped, "one parked frame is forgotten after the flush")                      \
	X(wrong_attribute, "one leaf is written with one bit of its SH wrong")                     \
	X(writable_read_only, "a read-only guest page is mapped writable")                         \
	X(leaf_corrupted, "a live leaf of each guest changes, by no operation")                    \
	X(clone_not_counted, "a clone of a frame takes no reference")                              \
	X(drop_not_counted, "a dropped frame keeps its reference")                                 \
	X(slice_too_short, "a slice takes no reference to its last page")                          \
	X(page_not_parked, "a leaf is removed, and its page's reference forgotten")                \
	X(dropped_before_flush, "parked pages are dropped, and then their translations go")        \
	X(list_end_mistaken, "what is to come after a list's last frame comes first")              \
	X(copy_miscounted, "a copy says that it moved a byte more than it did")                    \
	X(valid_to_valid, "a page takes another's place without a break between")                  \
	X(tlbi_wrong_vmid, "an invalidation does not go to the VMID that it is for")               \
	X(tlbi_local, "invalidations by IPA stay on the CPU that issues them")                     \
	X(dsb_missing_before, "no DSB between descriptor stores and their invalidation")           \
	X(dsb_missing_after, "no DSB after the last invalidation of a VMID")                       \
	X(dsb_missing_publish, "no DSB after what a cursor maps")                                  \
	X(isb_missing, "no ISB after VTTBR_EL2 was written")                                       \
	X(table_not_ready, "a table page is linked as the allocator gave it")                      \
	X(table_linked_early, "table descriptors are stored without release")                      \
	X(table_freed_reachable, "a table is freed that is linked still")                          \
	X(table_freed_unflushed, "tables are freed before the flush")                              \
	X(page_released_unflushed, "pages are given back before the flush")                        \
	X(write_without_lock, "a new table is not locked")                                         \
	X(write_unseen, "leaves are written and nobody is told")                                   \
	X(vmid_reused, "VMIDs of another generation are not invalidated")

#ifndef STRATA_CANARIES
#define STRATA_CANARIES 0
#endif

#if STRATA_CANARIES

#define CANARY_CONSTANT(name, text) CANARY_##name,
enum canary { CANARY_none, CANARIES(CANARY_CONSTANT) };
#undef CANARY_CONSTANT

/* The one that is on. Written by canary_choose alone. */
extern enum canary canary_on;

/* Before the subsystem starts and before other CPUs run. False, and none is on: there is no such
 * canary. */
bool canary_choose(const char *name);

#define CANARY(name) (canary_on == CANARY_##name)

#else

#define CANARY(name) false

#endif

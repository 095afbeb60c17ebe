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
 *   3. what catches it: the invariant or the rule that it breaks in tests/canary/broken.txt, of which
 *	each has one, or whatever tells it in tests/canary/meson.build (style tests compare the lists);
 *   4. scripts/canaries --write, and scripts/test canary: two builds for all, so that one more costs
 *	the time of its run.
 */
#pragma once

#include <stdbool.h>

#define CANARIES(X)                                                                                \
	X(tlbi_missing, "no TLBI is issued after a descriptor changed")                            \
	X(stage1_step_missing, "IPA invalidation, but no VMALLE1IS after it")                      \
	X(stage1_step_local, "the VMALLE1IS after an IPA invalidation stays on its CPU")           \
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
	X(unique_with_reference, "a unique frame's page is published with one reference")          \
	X(root_not_marked, "the pages of a root are published as frames")                          \
	X(listed_unmarked, "a frame that is linked into a list does not get the list's number")    \
	X(parked_too_far, "the page behind a leaf's is parked with it")                            \
	X(device_beyond_addresses, "map_iomem takes addresses that no CPU has")                    \
	X(jump_anywhere, "jump takes addresses outside of the cursor's range")                     \
	X(mapped_frame_dropped, "map gives back the reference that the table has now")             \
	X(destroyed_under_cursor, "a space is destroyed while a cursor is open on it")             \
	X(null_is_memory, "a reader of the hypervisor's memory begins at NULL")                    \
	X(io_without_space, "a reader of a space's memory does not say which space's")             \
	X(io_beyond_space, "a reader of a space's memory ends outside of the space")               \
	X(frame_between_pages, "an address inside of a page is taken as a page")                   \
	X(unique_joined, "frame_from_in_use takes a page that is unique")                          \
	X(split_of_nothing, "a segment is split at its start")                                     \
	X(last_page_reserved, "the last page of a segment from reserved pages stays reserved")     \
	X(unique_by_linear_address, "a unique handle has the page's address in the linear map")    \
	X(unique_despite_others, "a frame is made unique while others have references")            \
	X(popped_but_kept, "what is popped stays in its list")                                     \
	X(dropped_twice, "a dropped frame gives two references back")                              \
	X(next_is_second, "the frame that leaves a segment is the second")                         \
	X(split_loses_page, "a split segment's rest begins a page late")                           \
	X(destroyed_with_pages, "a sharing is destroyed that has pages")                           \
	X(last_page_not_given, "the last page that changes hands stays its giver's")               \
	X(member_taken_twice, "a sharing takes one space as two members")                          \
	X(lock_held_twice, "a cursor takes a node that this CPU holds already")                    \
	X(taken_but_linked, "a list still links what was taken out of it")                         \
	X(parked_page_dropped, "a page's reference is given back when it is parked")               \
	X(nonce_repeated, "two shares get one nonce")                                              \
	X(owner_not_asked, "map asks nobody whose the page is")                                    \
	X(guards_overlap, "an area begins with the guard page that the one before ends with")      \
	X(area_not_emptied, "an area is given back with all that is mapped in it")                 \
	X(memory_added_short, "the last page of memory that is added is left out")                 \
	X(copy_miscounted, "a copy says that it moved a byte more than it did")                    \
	X(copied_short, "the last word of a page that is migrated is not copied")                  \
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
	X(vmid_reused, "VMIDs of another generation are not invalidated")                          \
	X(stray_not_seen, "a cursor takes a detached table for one that is linked")                \
	X(descendants_not_locked, "a cursor locks the covering table and none below it")           \
	X(freed_while_read, "a table is freed while a CPU may be on its way to it")                \
	X(deferred_not_waited, "deferred tables are freed though a CPU may still read them")       \
	X(spurious_fault_refused, "a fault that another CPU has served is an error")

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

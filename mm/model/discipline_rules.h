/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of maintaining translation tables that others walk and cache: the one place where each
 * is written down. Messages, the table in docs/model.md and the examples of tests/model/discipline/
 * are made from this list, or compared with it.
 *
 * Sections are those of the Arm ARM (DDI 0487). A rule about locks, or about when something must be
 * done, is this subsystem's own; the section is of what makes it necessary.
 */
#pragma once

/* X(name, sentence, section) */
#define DISCIPLINE_RULES(X)                                                                        \
	X(valid_to_valid,                                                                          \
	  "A valid descriptor that a CPU may have cached becomes another one, but for "            \
	  "permissions, only by way of an invalid one.",                                           \
	  "D8.16.1, break-before-make")                                                            \
	X(tlbi_missing,                                                                            \
	  "What may be cached of a descriptor that changed is invalidated before anything relies " \
	  "on the change.",                                                                        \
	  "D8.16.1, break-before-make")                                                            \
	X(tlbi_too_narrow,                                                                         \
	  "An invalidation names every address, the level and the kind of entry that may be "      \
	  "cached.",                                                                               \
	  "D8.16, scope of TLB maintenance")                                                       \
	X(tlbi_wrong_vmid, "An invalidation of Stage 2 acts on the VMID whose table changed.",     \
	  "D8.16.3, TLB maintenance by IPA")                                                       \
	X(tlbi_local, "An invalidation of tables that several CPUs may walk is broadcast.",        \
	  "D8.16, scope of TLB maintenance")                                                       \
	X(stage1_step_missing,                                                                     \
	  "Invalidation by IPA is followed by one of the VMID's Stage 1, which takes the "         \
	  "entries that combine both stages.",                                                     \
	  "D8.16.3, TLB maintenance by IPA")                                                       \
	X(dsb_missing_before,                                                                      \
	  "A DSB lies between the descriptor store and the invalidation: no walk makes the old "   \
	  "entry again.",                                                                          \
	  "D8.16.1, break-before-make")                                                            \
	X(dsb_missing_after,                                                                       \
	  "A DSB lies between an invalidation and whatever relies on it, the next step of it "     \
	  "included.",                                                                             \
	  "D8.16, completion of TLB maintenance")                                                  \
	X(dsb_missing_publish,                                                                     \
	  "Walkers see a descriptor that was written, by a DSB, before its table's lock is given " \
	  "back.",                                                                                 \
	  "B2.3.12, DSB")                                                                          \
	X(isb_missing,                                                                             \
	  "An ISB lies between writing VTTBR_EL2 and a TLBI that acts on its VMID, and between a " \
	  "change of EL2's own table and what runs by it.",                                        \
	  "D19.1, synchronization of System registers")                                            \
	X(table_not_ready,                                                                         \
	  "A table descriptor leads to a table page of the next level, zeroed, that no other "     \
	  "descriptor leads to.",                                                                  \
	  "D8.3, table descriptors")                                                               \
	X(table_linked_early,                                                                      \
	  "What was written in a table comes before the descriptor that links it: by a release, "  \
	  "or a DSB.",                                                                             \
	  "B2.3, Store-Release")                                                                   \
	X(table_freed_reachable, "A table is freed only when no walk can reach it.",               \
	  "D8.2, translation table walks")                                                         \
	X(table_freed_unflushed,                                                                   \
	  "A table that was unlinked is freed only after what leads to it was invalidated.",       \
	  "D8.16.1, break-before-make")                                                            \
	X(page_released_unflushed,                                                                 \
	  "A page that was unmapped is given back only after its translations were invalidated.",  \
	  "D8.16.1, break-before-make")                                                            \
	X(write_without_lock,                                                                      \
	  "A descriptor that CPUs may walk is written under its table's lock.", "B2.2, atomicity") \
	X(write_unseen,                                                                            \
	  "No descriptor changes but by a write that is observed, or as FEAT_HAFDBS lets a CPU.",  \
	  "D8.3, descriptors")                                                                     \
	X(vmid_reused,                                                                             \
	  "A VMID is given to another table only after all that is cached under it was "           \
	  "invalidated.",                                                                          \
	  "D8.16.3, TLB maintenance by IPA")

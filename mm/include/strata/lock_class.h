/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The classes of the subsystem's locks, and the order that they are taken in.
 *
 * Invariant: a CPU takes a lock only if its rank is higher than that of each lock it has. So under a lock of
 * the last rank none is taken. Nodes are the exception among themselves: a cursor has many, each taken after
 * the one above it and, among the pages of a root, ascending; under the nodes of an open cursor others are
 * tried and not waited for, but for a stray one, which nobody keeps (strata/cursor.h); none of them is taken
 * under a lock of another class.
 */
#pragma once

#include <stdint.h>

/* X(name, rank, what it is called) */
#define MM_LOCK_CLASSES(X)                                                                         \
	X(NODE, 0, "a node")                                                                       \
	X(ACTIVITY, 1, "where spaces are active") /* checked builds only */                        \
	X(VMID, 2, "VMIDs")                                                                        \
	X(OWNERSHIP, 3, "ownership")                                                               \
	X(HEAP, 4, "a size class of the heap")                                                     \
	X(DEVICE_REGIONS, 4, "device regions")                                                     \
	X(DEFERRED_TABLES, 5, "a CPU's deferred tables")                                           \
	X(ZONE, 6, "a zone")                                                                       \
	X(FRAME_LISTS, 7, "list numbers")                                                          \
	X(AREAS, 7, "a list of areas")                                                             \
	X(DIRTY_LOGS, 7, "dirty logs")                                                             \
	X(SHARES, 7, "the table of shares") /* checked builds only */

enum mm_lock_class {
#define MM_LOCK_NAME(name, rank, text) MM_LOCK_##name,
	MM_LOCK_CLASSES(MM_LOCK_NAME)
#undef MM_LOCK_NAME
		MM_LOCK_CLASS_COUNT,
};

/* What @class is called in the table above. */
const char *mm_lock_class_name(enum mm_lock_class class);

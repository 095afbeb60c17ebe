/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walker: what a translation table in memory says, by the architecture's rules alone.
 *
 * Promise: it shares no code with the engine that wrote the table, and no constant that says what a
 * descriptor is; what they both name (a page's size, a property) is in public headers. It reads 64-bit
 * descriptors where a table walk of the MMU would (Arm ARM D8.2, "Translation process"), trusts
 * nothing it reads, and follows no address that is not a table page of the subsystem.
 *
 * 4 KiB granule, 48-bit addresses. Each level resolves 9 bits of the input address:
 *
 *	47     39 38     30 29     21 20     12 11         0
 *	| level 0 | level 1 | level 2 | level 3 |   offset   |
 *	            1 GiB     2 MiB     4 KiB     size of a leaf at that level (level 0 has none)
 *
 * A Stage-2 root may be 2, 4, 8 or 16 tables, one after the other, that are indexed like one
 * ("concatenated"); the first lookup then resolves 1 to 4 bits more.
 */
#pragma once

#include "arena.h"
#include "tree.h"

#include <arch/address.h>
#include <arch/translation.h>
#include <strata/page_property.h>
#include <strata/vm_space.h>

/* A table to read. */
struct walk_table {
	enum translation_stage stage;
	struct translation_geometry geometry;
	struct paddr root;
	bool hardware_flags; /* CPUs set Access flag and dirty state */
	enum vm_space_part part;
};

/* A leaf descriptor: a block or a page. */
struct walk_leaf {
	struct irange
		range; /* all that it translates, also where that passes the range asked for */
	struct paddr output; /* of the start of range */
	struct page_property property;
	bool counted;
	bool faulty; /* an error was reported for it: its property cannot be relied on */
	int level;
};

/* Everything that can be wrong with one descriptor, or with the table it leads to. */
#define WALK_ERROR_LIST(X)                                                                         \
	X(WALK_RESERVED_TYPE, "bits [1:0] are 0b01 at level 3, a reserved type")                   \
	X(WALK_BLOCK_LEVEL, "a block at level 0, which has none")                                  \
	X(WALK_OUTPUT_TOO_LARGE, "the output address is above the physical address size")          \
	X(WALK_OUTPUT_UNALIGNED, "a block's output address is not aligned to its size")            \
	X(WALK_RESERVED_BITS, "a bit that must be zero is set")                                    \
	X(WALK_SHAREABILITY, "the shareability is not that of its memory type")                    \
	X(WALK_MEMORY_TYPE, "the memory type is none of the four")                                 \
	X(WALK_ACCESS_BIT, "AP[1], which is RES1 in EL2's own regime, is zero")                    \
	X(WALK_WRITABLE_EXECUTABLE, "EL2 may write what it may execute")                           \
	X(WALK_DEVICE_EXECUTABLE, "device memory may be executed")                                 \
	X(WALK_TABLE_ATTRIBUTES, "a table descriptor has attributes")                              \
	X(WALK_TABLE_TOO_LARGE, "a table's address is above the physical address size")            \
	X(WALK_TABLE_USAGE, "the page it points to is not one of page tables")                     \
	X(WALK_TABLE_LOOP, "the table contains itself")                                            \
	X(WALK_TABLE_SHARED, "the table is reached a second time")                                 \
	X(WALK_ROOT_ALIGNMENT, "the root is not aligned to the size of its tables")                \
	X(WALK_GEOMETRY, "the root level and tables do not fit the input address size")

enum walk_error_kind {
#define WALK_ERROR_ENUMERATOR(name, meaning) name,
	WALK_ERROR_LIST(WALK_ERROR_ENUMERATOR)
#undef WALK_ERROR_ENUMERATOR
		WALK_ERROR_COUNT
};

struct walk_error {
	enum walk_error_kind kind;
	struct irange range; /* what the descriptor translates */
	int level;
	uint64_t descriptor; /* its value; of the root's errors: the root's address */
};

/* The meaning in words. */
const char *walk_error_text(enum walk_error_kind kind);

/* Table pages seen so far; for a walk, or several, in which each page may be met only once. */
struct walk_seen {
	RB_HEAD(seen_tree, seen_table) tables;
	struct model_pool *pool; /* of cells of struct seen_table */
	bool full;		 /* the arena was full: not all were remembered */
};

struct seen_table {
	RB_ENTRY(seen_table) link;
	struct paddr page;
};

void walk_seen_init(struct walk_seen *seen, struct model_pool *pool);
void walk_seen_clear(struct walk_seen *seen);

struct walk_visitor {
	/* For each leaf, ascending. NULL if they do not matter. */
	void (*leaf)(const struct walk_leaf *leaf, void *context);
	/* For each error; for those of a leaf just before the leaf. A bad table is not entered. */
	void (*error)(const struct walk_error *error, void *context);
	void *context;
	/* If not NULL, a table page that it holds already is WALK_TABLE_SHARED. */
	struct walk_seen *seen;
};

/*
 * Reads all descriptors that have a part in the translation of @range, which lies inside the input
 * addresses of the table. Returns how many were read.
 */
uint64_t walk_descriptors(const struct walk_table *table, struct irange range,
			  const struct walk_visitor *visitor);

/* What one descriptor covers: the leaf that translates @address, or the hole it lies in. */
struct irange walk_descriptor_range(const struct walk_table *table, struct iaddr address);

/* [0, 2^ia_bits), or the part of it that is the space's own. */
struct irange walk_table_range(const struct walk_table *table);

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the cursor's files share: spans of descriptors, the way down, splitting and merging. */
#pragma once

#include <strata/cursor.h>
#include "descriptor.h"
#include "gather.h"
#include "node.h"
#include "panic.h"
#include "per_cpu.h"
#include "report.h"
#include "leaf_property.h"
#include "window_space.h"

/*
 * A table and where it stands. base is the input address that its first descriptor translates: a
 * concatenated root is one table of up to 16 * 512 descriptors.
 */
struct table {
	uint64_t *descriptors;
	int level;
	struct iaddr base;
};

static inline size_t table_index(const struct table *table, struct iaddr ia)
{
	return (ia.value - table->base.value) >> level_shift(table->level);
}

static inline struct irange table_span(const struct table *table, size_t index)
{
	uint64_t start = table->base.value + ((uint64_t)index << level_shift(table->level));

	return irange(iaddr(start), iaddr(start + level_size(table->level)));
}

/* Writes the descriptor of a table, or 0 in its place; in the root of EL2's own table, which the
 * caller holds then, into those that follow it as well. */
static inline void table_link(const struct vm_space *space, const struct table *table, size_t index,
			      uint64_t value)
{
	descriptor_write(&table->descriptors[index], value);
	if (table->level == 0 && space->part == SPACE_BELOW_WINDOW)
		window_spaces_follow(space, index, value);
}

/* The table that the table descriptor at @index of @table points to. */
static inline struct table table_child(const struct table *table, size_t index, uint64_t descriptor)
{
	return (struct table){ descriptor_table(descriptor), table->level + 1,
			       table_span(table, index).start };
}

static inline struct table space_root(const struct vm_space *space)
{
	return (struct table){ linear(space->root), space->geometry.root_level, iaddr(0) };
}

static inline struct table covering_table(const struct cursor *cursor)
{
	return (struct table){ cursor->covering_table, cursor->covering_level,
			       cursor->covering_range.start };
}

/* The descriptor that translates an address, and what it spans. */
struct lookup {
	uint64_t *slot;
	uint64_t descriptor;
	struct table table;
	struct irange span;
};

/* Whether a CPU may change @leaf at any moment (vm_space_use_hardware_flags). */
static inline bool leaf_is_live(const struct vm_space *space, uint64_t leaf)
{
	return space->context.hardware_flags && (leaf & DESCRIPTOR_VALID) != 0 &&
	       (!(leaf & DESCRIPTOR_ACCESS_FLAG) || (leaf & STAGE2_DIRTY_BIT_MODIFIER) != 0);
}

static inline bool leaf_is_dirty(uint64_t leaf)
{
	return (leaf & STAGE2_DIRTY_BIT_MODIFIER) != 0 && (leaf & STAGE2_WRITE) != 0;
}

/* Lists the pages of @span in the logs that cover them (dirty_log.c). */
void dirty_logs_note(struct vm_space *space, struct irange span);

/* @leaf, that translated @span, is clean or gone now. */
static inline void note_dirty(struct vm_space *space, struct irange span, uint64_t leaf)
{
	if (space->context.hardware_flags && leaf_is_dirty(leaf))
		dirty_logs_note(space, span);
}

/* Makes the leaf at @slot zero, and returns what it was in that moment. */
static inline uint64_t leaf_take(const struct vm_space *space, uint64_t *slot)
{
	uint64_t leaf = *slot;

	if (leaf_is_live(space, leaf))
		return descriptor_exchange(slot, 0);
	descriptor_write(slot, 0);
	return leaf;
}

/* The last descriptor on the way down to @ia, which lies in the cursor's range. */
struct lookup cursor_lookup(const struct cursor *cursor, struct iaddr ia);

/* Checks that @length bytes lie between the position and the end. */
enum mm_status cursor_check_length(const struct cursor *cursor, uint64_t length);

/* Moves to the first mapped address in @range; false if there is none. */
bool cursor_find(const struct cursor *cursor, struct irange range, struct lookup *found);

/*
 * Puts a table of equal leaves in the place of the block at @index of @table, by break-before-make;
 * the table comes from @reserve. Returns it, locked.
 */
struct table block_split(struct cursor *cursor, const struct table *table, size_t index,
			 struct node_reserve *reserve);

/* How many tables splitting a block of @level needs so that the edges of @part in @span fall between
 * leaves. */
size_t split_tables(int level, struct irange span, struct irange part);

/*
 * Puts a block in the place of the table at @index of @table, by break-before-make, if the table's
 * descriptors are leaves that make up one block.
 */
void table_merge(struct cursor *cursor, const struct table *table, size_t index);

/* table_merge for every table below the covering node that spans some of @range, at every level: those
 * whose last differing leaf has just become like the others. */
void tables_merge(struct cursor *cursor, struct irange range);

/* Removes the table at @index of @table, which has no children left, from the tree. */
void table_detach_empty(struct cursor *cursor, const struct table *table, size_t index);

/* @table is not linked any more: parks it with the gather, and gives back its lock. */
void table_retire(struct cursor *cursor, const struct table *table);

/* Whether @table, not a root, is empty. (Of a root this CPU may not have the first page, which the node is.) */
static inline bool table_is_empty(const struct vm_space *space, const struct table *table)
{
	return table->level != space->geometry.root_level &&
	       node_of(table->descriptors)->children == 0;
}

/* Whether @table, not a root, is empty or could be a block: its parent's descriptor should change. */
bool table_is_untidy(const struct vm_space *space, const struct table *table);

/*
 * Frees or merges the table that the descriptor of @level for @ia points to, if it is still untidy,
 * and then its ancestors. A cursor has no right to the descriptor above its covering node; this
 * takes that right for a moment. If this CPU holds a cursor in the way, or has one open and would wait,
 * nothing is done: then an empty table stays, as one in which nothing is mapped, and goes with the next
 * mutable cursor that finds it so, with what is unmapped around it, or with the space.
 */
void space_tidy(struct vm_space *space, struct iaddr ia, int level);

/* The cached leaf table may be about to go. */
static inline void cursor_forget_leaf_table(struct cursor *cursor)
{
	cursor->leaf_table_range = irange(iaddr(0), iaddr(0));
}

/* An inner shareable table walk by any CPU sees what was written, and so does this one. */
void cursor_publish(const struct cursor *cursor);

/* What an unmap took out of the tables. */
struct removal {
	uint64_t leaves;
	uint64_t
		last; /* the last of them that was not in a table which went as a whole, as it was then */
};

/* Unmaps all of @range, nodes locked, blocks straddling its edges split from @reserve. */
struct removal cursor_remove(struct cursor *cursor, struct irange range,
			     struct node_reserve *reserve);

/* As cursor_unmap; @removal is set on success. */
enum mm_status cursor_unmap_telling(struct cursor *cursor, uint64_t length,
				    struct removal *removal);

/*
 * As cursor_replace, but between break and make the page that was mapped is copied to @frame: no CPU
 * can write to either. The caller has a reference to the old page. @property is what it was when the
 * caller looked; what a CPU has set since is set in the new leaf too. @caller: SHARE_CALLER of mm/share.h.
 */
enum mm_status cursor_replace_copying(struct cursor *cursor, frame_t *frame,
				      struct page_property property, uintptr_t caller);

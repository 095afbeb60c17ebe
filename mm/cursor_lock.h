/* SPDX-License-Identifier: BSD-3-Clause */
/* The locking protocol of cursors: strata/cursor.h says it in words. */
#pragma once

#include "cursor_private.h"

#include "read_section.h"

/* Makes a cursor, with nothing gathered, of a range that is locked. */
static inline void cursor_begin(struct cursor *cursor, struct vm_space *space, struct irange range,
				enum cursor_access access, const struct table *covering,
				struct slot *node, struct irange covering_range)
{
	cursor->space = space;
	cursor->range = range;
	cursor->position = range.start;
	cursor->access = access;
	cursor->changed = false;
	cursor->covering_table = covering->descriptors;
	cursor->covering_node = node;
	cursor->covering_level = covering->level;
	cursor->covering_range = covering_range;
	if (covering->level == LEVEL_PAGE) {
		cursor->leaf_table = covering->descriptors;
		cursor->leaf_node = node;
		cursor->leaf_table_range = covering_range;
	} else {
		cursor_forget_leaf_table(cursor);
	}
	gather_init(&cursor->gather);
}

/*
 * Finds the covering node of @range, at @deepest_level or nearer the root, locks it and what lies below,
 * and makes @cursor, with nothing gathered. False, with nothing locked, if this CPU holds one of the
 * nodes already, or another CPU does and this one is not to wait.
 */
bool cursor_lock(struct cursor *cursor, struct vm_space *space, struct irange range,
		 enum cursor_access access, int deepest_level, enum node_patience patience);

/*
 * The common case of cursor_lock, which calls nothing and so saves no register: the range lies in one
 * table of level 3 (no root is of that level), nobody has it, and the first zone has its page. False,
 * with nothing done, in all other cases.
 */
static inline bool cursor_lock_page_table(struct cursor *cursor, struct vm_space *space,
					  struct irange range, enum cursor_access access)
{
	const uint64_t first = range.start.value;
	int level = space->geometry.root_level;
	unsigned int shift = level_shift(level);
	uint64_t *table = linear(space->root);
	uint64_t index = first >> shift; /* a concatenated root has more entries than a table */
	struct zone *zone = zones;

	if ((first ^ (range.end.value - 1)) >> level_shift(LEVEL_PAGE - 1) != 0)
		return false;
	read_section_enter();
	do {
		uint64_t descriptor = descriptor_read(&table[index]);

		if (!descriptor_is_table(descriptor, level))
			break;
		table = descriptor_table(descriptor);
		shift -= LEVEL_BITS;
		index = (first >> shift) & (TABLE_ENTRIES - 1);
	} while (++level < LEVEL_PAGE);

	struct slot *node = level == LEVEL_PAGE && zone_has(zone, physical(table))
				    ? zone_slot(zone, physical(table))
				    : NULL;
	bool locked = node != NULL && node_try_lock_found(node, cpu_index()) == NODE_LOCKED;

	read_section_leave();
	if (!locked)
		return false;

	const struct table covering = { table, LEVEL_PAGE, iaddr(0) };
	uint64_t base = first & -level_size(LEVEL_PAGE - 1);

	cursor_begin(cursor, space, range, access, &covering, node,
		     irange(iaddr(base), iaddr(base + level_size(LEVEL_PAGE - 1))));
	return true;
}

/* Gives back what cursor_lock or cursor_lock_page_table took. */
void cursor_unlock_slowly(struct cursor *cursor);

static inline void cursor_unlock(struct cursor *cursor)
{
	if (cursor->covering_level == LEVEL_PAGE)
		node_unlock(cursor->covering_node);
	else
		cursor_unlock_slowly(cursor);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blocks into tables and back. Both replace one valid descriptor by another that translates the same
 * addresses to the same place, so both follow break-before-make (Arm ARM D8.16.1): between the two
 * no CPU can have either cached. References do not change: a block holds one on each page.
 */
#include <arch/canary.h>
#include "cursor_lock.h"

/* Leaves of @level that are together what @block is. */
static void fill_alike(uint64_t *descriptors, uint64_t block, int level)
{
	uint64_t leaf = leaf_descriptor(descriptor_address(block), leaf_attributes(block), level);

	for (size_t i = 0; i < TABLE_ENTRIES; i++, leaf += level_size(level))
		descriptor_write(&descriptors[i], leaf);
}

struct table block_split(struct cursor *cursor, const struct table *table, size_t index,
			 struct node_reserve *reserve)
{
	uint64_t *slot = &table->descriptors[index];
	uint64_t block = *slot;
	struct irange span = table_span(table, index);
	int level = table->level + 1;
	uint64_t *descriptors = node_reserve_take(reserve, level);

	fill_alike(descriptors, block, level);
	node_of(descriptors)->children = TABLE_ENTRIES;

	/* A CPU may have set a flag meanwhile: then it is set in every leaf. */
	uint64_t taken = leaf_take(cursor->space, slot);

	if (taken != block)
		fill_alike(descriptors, taken, level);
	gather_leaves(&cursor->gather, span, table->level);
	gather_flush(cursor->space, &cursor->gather);
	descriptor_write(slot, table_descriptor(physical(descriptors)));
	cursor_publish(cursor);
	cursor->changed = true;
	COUNT(blocks_split, 1);
	return (struct table){ descriptors, level, span.start };
}

size_t split_tables(int level, struct irange span, struct irange part)
{
	struct irange inside = irange_intersection(span, part);
	uint64_t below = level_size(level + 1);

	if (inside.start.value == span.start.value && inside.end.value == span.end.value)
		return 0;
	if (level + 1 == LEVEL_PAGE)
		return 1;

	/* The leaves of the new table that an edge of @part still cuts. */
	size_t tables = 1;
	uint64_t first = inside.start.value & ~(below - 1);
	uint64_t last = (inside.end.value - 1) & ~(below - 1);

	tables += split_tables(level + 1, irange(iaddr(first), iaddr(first + below)), part);
	if (last != first)
		tables += split_tables(level + 1, irange(iaddr(last), iaddr(last + below)), part);
	return tables;
}

/* Whether the descriptors of @child are leaves that could be the one block @first describes. */
static bool makes_one_block(const struct vm_space *space, const struct table *child)
{
	const uint64_t *descriptors = child->descriptors;
	uint64_t step = level_size(child->level);
	uint64_t first = descriptors[0];
	uint64_t output = descriptor_address(first).value;

	/* What a CPU may change is not alike for long, and a page's dirty state would be a block's. */
	if (descriptor_is_table(first, child->level) || leaf_is_live(space, first) ||
	    (output & (level_size(child->level - 1) - 1)) != 0 ||
	    node_of(descriptors)->children != TABLE_ENTRIES)
		return false;
	/* The last one first: in most tables that are not one block it already tells. */
	if (descriptors[TABLE_ENTRIES - 1] != first + (TABLE_ENTRIES - 1) * step)
		return false;
	for (size_t i = 1; i < TABLE_ENTRIES - 1; i++)
		if (descriptors[i] != first + i * step)
			return false;
	return true;
}

void table_retire(struct cursor *cursor, const struct table *table)
{
	struct slot *node = node_of(table->descriptors);

	/* Parked before the lock goes: the chain shares a word with what the next holder looks at. */
	node->node.stray = 1;
	gather_park_table(&cursor->gather, physical(table->descriptors));
	node_unlock(node);
}

/*
 * EL2 runs on its own Stage 1: to break what spans the running code, its stack or the tables would take
 * the ground away. There, tables stay as they are.
 */
static bool may_merge(const struct vm_space *space)
{
	return space->stage == STAGE_2 || space->el2 != NULL;
}

void table_merge(struct cursor *cursor, const struct table *table, size_t index)
{
	if (!may_merge(cursor->space) || table->level < LEVEL_BLOCK_FIRST)
		return;

	struct table child = table_child(table, index, table->descriptors[index]);
	struct irange span = table_span(table, index);

	/* Only what this cursor has to itself may change. */
	if (!irange_contains(cursor->range, span) || !makes_one_block(cursor->space, &child))
		return;

	uint64_t first = child.descriptors[0];
	uint64_t block =
		leaf_descriptor(descriptor_address(first), leaf_attributes(first), table->level);

	descriptor_write(&table->descriptors[index], 0);
	gather_subtree(&cursor->gather, span);
	table_retire(cursor, &child);
	cursor_forget_leaf_table(cursor);
	gather_flush(cursor->space, &cursor->gather);
	descriptor_write(&table->descriptors[index], block);
	cursor_publish(cursor);
	COUNT(tables_merged, 1);
}

/* From the pages up: what merges below may make one block of its parent. */
static void merge_below(struct cursor *cursor, const struct table *table, struct irange part)
{
	if (table->level == LEVEL_PAGE)
		return;

	size_t last = table_index(table, iaddr(part.end.value - 1));

	for (size_t i = table_index(table, part.start); i <= last; i++) {
		uint64_t descriptor = table->descriptors[i];

		if (!descriptor_is_table(descriptor, table->level))
			continue;

		struct table child = table_child(table, i, descriptor);

		merge_below(cursor, &child, irange_intersection(part, table_span(table, i)));
		table_merge(cursor, table, i);
	}
}

void tables_merge(struct cursor *cursor, struct irange range)
{
	struct table covering = covering_table(cursor);

	merge_below(cursor, &covering, range);
}

void table_detach_empty(struct cursor *cursor, const struct table *table, size_t index)
{
	struct table child = table_child(table, index, table->descriptors[index]);

	if (!CANARY(table_freed_reachable))
		table_link(cursor->space, table, index, 0);
	node_of(&table->descriptors[index])->children--;
	gather_empty_table(&cursor->gather, table_span(table, index));
	table_retire(cursor, &child);
	cursor_forget_leaf_table(cursor);
}

bool table_is_untidy(const struct vm_space *space, const struct table *table)
{
	if (table->level == space->geometry.root_level)
		return false;
	if (node_of(table->descriptors)->children == 0)
		return true;
	return may_merge(space) && table->level > LEVEL_BLOCK_FIRST &&
	       makes_one_block(space, table);
}

void space_tidy(struct vm_space *space, struct iaddr ia, int level)
{
	bool untidy = true;

	while (untidy && level >= space->geometry.root_level) {
		uint64_t start = ia.value & ~(level_size(level) - 1);
		struct irange span = irange(iaddr(start), iaddr(start + level_size(level)));
		struct cursor cursor;

		if (!cursor_lock(&cursor, space, span, CURSOR_MUTABLE, level, node_patience()))
			return;

		struct table table = covering_table(&cursor);
		size_t index = table_index(&table, ia);

		untidy = false;
		if (table.level == level &&
		    descriptor_is_table(table.descriptors[index], table.level)) {
			struct table child = table_child(&table, index, table.descriptors[index]);

			if (node_of(child.descriptors)->children == 0)
				table_detach_empty(&cursor, &table, index);
			else
				table_merge(&cursor, &table, index);
			untidy = table_is_untidy(space, &table);
		}
		gather_flush(space, &cursor.gather);
		cursor_unlock(&cursor);
		level--;
	}
}

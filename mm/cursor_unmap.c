/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/canary.h>
#include "cursor_private.h"

static bool is_counted(uint64_t leaf)
{
	return !(leaf & DESCRIPTOR_NOT_COUNTED);
}

/* A leaf of @level is out of the tables, and what covers it is gathered: its references move from
 * the table to the gather (P to T). */
static void park_leaf(struct cursor *cursor, uint64_t leaf, int level)
{
	if (!is_counted(leaf) || CANARY(page_not_parked))
		return;

	struct paddr output = descriptor_address(leaf);
	struct prange pages = prange(output, paddr(output.value + level_size(level)));

	if (CANARY(parked_too_far))
		pages.end.value += PAGE_SIZE;
	gather_park_pages(cursor->space, &cursor->gather, pages);
}

/* Parks all leaves and tables at and below a table that is detached already. */
static uint64_t park_subtree(struct cursor *cursor, const struct table *table)
{
	uint16_t left = node_of(table->descriptors)->children;
	uint64_t leaves = 0;

	for (size_t i = 0; left > 0; i++) {
		uint64_t descriptor = table->descriptors[i];

		if (descriptor == 0)
			continue;
		left--;
		if (descriptor_is_table(descriptor, table->level)) {
			struct table child = table_child(table, i, descriptor);

			leaves += park_subtree(cursor, &child);
		} else {
			/* Walkers may still know the table: what they set in it counts until now. */
			if (leaf_is_live(cursor->space, descriptor)) {
				descriptor = descriptor_exchange(&table->descriptors[i], 0);
				note_dirty(cursor->space, table_span(table, i), descriptor);
			}
			park_leaf(cursor, descriptor, table->level);
			leaves++;
		}
	}
	table_retire(cursor, table);
	return leaves;
}

/* Takes a table that lies wholly in what is unmapped out of the tree, with all that is below it. */
static uint64_t detach_subtree(struct cursor *cursor, const struct table *table, size_t index)
{
	struct table child = table_child(table, index, table->descriptors[index]);

	table_link(cursor->space, table, index, 0);
	node_of(&table->descriptors[index])->children--;
	gather_subtree(&cursor->gather, table_span(table, index));
	return park_subtree(cursor, &child);
}

/* Returns what the leaf was. @node is that of the descriptor. */
static uint64_t remove_leaf(struct cursor *cursor, const struct table *table, size_t index,
			    struct slot *node)
{
	uint64_t leaf = leaf_take(cursor->space, &table->descriptors[index]);

	note_dirty(cursor->space, table_span(table, index), leaf);
	node->children--;
	gather_leaves(&cursor->gather, table_span(table, index), table->level);
	park_leaf(cursor, leaf, table->level);
	return leaf;
}

static void remove_below(struct cursor *cursor, const struct table *table, struct irange part,
			 struct node_reserve *reserve, struct removal *removal)
{
	size_t last = table_index(table, iaddr(part.end.value - 1));

	for (size_t i = table_index(table, part.start); i <= last; i++) {
		uint64_t descriptor = table->descriptors[i];
		struct irange span = table_span(table, i);
		struct table child;

		if (descriptor == 0)
			continue;
		if (descriptor_is_table(descriptor, table->level)) {
			if (irange_contains(part, span)) {
				removal->leaves += detach_subtree(cursor, table, i);
				continue;
			}
			child = table_child(table, i, descriptor);
		} else {
			if (irange_contains(part, span)) {
				removal->last = remove_leaf(cursor, table, i,
							    node_of(&table->descriptors[i]));
				removal->leaves++;
				continue;
			}
			child = block_split(cursor, table, i, reserve);
		}
		remove_below(cursor, &child, irange_intersection(part, span), reserve, removal);
		if (node_of(child.descriptors)->children == 0)
			table_detach_empty(cursor, table, i);
	}
}

struct removal cursor_remove(struct cursor *cursor, struct irange range,
			     struct node_reserve *reserve)
{
	struct table covering = covering_table(cursor);
	struct removal removal = { 0, 0 };

	cursor_forget_leaf_table(cursor);
	if (irange_is_empty(range))
		return removal;
	remove_below(cursor, &covering, range, reserve, &removal);
	cursor->changed = true;
	COUNT(leaves_unmapped, removal.leaves);
	return removal;
}

/* The tables that splits at both edges of @range need: only a block that an edge cuts is split. */
static size_t tables_for_edges(const struct cursor *cursor, struct irange range)
{
	struct lookup first = cursor_lookup(cursor, range.start);
	struct lookup last = cursor_lookup(cursor, iaddr(range.end.value - 1));
	size_t tables = 0;

	if (first.descriptor != 0)
		tables += split_tables(first.table.level, first.span, range);
	if (last.descriptor != 0 && last.slot != first.slot)
		tables += split_tables(last.table.level, last.span, range);
	return tables;
}

/*
 * The common case: a page in the leaf table at hand, which it does not leave empty. False, with nothing
 * done, in all others.
 */
static bool unmap_at_hand(struct cursor *cursor, struct removal *removal)
{
	struct iaddr ia = cursor->position;

	if (cursor->access != CURSOR_MUTABLE || ia.value >= cursor->range.end.value ||
	    !irange_has(cursor->leaf_table_range, ia) || cursor->leaf_node->children == 1)
		return false;

	struct table table = { cursor->leaf_table, LEVEL_PAGE, cursor->leaf_table_range.start };
	size_t index = table_index(&table, ia);

	if (table.descriptors[index] == 0)
		return false;
	*removal = (struct removal){ 1, remove_leaf(cursor, &table, index, cursor->leaf_node) };
	cursor->changed = true;
	COUNT(leaves_unmapped, 1);
	cursor->position.value += PAGE_SIZE;
	return true;
}

enum mm_status cursor_unmap_telling(struct cursor *cursor, uint64_t length, struct removal *removal)
{
	if (length == PAGE_SIZE && unmap_at_hand(cursor, removal)) {
		REPORT(.kind = OPERATION_CURSOR_UNMAP, .space = cursor->space, .cursor = cursor,
		       .position = iaddr(cursor->position.value - PAGE_SIZE),
		       .range = irange(iaddr(cursor->position.value - PAGE_SIZE), cursor->position),
		       .leaves = 1);
		return MM_OK;
	}

	enum mm_status status = cursor->access == CURSOR_MUTABLE
					? cursor_check_length(cursor, length)
					: MM_ACCESS_DENIED;
	struct iaddr before = cursor->position;
	struct irange range = irange(before, iaddr(before.value + length));
	struct node_reserve reserve = { .count = 0 };
	uint64_t leaves = 0;

	if (status == MM_OK && length > 0)
		status = node_reserve_fill(&reserve, tables_for_edges(cursor, range));
	if (status == MM_OK) {
		*removal = cursor_remove(cursor, range, &reserve);
		leaves = removal->leaves;
		MM_INVARIANT(reserve.count == 0, "an unmap uses the tables it planned",
			     reserve.count);
		cursor->position = range.end;
	}
	REPORT(.kind = OPERATION_CURSOR_UNMAP, .status = status, .space = cursor->space,
	       .cursor = cursor, .position = before, .range = range, .leaves = leaves);
	(void)leaves;
	return status;
}

enum mm_status cursor_unmap(struct cursor *cursor, uint64_t length, uint64_t *leaves)
{
	struct removal removal;
	enum mm_status status = cursor_unmap_telling(cursor, length, &removal);

	if (status == MM_OK && leaves != NULL)
		*leaves = removal.leaves;
	return status;
}

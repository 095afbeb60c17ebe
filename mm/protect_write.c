/* SPDX-License-Identifier: BSD-3-Clause */
#include "protect_change.h"

/* The @count leaves at @leaves get @difference in place of what they have. */
static void change_in_place(uint64_t *leaves, size_t count, uint64_t difference)
{
	uint64_t *leaf = leaves;
	const uint64_t *end = leaves + count;

	for (; end - leaf >= PROTECT_STEP; leaf += PROTECT_STEP) {
#pragma GCC unroll 16
		for (size_t i = 0; i < PROTECT_STEP; i += 2) {
			/* Both before the first store, which a compiler moves no load over. */
			uint64_t even = leaf[i];
			uint64_t odd = leaf[i + 1];

			descriptor_change(&leaf[i], even ^ difference);
			descriptor_change(&leaf[i + 1], odd ^ difference);
		}
	}
	for (; leaf < end; leaf++)
		descriptor_change(leaf, *leaf ^ difference);
}

/*
 * As change_run, for one leaf that a CPU may change: what becomes of it follows from what it is in the
 * moment of the exchange. If that is dirty and what it becomes is not, its pages are listed.
 */
static void change_live_leaf(struct range_change *change, const struct table *table, size_t index)
{
	const struct irange span = table_span(table, index);
	uint64_t *slot = &table->descriptors[index];
	uint64_t old = descriptor_read(slot);
	const struct leaf_change *leaf = leaf_change(change, old, table->level);

	while (leaf_changes(leaf) && !leaf->breaks &&
	       !descriptor_compare_exchange(slot, &old, descriptor_address(old).value | leaf->new))
		leaf = leaf_change(change, old, table->level);

	bool breaks = leaf->breaks;

	if (breaks) {
		uint64_t broken = old & ~DESCRIPTOR_VALID;

		/* No CPU writes to it from then on; what it was in that moment is kept in it. */
		old = descriptor_exchange(slot, broken);
		if ((old & ~DESCRIPTOR_VALID) != broken)
			descriptor_change(slot, old & ~DESCRIPTOR_VALID);
		leaf = leaf_change(change, old, table->level);
	}

	if (change->visit != NULL)
		change->visit(span, leaf->was, change->visit_context);
	if (!leaf_changes(leaf) && !breaks)
		return;
	if (!leaf_is_dirty(leaf->new))
		note_dirty(change->cursor->space, span, old);
	change->broken |= breaks;
	gather_leaves(&change->cursor->gather, span, table->level);
	change->leaves++;
}

/*
 * Changes the @count leaves at @index of @table, which are alike. Permissions and the Access flag may
 * change in place; a change of memory type or shareability must break first (Arm ARM D8.16.1).
 */
static void change_run(struct range_change *change, const struct table *table, size_t index,
		       size_t count)
{
	uint64_t *leaves = &table->descriptors[index];
	const struct leaf_change *leaf = leaf_change(change, *leaves, table->level);
	struct irange range =
		irange(table_span(table, index).start, table_span(table, index + count - 1).end);

	if (change->visit != NULL)
		change->visit(range, leaf->was, change->visit_context);
	if (!leaf_changes(leaf))
		return;
	change_in_place(leaves, count, leaf->breaks ? DESCRIPTOR_VALID : leaf->old ^ leaf->new);
	change->broken |= leaf->breaks;
	gather_leaves(&change->cursor->gather, range, table->level);
	change->leaves += count;
}

static void write_below(struct range_change *change, const struct table *table, struct irange part)
{
	size_t last = table_index(table, iaddr(part.end.value - 1));
	/* The plan met one property, and no descriptor here is zero: there is nothing to look for. */
	bool alike = table->level == LEVEL_PAGE && change->alike &&
		     node_of(table->descriptors)->children == TABLE_ENTRIES;
	size_t run;

	for (size_t i = table_index(table, part.start); i <= last; i += run) {
		uint64_t descriptor = table->descriptors[i];
		struct irange span = table_span(table, i);
		struct table child;

		run = 1;
		if (descriptor == 0)
			continue;
		if (descriptor_is_table(descriptor, table->level)) {
			child = table_child(table, i, descriptor);
		} else if (!leaf_is_cut(change, table->level, span, part) ||
			   (irange_contains(part, span) &&
			    !leaf_may_change(change, descriptor, table->level))) {
			if (leaf_is_live(change->cursor->space, descriptor)) {
				change_live_leaf(change, table, i);
				continue;
			}
			run = alike ? last + 1 - i : leaf_run(table, i, last);
			change_run(change, table, i, run);
			continue;
		} else if (!leaf_changes(leaf_change(change, descriptor, table->level))) {
			if (change->visit != NULL)
				change->visit(irange_intersection(part, span), change->last.was,
					      change->visit_context);
			continue;
		} else {
			child = block_split(change->cursor, table, i, change->reserve);
			change->split = true;
		}
		write_below(change, &child, irange_intersection(part, span));
	}
}

/* Only leaves that write_below made invalid are neither zero nor valid. */
static void make_below(struct range_change *change, const struct table *table, struct irange part)
{
	size_t last = table_index(table, iaddr(part.end.value - 1));

	for (size_t i = table_index(table, part.start); i <= last; i++) {
		uint64_t descriptor = table->descriptors[i];

		if (descriptor_is_table(descriptor, table->level)) {
			struct table child = table_child(table, i, descriptor);

			make_below(change, &child, irange_intersection(part, table_span(table, i)));
		} else if (descriptor != 0 && !(descriptor & DESCRIPTOR_VALID)) {
			descriptor_write(
				&table->descriptors[i],
				descriptor_address(descriptor).value |
					leaf_change(change, descriptor, table->level)->new);
		}
	}
}

void protect_commit(struct range_change *change, struct irange range)
{
	struct cursor *cursor = change->cursor;

	write_below(change, &change->top, range);
	/* Where a CPU changed a leaf meanwhile there may be some left. */
	if (!change->is_planned && cursor->space->context.hardware_flags)
		node_reserve_release(change->reserve);
	MM_INVARIANT(change->is_planned || change->reserve->count == 0,
		     "a change uses the tables it planned", change->reserve->count);
	if (change->broken) {
		gather_flush(cursor->space, &cursor->gather);
		make_below(change, &change->top, range);
		cursor_publish(cursor);
	}
	if (change->leaves > 0) {
		cursor->changed = true;
		COUNT(leaves_changed, change->leaves);
	}
	/* A CPU may have set what was to be set after it was split for that: it is a block again. */
	if ((change->leaves > 0 || change->split) &&
	    (change->top.level < LEVEL_PAGE || table_is_untidy(cursor->space, &change->top)))
		tables_merge(cursor, range);
}

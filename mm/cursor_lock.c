/* SPDX-License-Identifier: BSD-3-Clause */
#include "cursor_lock.h"
#include <arch/canary.h>
#include <arch/cpu.h>

/*
 * A table's pages are locked one by one: all but a concatenated root have one page. @range lies in
 * the table's span.
 */
static struct slot *table_page(const struct table *table, size_t page)
{
	return node_of(table->descriptors + page * TABLE_ENTRIES);
}

static size_t first_page(const struct table *table, struct irange range)
{
	return table_index(table, range.start) / TABLE_ENTRIES;
}

static size_t last_page(const struct table *table, struct irange range)
{
	return table_index(table, iaddr(range.end.value - 1)) / TABLE_ENTRIES;
}

static void unlock_pages(const struct table *table, size_t first, size_t end)
{
	while (end > first)
		node_unlock(table_page(table, --end));
}

/* In ascending order. */
static bool lock_pages(const struct table *table, struct irange range, enum node_patience patience)
{
	size_t first = first_page(table, range);

	for (size_t page = first; page <= last_page(table, range); page++) {
		if (page > first)
			NODE_FOLLOWS(table_page(table, page), table_page(table, page - 1));
		if (node_lock(table_page(table, page), patience))
			continue;
		unlock_pages(table, first, page);
		return false;
	}
	return true;
}

static void unlock_below(const struct table *table, struct irange range);

/* Gives back a table and everything locked below it. */
static void unlock_table(const struct table *table, struct irange range)
{
	unlock_below(table, range);
	unlock_pages(table, first_page(table, range), last_page(table, range) + 1);
}

/* In the reverse of the order of locking. */
static void unlock_below(const struct table *table, struct irange range)
{
	if (table->level == LEVEL_PAGE || irange_is_empty(range) || CANARY(descendants_not_locked))
		return;

	size_t first = table_index(table, range.start);

	for (size_t i = table_index(table, iaddr(range.end.value - 1)) + 1; i-- > first;) {
		uint64_t descriptor = table->descriptors[i];

		if (!descriptor_is_table(descriptor, table->level))
			continue;

		struct table child = table_child(table, i, descriptor);

		unlock_table(&child, irange_intersection(range, table_span(table, i)));
	}
}

/* Locks the tables below @table that @range touches; false, with none of them locked, where node_lock says
 * that. */
static bool lock_below(const struct table *table, struct irange range, enum node_patience patience)
{
	if (table->level == LEVEL_PAGE || CANARY(descendants_not_locked))
		return true;

	size_t first = table_index(table, range.start);
	size_t last = table_index(table, iaddr(range.end.value - 1));

	for (size_t i = first; i <= last; i++) {
		uint64_t descriptor = descriptor_read(&table->descriptors[i]);

		if (!descriptor_is_table(descriptor, table->level))
			continue;

		struct table child = table_child(table, i, descriptor);
		struct irange part = irange_intersection(range, table_span(table, i));

		NODE_FOLLOWS(node_of_table(child.descriptors), node_of(&table->descriptors[i]));
		if (lock_pages(&child, part, patience)) {
			if (lock_below(&child, part, patience))
				continue;
			unlock_pages(&child, first_page(&child, part), last_page(&child, part) + 1);
		}
		unlock_below(table, irange(range.start, table_span(table, i).start));
		return false;
	}
	return true;
}

/* The deepest table, not below @deepest_level, that spans all of @range, found without locks. */
static struct table find_covering(const struct vm_space *space, struct irange range,
				  int deepest_level)
{
	const uint64_t first = range.start.value;
	const uint64_t differing = first ^ (range.end.value - 1);
	int level = space->geometry.root_level;
	unsigned int shift = level_shift(level);
	uint64_t *descriptors = linear(space->root);
	uint64_t index = first >> shift; /* a concatenated root has more entries than a table */
	uint64_t base = 0;

	/* Where all of the range has one index, the table below spans it, if there is one. */
	while (level < deepest_level && differing >> shift == 0) {
		uint64_t descriptor = descriptor_read(&descriptors[index]);

		if (!descriptor_is_table(descriptor, level))
			break;
		descriptors = descriptor_table(descriptor);
		base = first & -(UINT64_C(1) << shift);
		level++;
		shift -= LEVEL_BITS;
		index = (first >> shift) & (TABLE_ENTRIES - 1);
	}
	return (struct table){ descriptors, level, iaddr(base) };
}

/* Finds the covering node and tries to lock it: a root may be waited for, since it is never freed; any
 * other may be freed once the read section ends. False: it is this CPU's, or one that it does not wait for. */
static enum node_lock_result lock_covering(const struct vm_space *space, struct irange range,
					   int deepest_level, enum node_patience patience,
					   struct table *covering, struct slot **node)
{
	const unsigned int cpu = cpu_index();

	read_section_enter();
	*covering = find_covering(space, range, deepest_level);
	*node = node_of_table(covering->descriptors);
	if (covering->level == space->geometry.root_level) {
		read_section_leave();
		return lock_pages(covering, range, patience) ? NODE_LOCKED : NODE_HELD_HERE;
	}

	enum node_lock_result result = node_try_lock_found(*node, cpu);

	read_section_leave();
	return result;
}

/* What @table spans; a root, all input addresses there are. */
static struct irange whole_span(const struct vm_space *space, const struct table *table)
{
	if (table->level == space->geometry.root_level)
		return irange(iaddr(0), iaddr(UINT64_C(1) << space->geometry.ia_bits));
	return irange(table->base,
		      iaddr(table->base.value + (level_size(table->level) << LEVEL_BITS)));
}

bool cursor_lock(struct cursor *cursor, struct vm_space *space, struct irange range,
		 enum cursor_access access, int deepest_level, enum node_patience patience)
{
	struct table covering;
	struct slot *node;
	enum node_lock_result result;

	NODE_ASKED(patience);
	while ((result = lock_covering(space, range, deepest_level, patience, &covering, &node)) ==
		       NODE_HELD_ELSEWHERE &&
	       patience == NODE_WAIT)
		lock_wait(MM_LOCK_NODE);
	if (result == NODE_HELD_ELSEWHERE || (result == NODE_HELD_HERE && !CANARY(lock_held_twice)))
		return false;
	if (covering.level < LEVEL_PAGE && !lock_below(&covering, range, patience)) {
		unlock_pages(&covering, first_page(&covering, range),
			     last_page(&covering, range) + 1);
		return false;
	}

	cursor_begin(cursor, space, range, access, &covering, node, whole_span(space, &covering));
	return true;
}

void cursor_unlock_slowly(struct cursor *cursor)
{
	struct table covering = covering_table(cursor);

	unlock_table(&covering, cursor->range);
}

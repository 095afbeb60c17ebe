/* SPDX-License-Identifier: BSD-3-Clause */
#include "protect_change.h"

static struct page_property property_of(const struct range_change *change, uint64_t leaf)
{
	return property_decode(change->cursor->space->stage, leaf_attributes(leaf));
}

static const struct property_change *find_change(const struct range_change *change,
						 struct page_property was)
{
	for (size_t i = 0; i < change->count; i++)
		if (page_property_equal(change->changes[i].was, was))
			return &change->changes[i];
	return NULL;
}

/* Asks what becomes of the property of @leaf, unless it was asked before. */
static enum mm_status ask(struct range_change *change, uint64_t leaf)
{
	struct page_property was = property_of(change, leaf);
	uint64_t attributes;

	if (find_change(change, was) != NULL)
		return MM_OK;

	struct property_change *answer = &change->changes[change->count++];

	*answer = (struct property_change){ was, change->update(was, change->update_context) };
	return property_encode(change->cursor->space, answer->becomes, &attributes)
		       ? MM_OK
		       : MM_NOT_SUPPORTED;
}

/* What a CPU may make of @leaf before it is written, itself included: its bits beside the address. */
#define VARIANTS 4

static size_t leaf_variants(const struct range_change *change, uint64_t leaf,
			    uint64_t variants[VARIANTS])
{
	uint64_t dirty = leaf & STAGE2_DIRTY_BIT_MODIFIER ? STAGE2_WRITE : 0;

	variants[0] = leaf;
	variants[1] = leaf | DESCRIPTOR_ACCESS_FLAG;
	variants[2] = leaf | dirty;
	variants[3] = variants[1] | dirty;
	return leaf_is_live(change->cursor->space, leaf) ? VARIANTS : 1;
}

/* As ask, of everything that the leaf may be when it is written; and says whether all leaves are alike. */
static enum mm_status ask_once(struct range_change *change, uint64_t leaf)
{
	if (change->count == 0)
		change->first = but_address(leaf);
	else if (but_address(leaf) == change->first)
		return MM_OK;
	else
		change->alike = false;

	uint64_t variants[VARIANTS];
	size_t count = leaf_variants(change, leaf, variants);
	enum mm_status status = MM_OK;

	change->alike &= count == 1;
	for (size_t i = 0; status == MM_OK && i < count; i++)
		status = ask(change, variants[i]);
	return status;
}

const struct leaf_change *leaf_change(struct range_change *change, uint64_t leaf, int level)
{
	struct leaf_change *last = &change->last;

	if (last->old == but_address(leaf))
		return last;

	struct page_property was = property_of(change, leaf);
	const struct property_change *answer = find_change(change, was);
	uint64_t attributes = 0;
	bool known = answer != NULL &&
		     property_encode(change->cursor->space, answer->becomes, &attributes);

	MM_INVARIANT(known, "a property in the range was asked for", leaf);
	attributes |= leaf & DESCRIPTOR_NOT_COUNTED;
	*last = (struct leaf_change){
		.old = but_address(leaf),
		.new = leaf_descriptor(paddr(0), attributes, level),
		.was = was,
		.breaks = was.cache != answer->becomes.cache,
	};
	return last;
}

bool leaf_may_change(struct range_change *change, uint64_t leaf, int level)
{
	uint64_t variants[VARIANTS];
	size_t count = leaf_variants(change, leaf, variants);
	bool may = false;

	for (size_t i = 0; i < count; i++)
		may |= leaf_changes(leaf_change(change, variants[i], level));
	return may;
}

/* The tables that takes. */
static size_t tables_for_cut(const struct range_change *change, int level, struct irange span,
			     struct irange part)
{
	struct irange inside = irange_intersection(span, part);
	uint64_t below = level_size(level + 1);

	if (!change->to_pages)
		return split_tables(level, span, part);
	if (level + 1 == LEVEL_PAGE)
		return 1;
	return 1 + (size_t)((inside.end.value + below - 1) / below - inside.start.value / below);
}

/* How many of @count descriptors, from the first on, differ from it in nothing but the address. */
static size_t run_length(const uint64_t *descriptors, size_t count)
{
	const uint64_t first = descriptors[0];
	const uint64_t *descriptor = descriptors;
	const uint64_t *end = descriptors + count;

	/* In steps, as in change_in_place: the time of a large range is spent in the two. Plain loads, that
	 * a compiler may pair: nobody writes to a table that is locked. */
	for (; end - descriptor >= PROTECT_STEP; descriptor += PROTECT_STEP) {
		uint64_t difference = 0;

#pragma GCC unroll 16
		for (size_t i = 0; i < PROTECT_STEP; i++)
			difference |= descriptor[i] ^ first;
		if (but_address(difference) != 0)
			break;
	}
	while (descriptor < end && but_address(*descriptor ^ first) == 0)
		descriptor++;
	return (size_t)(descriptor - descriptors);
}

size_t leaf_run(const struct table *table, size_t index, size_t last)
{
	return table->level == LEVEL_PAGE ? run_length(&table->descriptors[index], last + 1 - index)
					  : 1;
}

static enum mm_status plan_below(struct range_change *change, const struct table *table,
				 struct irange part)
{
	size_t last = table_index(table, iaddr(part.end.value - 1));
	enum mm_status status = MM_OK;
	size_t run;

	for (size_t i = table_index(table, part.start); status == MM_OK && i <= last; i += run) {
		uint64_t descriptor = descriptor_read(&table->descriptors[i]);
		struct irange span = table_span(table, i);

		run = 1;
		if (descriptor == 0)
			continue;
		if (descriptor_is_table(descriptor, table->level)) {
			struct table child = table_child(table, i, descriptor);

			status = plan_below(change, &child, irange_intersection(part, span));
			continue;
		}
		run = leaf_run(table, i, last);
		status = ask_once(change, descriptor);
		if (status == MM_OK && leaf_is_cut(change, table->level, span, part) &&
		    leaf_may_change(change, descriptor, table->level))
			change->tables += tables_for_cut(change, table->level, span, part);
	}
	return status;
}

enum mm_status protect_plan(struct range_change *change, struct irange range)
{
	return plan_below(change, &change->top, range);
}

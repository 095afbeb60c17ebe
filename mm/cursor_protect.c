/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another property for everything in a range. The tables are walked up to four times:
 *
 *	plan	what becomes of each property, and the tables that splits at the edges need: all that can
 *		fail is here, and nothing is written
 *	write	permissions in place; a leaf whose memory type changes becomes invalid, and keeps its
 *		other bits
 *	make	after one flush, the leaves that are invalid get their new attributes
 *	merge	what has become alike
 */
#include "protect_range.h"
#include "cursor_private.h"

/* Descriptors that the loops over a table take at once. */
#define STEP 16

/* Flags and cache policies: so many properties can a stage express. */
#define PROPERTIES_MAX (32 * CACHE_POLICY_COUNT)

/* What becomes of leaves that are alike: all their bits but the address. */
struct leaf_change {
	uint64_t old;
	uint64_t new;
	struct page_property was;
	bool breaks; /* break-before-make is needed */
};

struct range_change {
	struct cursor *cursor;
	page_property_update update;
	void *update_context;
	protect_range_visit visit; /* may be NULL */
	void *visit_context;
	struct node_reserve *reserve; /* where the tables for splits come from */
	bool is_planned;	      /* @reserve was filled by the caller, and may have more */
	size_t tables;		      /* that splits need */
	uint64_t leaves;	      /* changed */
	bool broken;		      /* some leaves are invalid */
	bool to_pages;		      /* blocks that change are split */
	/* What update said, in the order in which it was asked. */
	struct property_change changes[PROPERTIES_MAX];
	size_t count;
	bool alike; /* all leaves in the range have the bits of the first one */
	uint64_t first;
	struct leaf_change last; /* asked for last; old is 0 at first, as in no leaf */
};

/* Attributes and type, and the bits that are the software's: all of a leaf but where it leads. */
static uint64_t but_address(uint64_t leaf)
{
	return leaf & ~DESCRIPTOR_ADDRESS;
}

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

/* What becomes of a leaf at @level with the bits of @leaf beside its address; it was asked for. */
static const struct leaf_change *leaf_change(struct range_change *change, uint64_t leaf, int level)
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

static bool changes(const struct leaf_change *leaf)
{
	return leaf->old != leaf->new;
}

static bool may_change(struct range_change *change, uint64_t leaf, int level)
{
	uint64_t variants[VARIANTS];
	size_t count = leaf_variants(change, leaf, variants);
	bool may = false;

	for (size_t i = 0; i < count; i++)
		may |= changes(leaf_change(change, variants[i], level));
	return may;
}

/* Whether a leaf at @level is split before it changes, where @part does. */
static bool is_cut(const struct range_change *change, int level, struct irange span,
		   struct irange part)
{
	return !irange_contains(part, span) || (change->to_pages && level < LEVEL_PAGE);
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
	for (; end - descriptor >= STEP; descriptor += STEP) {
		uint64_t difference = 0;

#pragma GCC unroll 16
		for (size_t i = 0; i < STEP; i++)
			difference |= descriptor[i] ^ first;
		if (but_address(difference) != 0)
			break;
	}
	while (descriptor < end && but_address(*descriptor ^ first) == 0)
		descriptor++;
	return (size_t)(descriptor - descriptors);
}

/* As run_length for the descriptors of @table from @index to @last; a block is a run of its own, as an
 * edge may cut it. */
static size_t leaf_run(const struct table *table, size_t index, size_t last)
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
		if (status == MM_OK && is_cut(change, table->level, span, part) &&
		    may_change(change, descriptor, table->level))
			change->tables += tables_for_cut(change, table->level, span, part);
	}
	return status;
}

/* The @count leaves at @leaves get @difference in place of what they have. */
static void change_in_place(uint64_t *leaves, size_t count, uint64_t difference)
{
	uint64_t *leaf = leaves;
	const uint64_t *end = leaves + count;

	for (; end - leaf >= STEP; leaf += STEP) {
#pragma GCC unroll 16
		for (size_t i = 0; i < STEP; i += 2) {
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

	while (changes(leaf) && !leaf->breaks &&
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
	if (!changes(leaf) && !breaks)
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
	if (!changes(leaf))
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
		} else if (!is_cut(change, table->level, span, part) ||
			   (irange_contains(part, span) &&
			    !may_change(change, descriptor, table->level))) {
			if (leaf_is_live(change->cursor->space, descriptor)) {
				change_live_leaf(change, table, i);
				continue;
			}
			run = alike ? last + 1 - i : leaf_run(table, i, last);
			change_run(change, table, i, run);
			continue;
		} else if (!changes(leaf_change(change, descriptor, table->level))) {
			if (change->visit != NULL)
				change->visit(irange_intersection(part, span), change->last.was,
					      change->visit_context);
			continue;
		} else {
			child = block_split(change->cursor, table, i, change->reserve);
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

/* Cannot fail: what can was found out by the plan. */
static void commit(struct range_change *change, struct irange range)
{
	struct cursor *cursor = change->cursor;
	struct table covering = covering_table(cursor);

	write_below(change, &covering, range);
	/* Where a CPU changed a leaf meanwhile there may be some left. */
	if (!change->is_planned && cursor->space->context.hardware_flags)
		node_reserve_release(change->reserve);
	MM_INVARIANT(change->is_planned || change->reserve->count == 0,
		     "a change uses the tables it planned", change->reserve->count);
	if (change->broken) {
		gather_flush(cursor->space, &cursor->gather);
		make_below(change, &covering, range);
		cursor_publish(cursor);
	}
	if (change->leaves > 0) {
		cursor->changed = true;
		COUNT(leaves_changed, change->leaves);
		tables_merge(cursor, range);
	}
}

static enum mm_status plan_and_commit(struct range_change *change, struct irange range)
{
	struct table covering = covering_table(change->cursor);
	enum mm_status status = plan_below(change, &covering, range);

	if (status == MM_OK && !change->is_planned)
		status = node_reserve_fill(change->reserve, change->tables);
	if (status == MM_OK)
		commit(change, range);
	return status;
}

static enum mm_status change_range(struct range_change *change, uint64_t length)
{
	struct cursor *cursor = change->cursor;
	const struct iaddr before = cursor->position;
	const struct irange range = irange(before, iaddr(before.value + length));
	enum mm_status status = cursor->access == CURSOR_MUTABLE
					? cursor_check_length(cursor, length)
					: MM_ACCESS_DENIED;

	if (status == MM_OK && length > 0)
		status = plan_and_commit(change, range);
	if (status == MM_OK)
		cursor->position = range.end;
	REPORT(.kind = OPERATION_CURSOR_PROTECT, .status = status, .space = cursor->space,
	       .cursor = cursor, .position = before, .range = range, .changes = change->changes,
	       .change_count = change->count, .leaves = change->leaves);
	return status;
}

/* Of its large arrays nothing is written before it is used. */
static void begin(struct range_change *change, struct cursor *cursor, page_property_update update,
		  void *context, struct node_reserve *reserve)
{
	change->reserve = reserve;
	change->is_planned = false;
	change->cursor = cursor;
	change->update = update;
	change->update_context = context;
	change->visit = NULL;
	change->tables = 0;
	change->leaves = 0;
	change->broken = false;
	change->to_pages = false;
	change->count = 0;
	change->alike = true;
	change->last.old = 0;
}

enum mm_status cursor_protect(struct cursor *cursor, uint64_t length, page_property_update update,
			      void *context, uint64_t *changed_leaves)
{
	struct node_reserve reserve;
	struct range_change change;
	enum mm_status status;

	begin(&change, cursor, update, context, &reserve);
	status = change_range(&change, length);
	if (status == MM_OK && changed_leaves != NULL)
		*changed_leaves = change.leaves;
	return status;
}

enum mm_status protect_range(struct cursor *cursor, uint64_t length, page_property_update update,
			     protect_range_visit visit, void *context)
{
	struct node_reserve reserve;
	struct range_change change;

	begin(&change, cursor, update, NULL, &reserve);
	change.visit = visit;
	change.visit_context = context;
	return change_range(&change, length);
}

enum mm_status protect_range_to_pages(struct cursor *cursor, uint64_t length,
				      page_property_update update, protect_range_visit visit,
				      void *context)
{
	struct node_reserve reserve;
	struct range_change change;

	begin(&change, cursor, update, NULL, &reserve);
	change.visit = visit;
	change.visit_context = context;
	change.to_pages = true;
	return change_range(&change, length);
}

enum mm_status protect_part(struct cursor *cursor, struct irange part, page_property_update update,
			    void *context)
{
	struct node_reserve reserve;
	struct range_change change;

	begin(&change, cursor, update, context, &reserve);
	return plan_and_commit(&change, part);
}

enum mm_status protect_range_from(struct node_reserve *reserve, struct cursor *cursor,
				  uint64_t length, page_property_update update)
{
	struct range_change change;

	begin(&change, cursor, update, NULL, reserve);
	change.is_planned = true;
	return change_range(&change, length);
}

struct page_property without_write(struct page_property property, void *context)
{
	(void)context;
	property.flags &= (uint8_t) ~(PAGE_WRITE | PAGE_DIRTY_STATE);
	return property;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "walk.h"

#include "leaf_rules.h"
#include "space_part.h"

#include <strata/frame.h>
#include <strata/mm.h>

#define ENTRIES_PER_TABLE 512
#define LEVEL_BITS 9
#define LAST_LEVEL 3

#define DESCRIPTOR_VALID UINT64_C(1)	     /* bit 0 */
#define DESCRIPTOR_TABLE_OR_PAGE UINT64_C(2) /* bit 1: not a block */
#define TABLE_ADDRESS UINT64_C(0x0000fffffffff000)

const char *walk_error_text(enum walk_error_kind kind)
{
	static const char *const text[] = {
#define WALK_ERROR_TEXT(name, meaning) [name] = meaning,
		WALK_ERROR_LIST(WALK_ERROR_TEXT)
#undef WALK_ERROR_TEXT
	};

	return (unsigned int)kind < WALK_ERROR_COUNT ? text[kind] : "unknown error";
}

static int seen_compare(const struct seen_table *a, const struct seen_table *b)
{
	return (a->page.value > b->page.value) - (a->page.value < b->page.value);
}

TREE_GENERATE(seen_tree, seen_table, link, seen_compare)

void walk_seen_init(struct walk_seen *seen, struct model_pool *pool)
{
	RB_INIT(&seen->tables);
	seen->pool = pool;
	seen->full = false;
}

void walk_seen_clear(struct walk_seen *seen)
{
	while (!RB_EMPTY(&seen->tables)) {
		struct seen_table *table = RB_ROOT(&seen->tables);

		RB_REMOVE(seen_tree, &seen->tables, table);
		model_pool_give(seen->pool, table);
	}
}

/* Remembers @page; false if it was there already. */
static bool seen_add(struct walk_seen *seen, struct paddr page)
{
	struct seen_table *table = model_pool_take(seen->pool);

	if (table == NULL) {
		seen->full = true;
		return true;
	}
	table->page = page;
	if (RB_INSERT(seen_tree, &seen->tables, table) == NULL)
		return true;
	model_pool_give(seen->pool, table);
	return false;
}

/* One walk: where it is, from the root down. */
struct walker {
	const struct walk_table *table;
	const struct walk_visitor *visitor;
	struct irange range;
	uint64_t descriptors;
	struct paddr path[LAST_LEVEL + 1]; /* by level: the table page being read */
};

/* Bytes of input address that one descriptor at @level translates. */
static uint64_t descriptor_span(int level)
{
	return UINT64_C(1) << (PAGE_SHIFT + LEVEL_BITS * (unsigned int)(LAST_LEVEL - level));
}

static void report(struct walker *walker, enum walk_error_kind kind, struct irange range, int level,
		   uint64_t descriptor)
{
	struct walk_error error = { kind, range, level, descriptor };

	if (walker->visitor->error != NULL)
		walker->visitor->error(&error, walker->visitor->context);
}

static void visit_leaf(struct walker *walker, struct irange range, int level, uint64_t descriptor)
{
	struct walk_leaf leaf = { .range = range };
	walk_error_set errors = leaf_decode(descriptor, level, walker->table->stage,
					    walker->table->geometry.pa_bits, &leaf);

	for (int kind = 0; kind < WALK_ERROR_COUNT; kind++) {
		if (errors >> kind & 1)
			report(walker, kind, range, level, descriptor);
	}
	if (walker->visitor->leaf != NULL)
		walker->visitor->leaf(&leaf, walker->visitor->context);
}

/* Whether @page may be read as a table at @level; says what is wrong if it may not. */
static bool table_acceptable(struct walker *walker, struct paddr page, struct irange range,
			     int level, uint64_t descriptor)
{
	struct page_state state;

	if (page.value >> walker->table->geometry.pa_bits) {
		report(walker, WALK_TABLE_TOO_LARGE, range, level - 1, descriptor);
		return false;
	}
	if (page_state(page, &state) != MM_OK || state.usage != PAGE_TABLE) {
		report(walker, WALK_TABLE_USAGE, range, level - 1, descriptor);
		return false;
	}
	for (int above = walker->table->geometry.root_level; above < level; above++) {
		if (walker->path[above].value == page.value) {
			report(walker, WALK_TABLE_LOOP, range, level - 1, descriptor);
			return false;
		}
	}
	if (walker->visitor->seen != NULL && !seen_add(walker->visitor->seen, page)) {
		report(walker, WALK_TABLE_SHARED, range, level - 1, descriptor);
		return false;
	}
	return true;
}

/* Another CPU may write a descriptor beside the ones asked for: each is read in one access. */
static uint64_t descriptor_read(const uint64_t *descriptor)
{
	return __atomic_load_n(descriptor, __ATOMIC_RELAXED);
}

static void walk_page(struct walker *walker, struct paddr page, struct iaddr base, int level);

/* The descriptor at @level that translates @range. */
static void visit_descriptor(struct walker *walker, struct irange range, int level,
			     uint64_t descriptor)
{
	bool table_or_page = descriptor & DESCRIPTOR_TABLE_OR_PAGE;
	struct paddr next = paddr(descriptor & TABLE_ADDRESS);

	if (!(descriptor & DESCRIPTOR_VALID))
		return;
	if (level == LAST_LEVEL) {
		if (table_or_page)
			visit_leaf(walker, range, level, descriptor);
		else
			report(walker, WALK_RESERVED_TYPE, range, level, descriptor);
		return;
	}
	if (!table_or_page) {
		if (level == 0)
			report(walker, WALK_BLOCK_LEVEL, range, level, descriptor);
		else
			visit_leaf(walker, range, level, descriptor);
		return;
	}
	/* NSTable, APTable, XNTable would narrow what the leaves say; the rest is RES0 or ignored. */
	if (descriptor & ~(TABLE_ADDRESS | DESCRIPTOR_VALID | DESCRIPTOR_TABLE_OR_PAGE))
		report(walker, WALK_TABLE_ATTRIBUTES, range, level, descriptor);
	if (table_acceptable(walker, next, range, level + 1, descriptor))
		walk_page(walker, next, range.start, level + 1);
}

/* The table in @page, whose first descriptor translates @base, as far as the range goes. */
static void walk_page(struct walker *walker, struct paddr page, struct iaddr base, int level)
{
	uint64_t span = descriptor_span(level);
	const uint64_t *descriptors = mm_linear(page);
	uint64_t first = 0;

	walker->path[level] = page;
	if (walker->range.start.value > base.value)
		first = (walker->range.start.value - base.value) / span;
	for (uint64_t index = first; index < ENTRIES_PER_TABLE; index++) {
		uint64_t start = base.value + index * span;

		if (start >= walker->range.end.value)
			return;
		walker->descriptors++;
		visit_descriptor(walker, irange(iaddr(start), iaddr(start + span)), level,
				 descriptor_read(&descriptors[index]));
	}
}

struct irange walk_table_range(const struct walk_table *table)
{
	return space_addresses(table->part, table->geometry.ia_bits);
}

/*
 * Arm ARM D8.2.2: the first lookup resolves what is left of the input address above its level, at
 * most 9 bits by one table and, at Stage 2 only, up to 4 more by concatenated ones.
 */
static bool geometry_fits(const struct walk_table *table)
{
	const struct translation_geometry *geometry = &table->geometry;

	if (geometry->root_level > 2 || geometry->ia_bits > ADDRESS_BITS_MAX ||
	    geometry->pa_bits < 32 || geometry->pa_bits > ADDRESS_BITS_MAX)
		return false;

	unsigned int below =
		PAGE_SHIFT + LEVEL_BITS * (unsigned int)(LAST_LEVEL - geometry->root_level);

	if (geometry->ia_bits <= below)
		return false;

	unsigned int resolved = geometry->ia_bits - below;
	unsigned int concatenated = resolved > LEVEL_BITS ? resolved - LEVEL_BITS : 0;

	if (concatenated > (table->stage == STAGE_2 ? 4 : 0))
		return false;
	return geometry->root_tables == 1U << concatenated;
}

uint64_t walk_descriptors(const struct walk_table *table, struct irange range,
			  const struct walk_visitor *visitor)
{
	struct walker walker = { .table = table, .visitor = visitor, .range = range };
	const struct translation_geometry *geometry = &table->geometry;

	if (!geometry_fits(table)) {
		report(&walker, WALK_GEOMETRY, range, geometry->root_level, table->root.value);
		return 0;
	}
	if (table->root.value & (geometry->root_tables * PAGE_SIZE - 1)) {
		report(&walker, WALK_ROOT_ALIGNMENT, range, geometry->root_level,
		       table->root.value);
		return 0;
	}

	uint64_t span = descriptor_span(geometry->root_level) * ENTRIES_PER_TABLE;

	for (uint64_t i = 0; i < geometry->root_tables; i++) {
		struct irange part = irange(iaddr(i * span), iaddr((i + 1) * span));
		struct paddr page = paddr(table->root.value + i * PAGE_SIZE);

		if (!irange_overlaps(part, range))
			continue;
		if (table_acceptable(&walker, page, part, geometry->root_level, table->root.value))
			walk_page(&walker, page, part.start, geometry->root_level);
	}
	return walker.descriptors;
}

struct irange walk_descriptor_range(const struct walk_table *table, struct iaddr address)
{
	uint64_t span = descriptor_span(table->geometry.root_level);
	uint64_t index = address.value / span; /* through all concatenated tables */
	struct paddr page = paddr(table->root.value + index / ENTRIES_PER_TABLE * PAGE_SIZE);

	for (int level = table->geometry.root_level;; level++) {
		uint64_t start = address.value & ~(span - 1);
		struct irange covered = irange(iaddr(start), iaddr(start + span));
		struct page_state state;
		uint64_t descriptor;

		if (page_state(page, &state) != MM_OK)
			return covered;
		descriptor = descriptor_read((const uint64_t *)mm_linear(page) +
					     index % ENTRIES_PER_TABLE);
		if (level == LAST_LEVEL || !(descriptor & DESCRIPTOR_VALID) ||
		    !(descriptor & DESCRIPTOR_TABLE_OR_PAGE))
			return covered;
		page = paddr(descriptor & TABLE_ADDRESS);
		span /= ENTRIES_PER_TABLE;
		index = address.value / span;
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/canary.h>
#include <strata/mm.h>
#include "cursor_private.h"
#include "device_regions.h"
#include "share.h"
#include "slot.h"

/* What is to be mapped: physical addresses with an attribute constant. */
struct mapping {
	struct irange range;
	struct paddr output; /* of range.start */
	uint64_t attributes;
	bool written; /* by map_below: some leaf was */
};

/*
 * Whether the descriptor that spans @span becomes a leaf. Blocks at every level that has them, where
 * both addresses are aligned and all of the span is to be mapped.
 */
static bool is_leaf(const struct mapping *mapping, int level, struct irange span)
{
	uint64_t offset = span.start.value - mapping->range.start.value;

	return level == LEVEL_PAGE ||
	       (level >= LEVEL_BLOCK_FIRST && irange_contains(mapping->range, span) &&
		((mapping->output.value + offset) & (level_size(level) - 1)) == 0);
}

/* The tables that are needed below an empty descriptor of @level with @span. */
static size_t tables_for_hole(const struct mapping *mapping, int level, struct irange span)
{
	if (is_leaf(mapping, level, span))
		return 0;
	if (level + 1 == LEVEL_PAGE)
		return 1;

	struct irange part = irange_intersection(span, mapping->range);
	uint64_t below = level_size(level + 1);
	uint64_t start = part.start.value & ~(below - 1);
	size_t tables = 1;

	for (; start < part.end.value; start += below)
		tables += tables_for_hole(mapping, level + 1,
					  irange(iaddr(start), iaddr(start + below)));
	return tables;
}

/* MM_EXISTS if some of @part, which lies in @table's span, is mapped; else adds the tables needed. */
static enum mm_status plan(const struct mapping *mapping, const struct table *table,
			   struct irange part, size_t *tables)
{
	size_t last = table_index(table, iaddr(part.end.value - 1));

	for (size_t i = table_index(table, part.start); i <= last; i++) {
		uint64_t descriptor = table->descriptors[i];
		struct irange span = table_span(table, i);

		if (descriptor == 0) {
			if (table->level < LEVEL_PAGE)
				*tables += tables_for_hole(mapping, table->level, span);
			continue;
		}
		if (!descriptor_is_table(descriptor, table->level))
			return MM_EXISTS;

		struct table child = table_child(table, i, descriptor);
		enum mm_status status =
			plan(mapping, &child, irange_intersection(part, span), tables);

		if (status != MM_OK)
			return status;
	}
	return MM_OK;
}

/* A canary's defect: of all leaves that are pages, one has the lower bit of SH wrong. */
static uint64_t with_wrong_attribute(uint64_t leaf)
{
	static _Atomic uint64_t leaves;

	return atomic_fetch_add(&leaves, 1) == 5000 ? leaf ^ UINT64_C(1) << 8 : leaf;
}

/* Writes the leaves of @part in a table of level 3: the loop that mapping time is made of. */
static void map_pages(const struct mapping *mapping, const struct table *table, struct irange part)
{
	uint64_t offset = part.start.value - mapping->range.start.value;
	uint64_t leaf = leaf_descriptor(paddr(mapping->output.value + offset), mapping->attributes,
					LEVEL_PAGE);
	uint64_t *descriptor = &table->descriptors[table_index(table, part.start)];
	uint64_t *end = descriptor + (irange_size(part) >> PAGE_SHIFT);

	node_of(descriptor)->children += (uint16_t)(end - descriptor);
	COUNT(leaves_mapped, (uint64_t)(end - descriptor));
	for (; descriptor < end; descriptor++, leaf += PAGE_SIZE)
		descriptor_write(descriptor,
				 CANARY(wrong_attribute) ? with_wrong_attribute(leaf) : leaf);
}

/* Cannot fail: what can was found out by plan. */
static void map_below(struct cursor *cursor, const struct mapping *mapping,
		      const struct table *table, struct irange part, struct node_reserve *reserve)
{
	if (table->level == LEVEL_PAGE) {
		map_pages(mapping, table, part);
		cursor->leaf_table = table->descriptors;
		cursor->leaf_table_range =
			irange(table->base, iaddr(table->base.value + level_size(LEVEL_PAGE - 1)));
		return;
	}

	size_t last = table_index(table, iaddr(part.end.value - 1));

	for (size_t i = table_index(table, part.start); i <= last; i++) {
		uint64_t *descriptor = &table->descriptors[i];
		struct irange span = table_span(table, i);

		if (*descriptor == 0 && is_leaf(mapping, table->level, span)) {
			uint64_t offset = span.start.value - mapping->range.start.value;

			descriptor_write(descriptor,
					 leaf_descriptor(paddr(mapping->output.value + offset),
							 mapping->attributes, table->level));
			node_of(descriptor)->children++;
			COUNT(leaves_mapped, 1);
			continue;
		}
		if (*descriptor != 0) {
			struct table child = table_child(table, i, *descriptor);

			map_below(cursor, mapping, &child, irange_intersection(part, span),
				  reserve);
			table_merge(cursor, table, i);
			continue;
		}

		struct table child = { node_reserve_take(reserve, table->level + 1),
				       table->level + 1, span.start };

		/* Complete before it is linked. */
		map_below(cursor, mapping, &child, irange_intersection(part, span), reserve);
		descriptor_write(descriptor, table_descriptor(physical(child.descriptors)));
		node_of(descriptor)->children++;
	}
}

/* A page in a leaf table that is at hand: the common case of filling a space page by page. */
static bool map_in_leaf_table(struct cursor *cursor, const struct mapping *mapping)
{
	if (irange_size(mapping->range) != PAGE_SIZE ||
	    !irange_has(cursor->leaf_table_range, mapping->range.start))
		return false;

	struct table table = { cursor->leaf_table, LEVEL_PAGE, cursor->leaf_table_range.start };

	if (table.descriptors[table_index(&table, mapping->range.start)] != 0)
		return false;
	/* The last page of a table may make it a block: that is not the common case. */
	if (node_of(table.descriptors)->children == TABLE_ENTRIES - 1)
		return false;
	map_pages(mapping, &table, mapping->range);
	return true;
}

/* After this, writing the leaves of @mapping cannot fail. */
static enum mm_status make_ready(struct cursor *cursor, const struct mapping *mapping,
				 struct node_reserve *reserve)
{
	struct table covering = covering_table(cursor);
	size_t tables = 0;
	enum mm_status status = plan(mapping, &covering, mapping->range, &tables);

	if (status == MM_OK)
		status = node_reserve_fill(reserve, tables);
	if (status != MM_OK)
		return status;

	/* Make after break: what this cursor removed here, tables too, may still be cached. */
	if (cursor->gather.range_count > 0 || cursor->gather.everything)
		gather_flush(cursor->space, &cursor->gather);
	return MM_OK;
}

static enum mm_status map(struct cursor *cursor, const struct mapping *mapping)
{
	struct table covering = covering_table(cursor);
	struct node_reserve reserve;

	if (!map_in_leaf_table(cursor, mapping)) {
		enum mm_status status = make_ready(cursor, mapping, &reserve);

		if (status != MM_OK)
			return status;
		map_below(cursor, mapping, &covering, mapping->range, &reserve);
		MM_INVARIANT(reserve.count == 0, "a map uses the tables it planned", reserve.count);
	}
	cursor_publish(cursor);
	cursor->position = mapping->range.end;
	cursor->changed = true;
	return MM_OK;
}

/* Everything that can be wrong with mapping @output at the position, but what is mapped there. */
static enum mm_status prepare(const struct cursor *cursor, struct prange output,
			      struct page_property property, struct mapping *mapping)
{
	if (cursor->access != CURSOR_MUTABLE)
		return MM_ACCESS_DENIED;
	if (cursor->position.value >= cursor->range.end.value ||
	    prange_size(output) > cursor->range.end.value - cursor->position.value)
		return MM_OUT_OF_BOUND;
	if (!property_encode(cursor->space->stage, property, &mapping->attributes))
		return MM_NOT_SUPPORTED;
	mapping->range =
		irange(cursor->position, iaddr(cursor->position.value + prange_size(output)));
	mapping->output = output.start;
	return MM_OK;
}

static enum mm_status map_counted(struct cursor *cursor, struct prange output,
				  struct page_property property)
{
	struct mapping mapping = { 0 };
	enum mm_status status = prepare(cursor, output, property, &mapping);

	return status == MM_OK ? map(cursor, &mapping) : status;
}

/* As far as the range goes that @size bytes would take from @position on. */
#define REPORT_MAP(operation, result, cursor_, position_, size, output_, property_, counted_, ...) \
	REPORT(.kind = (operation), .status = (result), .space = (cursor_)->space,                 \
	       .cursor = (cursor_), .position = (position_),                                       \
	       .range = irange((position_), iaddr((position_).value + (size))),                    \
	       .output = (output_), .property = (property_), .counted = (counted_), __VA_ARGS__)

enum mm_status cursor_map(struct cursor *cursor, frame_t *frame, struct page_property property)
{
	struct prange page = prange(frame->paddr, paddr(frame->paddr.value + PAGE_SIZE));
	struct iaddr before = cursor->position;

	if (!SHARE_CLAIM(frame, SHARE_FRAME, page, SHARE_CALLER()))
		return MM_INVALID_ARGS;

	enum mm_status status = map_counted(cursor, page, property);

	REPORT_MAP(OPERATION_CURSOR_MAP, status, cursor, before, PAGE_SIZE, page.start, property,
		   true, .used = REPORTED_FRAME(frame));
	(void)before;
	SHARE_SETTLE(frame, status == MM_OK);
	return status;
}

/* Maps pages that need not be neighbours. On success each is reported as it is mapped. */
static enum mm_status map_each(struct cursor *cursor, const frame_t *frames, size_t count,
			       struct page_property property)
{
	struct iaddr position = cursor->position;
	uint64_t size = (uint64_t)count << PAGE_SHIFT;
	/* An address that is aligned as no block is: what is planned are tables down to the pages. */
	struct paddr unaligned = paddr(position.value + PAGE_SIZE);
	struct table covering = covering_table(cursor);
	struct mapping mapping = { 0 };
	struct node_reserve reserve;
	enum mm_status status = prepare(cursor, prange(unaligned, paddr(unaligned.value + size)),
					property, &mapping);

	if (status == MM_OK)
		status = make_ready(cursor, &mapping, &reserve);
	if (status != MM_OK) {
		REPORT_MAP(OPERATION_CURSOR_MAP, status, cursor, position, size, frames[0].paddr,
			   property, true, .used = REPORTED_FRAME(&frames[0]));
		return status;
	}

	cursor->changed = true;
	for (size_t i = 0; i < count; i++) {
		position = cursor->position;
		mapping.range = irange(position, iaddr(position.value + PAGE_SIZE));
		mapping.output = frames[i].paddr;
		map_below(cursor, &mapping, &covering, mapping.range, &reserve);
		cursor_publish(cursor);
		cursor->position = mapping.range.end;
		REPORT_MAP(OPERATION_CURSOR_MAP, MM_OK, cursor, position, PAGE_SIZE, mapping.output,
			   property, true, .used = REPORTED_FRAME(&frames[i]));
	}
	MM_INVARIANT(reserve.count == 0, "a map uses the tables it planned", reserve.count);
	return MM_OK;
}

enum mm_status cursor_map_frames(struct cursor *cursor, frame_t *frames, size_t count,
				 struct page_property property)
{
	enum mm_status status = MM_OK;
	size_t claimed = 0;

	if (count == 0)
		return MM_INVALID_ARGS;
	if (count > UINT64_MAX >> PAGE_SHIFT)
		return MM_OUT_OF_BOUND;
	while (status == MM_OK && claimed < count) {
		struct paddr page = frames[claimed].paddr;

		if (SHARE_CLAIM(&frames[claimed], SHARE_FRAME,
				prange(page, paddr(page.value + PAGE_SIZE)), SHARE_CALLER()))
			claimed++;
		else
			status = MM_INVALID_ARGS;
	}
	if (status == MM_OK)
		status = map_each(cursor, frames, count, property);
	for (size_t i = 0; i < claimed; i++)
		SHARE_SETTLE(&frames[i], status == MM_OK);
	return status;
}

enum mm_status cursor_map_segment(struct cursor *cursor, struct segment *segment,
				  struct page_property property)
{
	struct prange pages = prange(segment->start, segment->end);
	struct iaddr before = cursor->position;

	if (!SHARE_CLAIM(segment, SHARE_SEGMENT, pages, SHARE_CALLER()))
		return MM_INVALID_ARGS;

	enum mm_status status = map_counted(cursor, pages, property);

	REPORT_MAP(OPERATION_CURSOR_MAP_SEGMENT, status, cursor, before, prange_size(pages),
		   pages.start, property, true, .used = REPORTED_SEGMENT(segment));
	(void)before;
	SHARE_SETTLE(segment, status == MM_OK);
	return status;
}

enum mm_status cursor_map_iomem(struct cursor *cursor, struct prange output,
				struct page_property property)
{
	struct iaddr before = cursor->position;
	struct mapping mapping = { 0 };
	struct device_region *region = NULL;
	enum mm_status status;

	if (!prange_is_page_aligned(output))
		status = MM_NOT_ALIGNED;
	else if (prange_is_empty(output))
		status = MM_INVALID_ARGS;
	else
		status = prepare(cursor, output, property, &mapping);
	if (status == MM_OK && output.end.value > UINT64_C(1) << cursor->space->geometry.pa_bits)
		status = MM_OUT_OF_BOUND;
	/* Counted memory must not be mapped without being counted where a guest could reach it. */
	if (status == MM_OK && cursor->space->stage == STAGE_2 && slots_touch_memory(output))
		status = MM_ACCESS_DENIED;
	if (status == MM_OK)
		status = device_region_prepare(cursor->space, output, &region);
	if (status == MM_OK) {
		mapping.attributes |= DESCRIPTOR_NOT_COUNTED;
		status = map(cursor, &mapping);
		if (status == MM_OK)
			device_region_remember(cursor->space, region);
		else
			device_region_give_up(region);
	}
	REPORT_MAP(OPERATION_CURSOR_MAP_IOMEM, status, cursor, before, prange_size(output),
		   output.start, property, false, .pages = output);
	(void)before;
	return status;
}

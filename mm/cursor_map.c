/* SPDX-License-Identifier: BSD-3-Clause */
#include <arch/canary.h>
#include <strata/mm.h>
#include "cursor_plan.h"
#include "device_regions.h"
#include "owner_claim.h"
#include "share.h"
#include "slot.h"

/* A canary's defect: of all leaves that are pages, one has the lower bit of SH wrong. */
static uint64_t with_wrong_attribute(uint64_t leaf)
{
	static _Atomic uint64_t leaves;

	return atomic_fetch_add(&leaves, 1) == 5000 ? leaf ^ UINT64_C(1) << 8 : leaf;
}

static void map_leaf(uint64_t *descriptor, uint64_t leaf)
{
	if (CANARY(write_unseen))
		*descriptor = leaf;
	else
		descriptor_write(descriptor,
				 CANARY(wrong_attribute) ? with_wrong_attribute(leaf) : leaf);
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
		map_leaf(descriptor, leaf);
}

/* Cannot fail: what can was found out by map_plan. */
static void map_below(struct cursor *cursor, const struct mapping *mapping,
		      const struct table *table, struct irange part, struct node_reserve *reserve)
{
	if (table->level == LEVEL_PAGE) {
		map_pages(mapping, table, part);
		cursor->leaf_table = table->descriptors;
		cursor->leaf_node = node_of_table(table->descriptors);
		cursor->leaf_table_range =
			irange(table->base, iaddr(table->base.value + level_size(LEVEL_PAGE - 1)));
		return;
	}

	size_t last = table_index(table, iaddr(part.end.value - 1));

	for (size_t i = table_index(table, part.start); i <= last; i++) {
		uint64_t *descriptor = &table->descriptors[i];
		struct irange span = table_span(table, i);

		if (*descriptor == 0 && mapping_is_leaf(mapping, table->level, span)) {
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
		table_link(cursor->space, table, i, table_descriptor(physical(child.descriptors)));
		node_of(descriptor)->children++;
	}
}

/* After this, writing the leaves of @mapping cannot fail. */
static enum mm_status make_ready(struct cursor *cursor, const struct mapping *mapping,
				 struct node_reserve *reserve)
{
	struct table covering = covering_table(cursor);
	size_t tables = 0;
	enum mm_status status = map_plan(mapping, &covering, mapping->range, &tables);

	if (status == MM_OK)
		status = node_reserve_fill(reserve, tables);
	if (status != MM_OK)
		return status;

	/* Make after break: what this cursor removed here, tables too, may still be cached. */
	if (cursor->gather.range_count > 0 || cursor->gather.everything)
		gather_flush(cursor->space, &cursor->gather);
	return MM_OK;
}

static enum mm_status claim(const struct mapping *mapping)
{
	struct paddr end = paddr(mapping->output.value + irange_size(mapping->range));

	if (CANARY(owner_not_asked))
		return MM_OK;
	return owner_claim_range(mapping->claims, prange(mapping->output, end));
}

static enum mm_status map_planned(struct cursor *cursor, const struct mapping *mapping)
{
	struct table covering = covering_table(cursor);
	struct node_reserve reserve;
	enum mm_status status = make_ready(cursor, mapping, &reserve);

	if (status != MM_OK)
		return status;
	status = claim(mapping);
	if (status != MM_OK) {
		node_reserve_release(&reserve);
		return status;
	}
	map_below(cursor, mapping, &covering, mapping->range, &reserve);
	MM_INVARIANT(reserve.count == 0, "a map uses the tables it planned", reserve.count);
	return MM_OK;
}

static enum mm_status map(struct cursor *cursor, const struct mapping *mapping)
{
	enum mm_status status = map_planned(cursor, mapping);

	if (status != MM_OK)
		return status;
	cursor_publish(cursor);
	cursor->position = mapping->range.end;
	cursor->changed = true;
	return MM_OK;
}

/*
 * The descriptor at the position, if the leaf table at hand has it, nothing is mapped there, and mapping
 * a page makes no block of the table: the common case of filling a space page by page.
 */
static uint64_t *free_leaf_at_hand(const struct cursor *cursor)
{
	struct iaddr ia = cursor->position;

	if (cursor->access != CURSOR_MUTABLE || ia.value >= cursor->range.end.value ||
	    !irange_has(cursor->leaf_table_range, ia))
		return NULL;

	uint64_t *leaf = &cursor->leaf_table[(ia.value - cursor->leaf_table_range.start.value) >>
					     PAGE_SHIFT];

	/* What this cursor removed just now may still be cached: that takes a flush first. */
	return *leaf == 0 && cursor->leaf_node->children != TABLE_ENTRIES - 1 &&
			       gather_is_empty(&cursor->gather)
		       ? leaf
		       : NULL;
}

static enum mm_status map_at_hand(struct cursor *cursor, uint64_t *leaf, struct paddr page,
				  struct page_property property)
{
	uint64_t attributes;
	enum mm_status status;

	if (!property_encode(cursor->space, property, &attributes))
		return MM_NOT_SUPPORTED;
	status = CANARY(owner_not_asked) ? MM_OK
					 : owner_claim_page(space_owner(cursor->space), page);
	if (status != MM_OK)
		return status;
	map_leaf(leaf, leaf_descriptor(page, attributes, LEVEL_PAGE));
	cursor->leaf_node->children++;
	COUNT(leaves_mapped, 1);
	cursor_publish(cursor);
	cursor->position.value += PAGE_SIZE;
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
	if (!property_encode(cursor->space, property, &mapping->attributes))
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

	mapping.claims = space_owner(cursor->space);
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
	struct prange page = page_range(frame->paddr);
	struct iaddr before = cursor->position;

	if (!SHARE_CLAIM(frame, SHARE_FRAME, page, SHARE_CALLER()))
		return MM_INVALID_ARGS;

	uint64_t *leaf = free_leaf_at_hand(cursor);
	enum mm_status status = leaf != NULL ? map_at_hand(cursor, leaf, page.start, property)
					     : map_counted(cursor, page, property);

	if (CANARY(mapped_frame_dropped) && status == MM_OK)
		page_release(page.start);
	REPORT_MAP(OPERATION_CURSOR_MAP, status, cursor, before, PAGE_SIZE, page.start, property,
		   true, .used = REPORTED_FRAME(frame));
	(void)before;
	SHARE_SETTLE(frame, status == MM_OK);
	return status;
}

/* After this, mapping the pages of @frames cannot fail. @culprit: the first, or the one that is denied. */
static enum mm_status make_each_ready(struct cursor *cursor, const struct mapping *mapping,
				      const frame_t *frames, size_t count,
				      struct node_reserve *reserve, size_t *culprit)
{
	enum mm_status status = make_ready(cursor, mapping, reserve);

	if (status != MM_OK)
		return status;
	status = owner_claim_frames(space_owner(cursor->space), frames, count, culprit);
	if (status != MM_OK)
		node_reserve_release(reserve);
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
	size_t culprit = 0;
	enum mm_status status = prepare(cursor, prange(unaligned, paddr(unaligned.value + size)),
					property, &mapping);

	if (status == MM_OK)
		status = make_each_ready(cursor, &mapping, frames, count, &reserve, &culprit);
	if (status != MM_OK) {
		if (status == MM_ACCESS_DENIED)
			size = PAGE_SIZE;
		REPORT_MAP(OPERATION_CURSOR_MAP, status, cursor, position, size,
			   frames[culprit].paddr, property, true,
			   .used = REPORTED_FRAME(&frames[culprit]));
		(void)size;
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

		if (SHARE_CLAIM(&frames[claimed], SHARE_FRAME, page_range(page), SHARE_CALLER()))
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
	if (status == MM_OK && !CANARY(device_beyond_addresses) &&
	    output.end.value > UINT64_C(1) << cursor->space->geometry.pa_bits)
		status = MM_OUT_OF_BOUND;
	/* Counted memory must not be mapped without being counted where a guest could reach it, or EL2
	 * for somebody else, nor become memory while it is. */
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

/* SPDX-License-Identifier: BSD-3-Clause */
/* Changing what is mapped: other pages in its place. */
#include <arch/canary.h>
#include <arch/memory.h>
#include "cursor_private.h"
#include "linear.h"
#include "owner_claim.h"
#include "share.h"

/* What the page that takes another's place has in it afterwards. */
enum replacement {
	REPLACEMENT_AS_IT_IS,
	REPLACEMENT_COPY, /* of the page before; somebody holds that one over the call */
};

/* Splits what translates @part until a descriptor spans no more than it, and returns that one. */
static struct lookup split_down_to(struct cursor *cursor, struct lookup lookup, struct irange part,
				   struct node_reserve *reserve)
{
	while (!irange_contains(part, lookup.span)) {
		struct table child = block_split(cursor, &lookup.table,
						 table_index(&lookup.table, part.start), reserve);
		size_t index = table_index(&child, part.start);

		lookup = (struct lookup){ &child.descriptors[index], child.descriptors[index],
					  child, table_span(&child, index) };
	}
	return lookup;
}

static void copy_page(struct paddr from, struct paddr to, struct page_property property)
{
	page_copy(linear(to), linear(from));
	if (CANARY(copied_short))
		((uint64_t *)linear(to))[PAGE_SIZE / sizeof(uint64_t) - 1] = 0;
	if (property.flags & PAGE_EXECUTE)
		instruction_cache_sync(linear(to), PAGE_SIZE);
}

/* What a CPU set in @leaf, which is gone, since it was looked at, as far as it may set that at all. */
static uint64_t set_meanwhile(const struct vm_space *space, uint64_t leaf)
{
	if (!space->context.hardware_flags)
		return 0;
	return leaf &
	       (DESCRIPTOR_ACCESS_FLAG | (leaf & STAGE2_DIRTY_BIT_MODIFIER ? STAGE2_WRITE : 0));
}

static enum mm_status replace(struct cursor *cursor, struct paddr output,
			      struct page_property property, enum replacement replacement)
{
	struct iaddr before = cursor->position;
	struct irange page = irange(before, iaddr(before.value + PAGE_SIZE));
	struct node_reserve reserve = { .count = 0 };
	struct lookup lookup = { .descriptor = 0 };
	enum mm_status status = MM_OK;
	uint64_t attributes = 0;

	if (cursor->access != CURSOR_MUTABLE)
		status = MM_ACCESS_DENIED;
	else if (before.value >= cursor->range.end.value)
		status = MM_OUT_OF_BOUND;
	else if (!property_encode(cursor->space, property, &attributes))
		status = MM_NOT_SUPPORTED;
	else
		lookup = cursor_lookup(cursor, before);
	if (status == MM_OK && lookup.descriptor == 0)
		status = MM_NOT_MAPPED;
	if (status == MM_OK && (lookup.descriptor & DESCRIPTOR_NOT_COUNTED))
		status = MM_ACCESS_DENIED;
	if (status == MM_OK)
		status = node_reserve_fill(&reserve,
					   split_tables(lookup.table.level, lookup.span, page));
	if (status == MM_OK) {
		status = owner_claim_page(space_owner(cursor->space), output);
		if (status != MM_OK)
			node_reserve_release(&reserve);
	}
	if (status == MM_OK) {
		lookup = split_down_to(cursor, lookup, page, &reserve);

		struct paddr old = descriptor_address(lookup.descriptor);

		/* Break; wait until no CPU has the old one; make. */
		uint64_t taken = CANARY(valid_to_valid) ? lookup.descriptor
							: leaf_take(cursor->space, lookup.slot);

		note_dirty(cursor->space, page, taken);
		gather_leaves(&cursor->gather, page, LEVEL_PAGE);
		gather_park_pages(cursor->space, &cursor->gather, page_range(old));
		gather_flush(cursor->space, &cursor->gather);
		if (replacement == REPLACEMENT_COPY) {
			copy_page(old, output, property);
			attributes |= set_meanwhile(cursor->space, taken);
		}
		descriptor_write(lookup.slot, leaf_descriptor(output, attributes, LEVEL_PAGE));
		cursor_publish(cursor);
		COUNT(leaves_changed, 1);
		cursor->position = page.end;
		cursor->changed = true;
		MM_INVARIANT(reserve.count == 0, "a replace uses the tables it planned",
			     reserve.count);
	}
	return status;
}

static enum mm_status replace_by(struct cursor *cursor, frame_t *frame,
				 struct page_property property, enum replacement replacement,
				 uintptr_t caller)
{
	struct prange page = page_range(frame->paddr);

	if (!SHARE_CLAIM(frame, SHARE_FRAME, page, caller))
		return MM_INVALID_ARGS;

	struct iaddr before = cursor->position;
	enum mm_status status = replace(cursor, frame->paddr, property, replacement);

	REPORT(.kind = OPERATION_CURSOR_REPLACE, .status = status, .space = cursor->space,
	       .cursor = cursor, .position = before,
	       .range = irange(before, iaddr(before.value + PAGE_SIZE)), .output = frame->paddr,
	       .property = property, .counted = true, .used = REPORTED_FRAME(frame));
	(void)before;
	SHARE_SETTLE(frame, status == MM_OK);
	return status;
}

enum mm_status cursor_replace(struct cursor *cursor, frame_t *frame, struct page_property property)
{
	return replace_by(cursor, frame, property, REPLACEMENT_AS_IT_IS, SHARE_CALLER());
}

enum mm_status cursor_replace_copying(struct cursor *cursor, frame_t *frame,
				      struct page_property property, uintptr_t caller)
{
	return replace_by(cursor, frame, property, REPLACEMENT_COPY, caller);
}

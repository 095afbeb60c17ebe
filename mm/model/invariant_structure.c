/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages, spaces and cursors are what they should be, and exclude each other. */
#include "invariant.h"

/* ---- Pages --------------------------------------------------------------------------------- */

static bool slot_is_sound(struct paddr page, const struct page_record *record, void *context)
{
	struct witness *witness = context;
	bool owned = record->unique != 0 || record->list != 0;
	bool sound = true;

	switch ((enum page_knowledge)record->state) {
	case PAGE_FREE:
		sound = record->references == 0 && record->metadata == NULL;
		break;
	case PAGE_SHARED:
		sound = record->references >= 1 && !owned;
		break;
	case PAGE_UNIQUE_OWNER:
		sound = record->references == 0 && (record->list == 0 || record->metadata == NULL);
		break;
	case PAGE_OTHER:
		break;
	}
	witness->at = iaddr(page.value);
	return sound;
}

bool slots_are_sound(struct store *store, struct witness *witness)
{
	return regions_each(&store->regions, slot_is_sound, witness);
}

static bool free_page_is_unheld(struct paddr page, const struct page_record *record, void *context)
{
	struct witness *witness = context;

	witness->at = iaddr(page.value);
	witness->is = page_record_sum(record) + record->unique + (record->list != 0);
	return record->state != PAGE_FREE || witness->is == 0;
}

bool free_is_unheld(struct store *store, struct witness *witness)
{
	return regions_each(&store->regions, free_page_is_unheld, witness);
}

static bool used_page_is_held(struct paddr page, const struct page_record *record, void *context)
{
	struct witness *witness = context;

	witness->at = iaddr(page.value);
	return record->state != PAGE_SHARED || page_record_sum(record) != 0;
}

bool used_is_held(struct store *store, struct witness *witness)
{
	return regions_each(&store->regions, used_page_is_held, witness);
}

static bool page_references_are_held(struct paddr page, const struct page_record *record,
				     void *context)
{
	struct witness *witness = context;

	witness->at = iaddr(page.value);
	witness->is = record->references;
	witness->should_be = page_record_sum(record);
	return witness->is == witness->should_be;
}

bool references_are_held(struct store *store, struct witness *witness)
{
	return regions_each(&store->regions, page_references_are_held, witness);
}

/* ---- Spaces and cursors -------------------------------------------------------------------- */

bool roots_are_tables(struct store *store, struct witness *witness)
{
	const struct live_space *space;

	LIST_FOREACH(space, &store->registry.spaces, link)
	{
		struct paddr root = space->table.root;
		const struct page_record *record = regions_find(&store->regions, root);

		witness->at = iaddr(root.value);
		if (!page_has_usage(root, PAGE_TABLE) ||
		    (record != NULL && record->state != PAGE_FREE))
			return false;
	}
	return true;
}

static bool mapping_is_sound(const struct live_space *space, const struct mapping *mapping,
			     uint64_t last_end)
{
	uint64_t start = mapping->range.start.value;
	uint64_t end = mapping->range.end.value;
	uint64_t limit = UINT64_C(1) << space->state.pa_bits;

	return ((start | end | mapping->output.value) & (PAGE_SIZE - 1)) == 0 && start < end &&
	       start >= last_end && end <= walk_table_range(&space->table).end.value &&
	       mapping->output.value < limit && end - start <= limit - mapping->output.value;
}

static bool are_one(const struct mapping *before, const struct mapping *after)
{
	return before->range.end.value == after->range.start.value &&
	       mapping_output(before, before->range.end).value == after->output.value &&
	       page_property_equal(before->property, after->property) &&
	       before->counted == after->counted;
}

bool spaces_are_sound(struct store *store, struct witness *witness)
{
	const struct live_space *space;

	LIST_FOREACH(space, &store->registry.spaces, link)
	{
		struct mapping last = { .range = { { 0 }, { 0 } } };
		struct mapping mapping;

		while (mappings_next(&space->state.mappings, last.range.end, &mapping)) {
			witness->at = mapping.range.start;
			if (!mapping_is_sound(space, &mapping, last.range.end.value) ||
			    (last.range.end.value != 0 && are_one(&last, &mapping)))
				return false;
			last = mapping;
		}
	}
	return true;
}

bool cursors_are_sound(struct store *store, struct witness *witness)
{
	const struct open_cursor *cursor;

	LIST_FOREACH(cursor, &store->registry.cursors, link)
	{
		const struct cursor_state *state = &cursor->state;
		uint64_t position = state->position.value;

		witness->at = state->range.start;
		if (irange_is_empty(state->range) || !irange_is_page_aligned(state->range) ||
		    position % PAGE_SIZE != 0 || position < state->range.start.value ||
		    position > state->range.end.value ||
		    (cursor->space != NULL &&
		     !irange_contains(walk_table_range(&cursor->space->table), state->range)))
			return false;
	}
	return true;
}

bool cursors_have_spaces(struct store *store, struct witness *witness)
{
	const struct open_cursor *cursor;

	LIST_FOREACH(cursor, &store->registry.cursors, link)
	{
		const struct live_space *space;
		bool lives = false;

		LIST_FOREACH(space, &store->registry.spaces, link)
		lives = lives || space == cursor->space;
		witness->at = cursor->state.range.start;
		if (!lives)
			return false;
	}
	return true;
}

bool cursors_exclude(struct store *store, struct witness *witness)
{
	const struct open_cursor *cursor;

	LIST_FOREACH(cursor, &store->registry.cursors, link)
	{
		witness->at = cursor->state.range.start;
		if (cursor->space != NULL && registry_holder(&store->registry, cursor->space,
							     cursor->state.range, cursor) != NULL)
			return false;
	}
	return true;
}

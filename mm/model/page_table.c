/* SPDX-License-Identifier: BSD-3-Clause */
#include "page_table.h"

#include "mappings_relate.h"

uint64_t table_arch_page(const struct table_arch *arch)
{
	return arch->levels[arch->level_count - 1].frame_size;
}

uint64_t table_arch_leaf(const struct table_arch *arch, int level)
{
	int index = level - arch->root_level;

	if (index < 0 || index >= (int)arch->level_count || !arch->levels[index].has_leaves)
		return 0;
	return arch->levels[index].frame_size;
}

const char *table_arch_invariant(const struct table_arch *arch)
{
	if (arch->level_count == 0 || arch->level_count > TABLE_LEVELS_MAX)
		return "the table has one level at least, and four at most";
	for (unsigned int i = 0; i < arch->level_count; i++) {
		const struct table_level *level = &arch->levels[i];

		if (level->entry_count < 2)
			return "a table has two descriptors at least";
		if (i > 0 &&
		    arch->levels[i - 1].frame_size != level->frame_size * level->entry_count)
			return "a descriptor translates what the table below it does";
	}
	if (!arch->levels[arch->level_count - 1].has_leaves)
		return "the last level has leaves";
	return NULL;
}

bool table_arch_is_leaf(const struct table_arch *arch, const struct mapping *mapping)
{
	uint64_t size = irange_size(mapping->range);

	for (unsigned int i = 0; i < arch->level_count; i++)
		if (arch->levels[i].has_leaves && arch->levels[i].frame_size == size)
			return mapping->range.start.value % size == 0 &&
			       mapping->output.value % size == 0;
	return false;
}

static bool is_aligned(const struct page_table_state *state, uint64_t value)
{
	return value % table_arch_page(&state->constants.arch) == 0;
}

static bool leads_into_memory(const struct page_table_state *state, const struct mapping *mapping)
{
	const struct prange memory = state->constants.memory;

	return mapping->output.value >= memory.start.value &&
	       mapping->output.value <= memory.end.value &&
	       irange_size(mapping->range) <= memory.end.value - mapping->output.value;
}

const char *page_table_state_invariant(const struct page_table_state *state)
{
	const char *broken = table_arch_invariant(&state->constants.arch);
	struct irange left = irange_all();
	struct mapping mapping;

	if (broken != NULL)
		return broken;
	while (mappings_next_in(&state->mappings, left, &mapping)) {
		if (!is_aligned(state, mapping.range.start.value) ||
		    !is_aligned(state, mapping.range.end.value) ||
		    !is_aligned(state, mapping.output.value))
			return "mappings are aligned to the smallest frame";
		if (!irange_contains(state->constants.input, mapping.range))
			return "mappings lie within the input addresses";
		if (!leads_into_memory(state, &mapping))
			return "mappings lead into memory";
		if (mapping.range.start.value < left.start.value)
			return "no address is mapped twice";
		left.start = mapping.range.end;
	}
	return NULL;
}

bool page_table_init(const struct page_table_state *state)
{
	return mappings_empty_in(&state->mappings, irange_all());
}

/* Whole smallest frames, one at least, that are the table's to map. */
static bool is_range(const struct page_table_state *state, struct irange range)
{
	return !irange_is_empty(range) && is_aligned(state, range.start.value) &&
	       is_aligned(state, range.end.value) && irange_contains(state->constants.input, range);
}

bool page_table_map_pre(const struct page_table_state *state, const struct mapping *mapping)
{
	return is_range(state, mapping->range) && is_aligned(state, mapping->output.value) &&
	       leads_into_memory(state, mapping) && state->constants.expresses(mapping->property) &&
	       mapping->counted == state->constants.counted;
}

bool page_table_unmap_pre(const struct page_table_state *state, struct irange range)
{
	return is_range(state, range);
}

bool page_table_query_pre(const struct page_table_state *state, struct iaddr address)
{
	return address.value % sizeof(uint64_t) == 0 && irange_has(state->constants.input, address);
}

/* An operation that says no changes nothing. */
static const char *refused(const struct page_table_state *before,
			   const struct page_table_state *after)
{
	return mappings_equal(&before->mappings, &after->mappings)
		       ? NULL
		       : "what is refused changes nothing";
}

const char *page_table_map_post(const struct page_table_state *before,
				const struct page_table_state *after, const struct mapping *mapping,
				enum mm_status status)
{
	if (!page_table_map_pre(before, mapping))
		return status == MM_OK ? "map outside its precondition is refused"
				       : refused(before, after);
	if (status == MM_NO_MEMORY)
		return refused(before, after);
	if (!mappings_empty_in(&before->mappings, mapping->range))
		return status != MM_EXISTS ? "map over a mapping is MM_EXISTS"
					   : refused(before, after);
	if (status != MM_OK)
		return "map into a hole is MM_OK";
	if (!mappings_contain(&after->mappings, mapping))
		return "what was mapped is there, all of it, as asked";
	if (!mappings_equal_outside(&before->mappings, &after->mappings, mapping->range))
		return "map changes nothing besides";
	return NULL;
}

const char *page_table_unmap_post(const struct page_table_state *before,
				  const struct page_table_state *after, struct irange range,
				  enum mm_status status)
{
	if (!page_table_unmap_pre(before, range))
		return status == MM_OK ? "unmap outside its precondition is refused"
				       : refused(before, after);
	if (status == MM_NO_MEMORY)
		return refused(before, after);
	if (mappings_empty_in(&before->mappings, range))
		return status != MM_NOT_MAPPED ? "unmap of a hole is MM_NOT_MAPPED"
					       : refused(before, after);
	if (status != MM_OK)
		return "unmap of what is mapped is MM_OK";
	if (!mappings_empty_in(&after->mappings, range))
		return "what was unmapped is gone, all of it";
	if (!mappings_equal_outside(&before->mappings, &after->mappings, range))
		return "unmap changes nothing besides";
	return NULL;
}

const char *page_table_query_post(const struct page_table_state *before,
				  const struct page_table_state *after, struct iaddr address,
				  enum mm_status status, const struct mapping *found)
{
	struct mapping expected;

	if (!mappings_equal(&before->mappings, &after->mappings))
		return "query changes nothing";
	if (!page_table_query_pre(before, address))
		return status == MM_OK ? "query outside its precondition is refused" : NULL;
	if (!mappings_find(&before->mappings, address, &expected))
		return status != MM_NOT_MAPPED ? "query in a hole is MM_NOT_MAPPED" : NULL;
	if (status != MM_OK)
		return "query of what is mapped is MM_OK";
	if (!irange_has(found->range, address))
		return "query finds a frame that contains the address";
	if (!table_arch_is_leaf(&before->constants.arch, found))
		return "query finds a frame of a size that a level has, aligned to it";
	if (!mappings_contain(&before->mappings, found))
		return "query says what the mappings say";
	return NULL;
}

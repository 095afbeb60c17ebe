/* SPDX-License-Identifier: BSD-3-Clause */
#include "low.h"

#include "mappings_relate.h"

void low_make(struct low_state *low, struct machine_pools *pools,
	      const struct page_table_constants *constants)
{
	hardware_make(&low->hardware, pools, constants);
	mappings_init(&low->leaving, &pools->extents);
}

void low_clear(struct low_state *low)
{
	hardware_clear(&low->hardware);
	mappings_clear(&low->leaving);
}

bool low_copy(struct low_state *to, const struct low_state *from)
{
	return hardware_copy(&to->hardware, &from->hardware) &&
	       mappings_copy(&to->leaving, &from->leaving);
}

bool low_init(const struct low_state *low)
{
	return hardware_init(&low->hardware) && mappings_empty_in(&low->leaving, irange_all());
}

/* ---- The invariant ------------------------------------------------------------------------- */

static bool words_lie_in_memory(const struct low_state *low)
{
	const struct prange memory = low->hardware.table.constants.memory;
	uint64_t index = 0;
	struct word word;

	for (; words_next(&low->hardware.mem, index, &word); index = word.index + 1)
		if (!prange_has(memory, paddr(word.index * WORD_BYTES)))
			return false;
	return true;
}

static bool nothing_translates_twice(const struct low_state *low)
{
	struct irange left = irange_all();
	struct mapping mapping;

	for (; mappings_next_in(&low->leaving, left, &mapping); left.start = mapping.range.end)
		if (!mappings_empty_in(&low->hardware.table.mappings, mapping.range))
			return false;
	return true;
}

static bool may_be_cached(const struct low_state *low, const struct mapping *entry)
{
	const struct page_table_state *table = &low->hardware.table;

	return hardware_may_fill(&table->constants.arch, &table->mappings, entry) ||
	       hardware_may_fill(&table->constants.arch, &low->leaving, entry);
}

const char *low_invariant(const struct low_state *low)
{
	const struct page_table_state leaving = { low->leaving, low->hardware.table.constants };
	const struct tlb_entry *entry;
	const char *broken = page_table_state_invariant(&low->hardware.table);

	if (broken != NULL)
		return broken;
	if (page_table_state_invariant(&leaving) != NULL)
		return "what is leaving was a mapping once";
	if (!words_lie_in_memory(low))
		return "words lie in physical memory";
	if (!nothing_translates_twice(low))
		return "what is leaving is not mapped";
	LIST_FOREACH(entry, &low->hardware.tlb.entries, link)
	if (!may_be_cached(low, &entry->mapping))
		return "the TLB is a submap of the table and of what is leaving";
	return NULL;
}

/* ---- Steps --------------------------------------------------------------------------------- */

/*
 * What an access at @address may be translated by, the @nth of it: with entries in the TLB, one of
 * these. Without one, what a walk finds: the table's mapping or hole, or the old descriptor, whose
 * removal nothing has made visible yet. False: there are fewer.
 */
static bool way(const struct low_state *low, struct iaddr address, unsigned int nth, bool *mapped,
		struct mapping *mapping)
{
	const struct hardware_state *hardware = &low->hardware;
	const struct mapping *hit = tlb_hit(&hardware->tlb, address, nth);

	*mapped = true;
	if (hit != NULL) {
		*mapping = *hit;
		return true;
	}
	if (tlb_hit(&hardware->tlb, address, 0) != NULL || nth > 1)
		return false;
	if (nth == 1)
		return mappings_find(&low->leaving, address, mapping);
	*mapped = mappings_find(&hardware->table.mappings, address, mapping);
	return true;
}

bool low_may(const struct low_state *low, const struct low_step *step)
{
	struct mapping mapping;
	bool mapped;

	switch (step->kind) {
	case STEP_ACCESS:
		return way(low, step->access.address, step->choice, &mapped, &mapping);
	case STEP_FILL:
		return may_be_cached(low, &step->entry) &&
		       !tlb_has(&low->hardware.tlb, &step->entry);
	case STEP_EVICT:
		return tlb_has(&low->hardware.tlb, &step->entry);
	case STEP_MAP: /* what is asked for may always be: it is refused, perhaps */
	case STEP_UNMAP:
	case STEP_FLUSH:
	case STEP_QUERY:
	case STEP_COUNT:
		break;
	}
	return true;
}

static bool take_map(struct low_state *low, struct low_step *step)
{
	struct page_table_state *table = &low->hardware.table;
	const struct mapping *mapping = &step->mapping;

	step->status = MM_INVALID_ARGS;
	if (!page_table_map_pre(table, mapping))
		return true;
	step->status = MM_EXISTS;
	if (!mappings_empty_in(&table->mappings, mapping->range))
		return true;
	step->status = MM_OK;
	tlb_invalidate(&low->hardware.tlb, mapping->range, false);
	return mappings_remove(&low->leaving, mapping->range) &&
	       mappings_insert(&table->mappings, *mapping);
}

static bool take_unmap(struct low_state *low, struct low_step *step)
{
	struct page_table_state *table = &low->hardware.table;
	const struct irange range = step->mapping.range;
	struct mapping part;

	step->status = MM_INVALID_ARGS;
	if (!page_table_unmap_pre(table, range))
		return true;
	step->status = mappings_empty_in(&table->mappings, range) ? MM_NOT_MAPPED : MM_OK;
	if (step->status == MM_OK)
		tlb_invalidate(&low->hardware.tlb, range, true);
	while (mappings_next_in(&table->mappings, range, &part))
		if (!mappings_remove(&table->mappings, part.range) ||
		    !mappings_insert(&low->leaving, part))
			return false;
	return true;
}

static void take_flush(struct low_state *low)
{
	struct irange left = irange_all();
	struct mapping mapping;

	for (; mappings_next_in(&low->leaving, left, &mapping); left.start = mapping.range.end)
		tlb_invalidate(&low->hardware.tlb, mapping.range, false);
	mappings_clear(&low->leaving);
}

/* The largest leaf that the table can have around the address, cut from what is mapped. */
static void take_query(const struct low_state *low, struct low_step *step)
{
	const struct page_table_state *table = &low->hardware.table;
	const struct table_arch *arch = &table->constants.arch;
	struct mapping mapping;

	step->status = MM_INVALID_ARGS;
	if (!page_table_query_pre(table, step->access.address))
		return;
	step->status = MM_NOT_MAPPED;
	if (!mappings_find(&table->mappings, step->access.address, &mapping))
		return;
	step->status = MM_OK;
	for (unsigned int i = 0; i < arch->level_count; i++) {
		uint64_t size = arch->levels[i].frame_size;
		uint64_t start = step->access.address.value / size * size;

		step->found = mapping_cut(mapping, irange(iaddr(start), iaddr(start + size)));
		if (table_arch_is_leaf(arch, &step->found))
			return;
	}
}

bool low_take(struct low_state *low, struct low_step *step)
{
	struct mapping mapping;
	bool mapped;

	switch (step->kind) {
	case STEP_ACCESS:
		(void)way(low, step->access.address, step->choice, &mapped, &mapping);
		step->outcome =
			hardware_access(&low->hardware, &step->access, mapped ? &mapping : NULL);
		return true;
	case STEP_MAP:
		return take_map(low, step);
	case STEP_UNMAP:
		return take_unmap(low, step);
	case STEP_FLUSH:
		take_flush(low);
		return true;
	case STEP_QUERY:
		take_query(low, step);
		return true;
	case STEP_FILL:
		return hardware_fill(&low->hardware, &step->entry);
	case STEP_EVICT:
		hardware_evict(&low->hardware, &step->entry);
		return true;
	case STEP_COUNT:
		break;
	}
	return true;
}

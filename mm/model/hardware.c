/* SPDX-License-Identifier: BSD-3-Clause */
#include "hardware.h"

#include "mappings_relate.h"

void machine_pools_init(struct machine_pools *pools, struct model_arena *arena)
{
	model_pool_init(&pools->extents, arena, sizeof(struct extent));
	model_pool_init(&pools->words, arena, sizeof(struct word));
	model_pool_init(&pools->entries, arena, sizeof(struct tlb_entry));
}

void hardware_make(struct hardware_state *hardware, struct machine_pools *pools,
		   const struct page_table_constants *constants)
{
	words_init(&hardware->mem, &pools->words);
	mappings_init(&hardware->table.mappings, &pools->extents);
	hardware->table.constants = *constants;
	LIST_INIT(&hardware->tlb.entries);
	hardware->tlb.pool = &pools->entries;
}

static void entry_delete(struct tlb *tlb, struct tlb_entry *entry)
{
	LIST_REMOVE(entry, link);
	model_pool_give(tlb->pool, entry);
}

static void tlb_clear(struct tlb *tlb)
{
	while (!LIST_EMPTY(&tlb->entries))
		entry_delete(tlb, LIST_FIRST(&tlb->entries));
}

static bool tlb_add(struct tlb *tlb, const struct mapping *mapping)
{
	struct tlb_entry *entry = model_pool_take(tlb->pool);

	if (entry == NULL)
		return false;
	entry->mapping = *mapping;
	LIST_INSERT_HEAD(&tlb->entries, entry, link);
	return true;
}

void hardware_clear(struct hardware_state *hardware)
{
	words_clear(&hardware->mem);
	mappings_clear(&hardware->table.mappings);
	tlb_clear(&hardware->tlb);
}

bool hardware_copy(struct hardware_state *to, const struct hardware_state *from)
{
	const struct tlb_entry *entry;

	tlb_clear(&to->tlb);
	LIST_FOREACH(entry, &from->tlb.entries, link)
	if (!tlb_add(&to->tlb, &entry->mapping))
		return false;
	to->table.constants = from->table.constants;
	return words_copy(&to->mem, &from->mem) &&
	       mappings_copy(&to->table.mappings, &from->table.mappings);
}

bool hardware_init(const struct hardware_state *hardware)
{
	return page_table_init(&hardware->table) && LIST_EMPTY(&hardware->tlb.entries);
}

bool tlb_has(const struct tlb *tlb, const struct mapping *entry)
{
	const struct tlb_entry *other;

	LIST_FOREACH(other, &tlb->entries, link)
	if (mapping_equal(&other->mapping, entry))
		return true;
	return false;
}

const struct mapping *tlb_hit(const struct tlb *tlb, struct iaddr address, unsigned int nth)
{
	const struct tlb_entry *entry;

	LIST_FOREACH(entry, &tlb->entries, link)
	if (irange_has(entry->mapping.range, address) && nth-- == 0)
		return &entry->mapping;
	return NULL;
}

void tlb_invalidate(struct tlb *tlb, struct irange range, bool keeps_inside)
{
	struct tlb_entry *entry = LIST_FIRST(&tlb->entries);

	while (entry != NULL) {
		struct tlb_entry *next = LIST_NEXT(entry, link);
		struct irange covered = entry->mapping.range;

		if (irange_overlaps(covered, range) &&
		    !(keeps_inside && irange_contains(range, covered)))
			entry_delete(tlb, entry);
		entry = next;
	}
}

bool hardware_may_fill(const struct table_arch *arch, const struct mappings *from,
		       const struct mapping *entry)
{
	return mappings_contain(from, entry) && table_arch_is_leaf(arch, entry) &&
	       (entry->property.flags & PAGE_ACCESSED) != 0;
}

bool hardware_fill(struct hardware_state *hardware, const struct mapping *entry)
{
	return tlb_add(&hardware->tlb, entry);
}

void hardware_evict(struct hardware_state *hardware, const struct mapping *entry)
{
	struct tlb_entry *other;

	LIST_FOREACH(other, &hardware->tlb.entries, link)
	if (mapping_equal(&other->mapping, entry)) {
		entry_delete(&hardware->tlb, other);
		return;
	}
}

struct outcome hardware_access(struct hardware_state *hardware, const struct access *access,
			       const struct mapping *through)
{
	struct outcome outcome;

	if (through == NULL)
		return outcome_of_hole(&hardware->table, access->address);
	outcome = outcome_through(&hardware->table.constants.arch, through, access);
	if (outcome.fault != FAULT_NONE)
		return outcome;
	if (access->kind == ACCESS_WRITE)
		(void)words_set(&hardware->mem, outcome.place.value / WORD_BYTES, access->value);
	else
		outcome.value_known = words_find(&hardware->mem, outcome.place.value / WORD_BYTES,
						 &outcome.value);
	return outcome;
}

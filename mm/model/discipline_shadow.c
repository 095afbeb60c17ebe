/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables as they were last written, and how they hang together (Arm ARM D8.3, 4 KiB granule). */
#include "discipline_state.h"

#define TABLE_OR_PAGE UINT64_C(2)
#define ADDRESS UINT64_C(0x0000fffffffff000)
#define ACCESS_FLAG (UINT64_C(1) << 10)

/*
 * Of a leaf: AP or S2AP 7:6, the Access flag 10, DBM 51, XN 54:53, software's 58:55, and 63:59, which
 * no translation depends on. Shareability counts as memory type.
 */
#define LEAF_MAY_DIFFER UINT64_C(0xffe80000000004c0)
/* Of a table: the bits that limit permissions 63:59, and those that are ignored. */
#define TABLE_MAY_DIFFER UINT64_C(0xfff8000000000ffc)

static int shadow_compare(const struct shadow *a, const struct shadow *b)
{
	return (a->page > b->page) - (a->page < b->page);
}

TREE_GENERATE(shadow_tree, shadow, link, shadow_compare)

uint64_t discipline_span(int level)
{
	return UINT64_C(1) << (PAGE_SHIFT + 9 * (3 - (unsigned int)level));
}

bool discipline_leads_on(uint64_t descriptor, int level)
{
	return descriptor_valid(descriptor) && (descriptor & TABLE_OR_PAGE) != 0 && level < 3;
}

uint64_t discipline_output(uint64_t descriptor)
{
	return descriptor & ADDRESS;
}

bool discipline_alike(uint64_t a, uint64_t b, int level)
{
	const bool a_leads_on = discipline_leads_on(a, level);

	return a_leads_on == discipline_leads_on(b, level) &&
	       ((a ^ b) & ~(a_leads_on ? TABLE_MAY_DIFFER : LEAF_MAY_DIFFER)) == 0;
}

bool discipline_cacheable(uint64_t leaf)
{
	return descriptor_valid(leaf) && (leaf & ACCESS_FLAG) != 0;
}

struct shadow *shadow_find(struct discipline *discipline, uint64_t page)
{
	struct shadow key;
	struct shadow *found = discipline->recent;

	if (found != NULL && found->page == page)
		return found;
	key.page = page;
	found = RB_FIND(shadow_tree, &discipline->shadows, &key);
	if (found != NULL)
		discipline->recent = found;
	return found;
}

struct shadow *shadow_make(struct discipline *discipline, uint64_t page)
{
	struct shadow *shadow = model_pool_take(&discipline->shadow_pool);

	if (shadow == NULL) {
		discipline->full = true;
		return NULL;
	}
	shadow->page = page;
	RB_INSERT(shadow_tree, &discipline->shadows, shadow);
	return shadow;
}

/* The shadow of the table that @table's descriptor at @index leads to, if it hangs there. */
static struct shadow *child_of(struct discipline *discipline, const struct shadow *table,
			       unsigned int index)
{
	const uint64_t descriptor = table->descriptors[index];

	if (!discipline_leads_on(descriptor, table->level))
		return NULL;

	struct shadow *child = shadow_find(discipline, discipline_output(descriptor));

	return child != NULL && child->parent == table && child->parent_index == index ? child
										       : NULL;
}

void shadow_unlink(struct discipline *discipline, struct shadow *table, unsigned int index)
{
	struct shadow *child = child_of(discipline, table, index);

	if (child != NULL)
		child->parent = NULL;
}

void shadow_forget(struct discipline *discipline, struct shadow *shadow)
{
	for (unsigned int i = 0; shadow->level < 3 && i < SHADOW_ENTRIES; i++)
		shadow_unlink(discipline, shadow, i);
	RB_REMOVE(shadow_tree, &discipline->shadows, shadow);
	discipline->recent = NULL;
	model_pool_give(&discipline->shadow_pool, shadow);
}

bool shadow_published(const struct discipline *discipline, const struct shadow *table, bool zeroes)
{
	const uint64_t dsb = discipline->cpus[table->writer].dsb;

	return dsb >= table->written && (!zeroes || dsb >= table->zeroed);
}

bool shadow_place(const struct shadow *table, unsigned int index, struct place *place)
{
	uint64_t ia = index * discipline_span(table->level);

	for (; table->parent != NULL; table = table->parent)
		ia += table->parent_index * discipline_span(table->parent->level);
	if (table->root == 0)
		return false;
	*place = (struct place){
		.root = table,
		.ia = ia + (table->page - table->root) / sizeof(uint64_t) *
				   discipline_span(table->level),
	};
	return true;
}

struct shadow *shadow_keeper(struct shadow *table)
{
	struct shadow *keeper = table;

	for (struct shadow *at = table; at->parent != NULL; at = at->parent)
		if (at->leaving > 0)
			keeper = at->parent;
	return keeper;
}

void shadow_leaves(struct discipline *discipline, const struct shadow *table, uint64_t ia,
		   struct irange *leaves)
{
	for (unsigned int i = 0; i < SHADOW_ENTRIES; i++) {
		const uint64_t start = ia + i * discipline_span(table->level);
		const uint64_t end = start + discipline_span(table->level);
		const struct shadow *child = child_of(discipline, table, i);

		if (child != NULL) {
			shadow_leaves(discipline, child, start, leaves);
			continue;
		}
		if (!discipline_cacheable(table->descriptors[i]) ||
		    discipline_leads_on(table->descriptors[i], table->level))
			continue;
		if (irange_is_empty(*leaves))
			leaves->start = iaddr(start);
		leaves->end = iaddr(end);
	}
}

bool shadow_reaches(struct discipline *discipline, const struct shadow *table, struct prange pages)
{
	for (unsigned int i = 0; i < SHADOW_ENTRIES; i++) {
		const uint64_t descriptor = table->descriptors[i];
		const struct shadow *child = child_of(discipline, table, i);
		const uint64_t output = discipline_output(descriptor);

		if (child != NULL) {
			if (shadow_reaches(discipline, child, pages))
				return true;
		} else if (discipline_cacheable(descriptor) &&
			   !discipline_leads_on(descriptor, table->level) &&
			   prange_overlaps(pages,
					   prange(paddr(output),
						  paddr(output + discipline_span(table->level))))) {
			return true;
		}
	}
	return false;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "working_set.h"

#include <strata/ageing.h>
#include <string.h>
#include "evict.h"
#include "guest.h"

static bool bit_test(const uint64_t *bits, uint64_t index)
{
	return bits[index / 64] >> (index % 64) & 1;
}

static uint64_t page_index(const struct working_set *set, struct iaddr page)
{
	return (page.value - set->range.start.value) >> PAGE_SHIFT;
}

enum mm_status working_set_begin(struct guest *guest, struct irange range)
{
	const bool meanwhile = guest_is_running(guest);
	struct working_set *set = &guest->working_set;
	struct cursor cursor;
	enum mm_status status = cursor_open(&guest->space, range, CURSOR_MUTABLE, &cursor);

	if (status != MM_OK)
		return status;
	status = cursor_age(&cursor, irange_size(range), NULL, NULL);
	cursor_close(&cursor);
	if (status != MM_OK)
		return status;
	*set = (struct working_set){ .running = true, .range = range };
	guest->statistics.looks_meanwhile += meanwhile;
	return MM_OK;
}

void working_set_note(struct guest *guest, unsigned int index)
{
	const struct working_set_use *use = &guest->uses[index];
	struct working_set *set = &guest->working_set;

	if (!set->running || !use->during_look || use->look != guest->statistics.looks ||
	    !irange_has(set->range, use->page))
		return;

	uint64_t page = page_index(set, use->page);

	set->used[page / 64] |= UINT64_C(1) << (page % 64);
}

/* Looks that ended number the one that runs. */
void working_set_remember(struct guest *guest, unsigned int index, struct iaddr page)
{
	guest->uses[index] = (struct working_set_use){
		.page = page,
		.during_look = guest->working_set.running,
		.look = guest->statistics.looks,
	};
}

static struct page_property with_accessed(struct page_property property, void *context)
{
	(void)context;
	property.flags |= PAGE_ACCESSED;
	return property;
}

/* Pages that were used and are still mapped, but were not accessed, says the look. */
static enum mm_status count_missed(struct guest *guest, struct cursor *cursor)
{
	const struct working_set *set = &guest->working_set;

	for (uint64_t i = 0; i < irange_size(set->range) >> PAGE_SHIFT; i++) {
		struct cursor_item item;
		enum mm_status status;

		if (!bit_test(set->used, i) || bit_test(set->accessed, i))
			continue;
		status = cursor_jump(cursor, iaddr(set->range.start.value + i * PAGE_SIZE));
		if (status == MM_OK)
			status = cursor_peek(cursor, &item);
		if (status != MM_OK)
			return status;
		guest->statistics.pages_unseen += item.mapped;
	}
	return MM_OK;
}

/* From here on no access in the range faults for its Access flag. */
static enum mm_status end_look(struct guest *guest, struct cursor *cursor)
{
	struct working_set *set = &guest->working_set;
	const uint64_t length = irange_size(set->range);
	uint64_t pages;

	memset(set->accessed, 0, sizeof(set->accessed));
	enum mm_status status = cursor_age(cursor, length, set->accessed, &pages);

	if (status == MM_OK)
		status = count_missed(guest, cursor);
	if (status == MM_OK)
		status = cursor_jump(cursor, set->range.start);
	if (status == MM_OK)
		status = cursor_protect(cursor, length, with_accessed, NULL, NULL);
	if (status == MM_OK)
		guest->statistics.pages_accessed += pages;
	return status;
}

enum mm_status working_set_end(struct guest *guest, uint64_t wanted)
{
	struct working_set *set = &guest->working_set;
	enum mm_status status = evict_pages(guest, set->range, wanted);
	struct cursor cursor;

	if (status != MM_OK)
		return status;
	status = cursor_open(&guest->space, set->range, CURSOR_MUTABLE, &cursor);
	if (status != MM_OK)
		return status;
	status = end_look(guest, &cursor);
	cursor_close(&cursor);
	if (status != MM_OK)
		return status;
	set->running = false;
	guest->statistics.looks++;
	return MM_OK;
}

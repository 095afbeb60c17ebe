/* SPDX-License-Identifier: BSD-3-Clause */
/* A descriptor is written: what must hold of the one that it takes the place of, and of what it leads to. */
#include <inttypes.h>
#include "discipline_state.h"

/* Is anything still owed for addresses of @range, that @now cannot be cached beside? */
static void check_made(struct discipline *discipline, struct context *context, struct irange range,
		       const struct shadow *table, uint64_t now, const struct observe_event *event)
{
	struct debt *debt = debt_next(context, range, NULL);

	while (debt != NULL) {
		struct debt *next = debt_next(context, range, debt);
		const bool is_same = debt->at == event->address.value;

		if (!is_same || !discipline_alike(debt->old, now, table->level))
			discipline_unpaid(discipline, context, debt, DISCIPLINE_tlbi_missing, event,
					  "its address is mapped again");
		debt = next;
	}
}

/* The table that @now, @table's new descriptor at @index, leads to hangs there from now on. */
static void link_child(struct discipline *discipline, struct shadow *table, unsigned int index,
		       uint64_t now, const struct observe_event *event)
{
	struct shadow *child = shadow_find(discipline, discipline_output(now));

	if (child == NULL || child->parent != NULL || child->root != 0 ||
	    child->level != table->level + 1) {
		discipline_broken(discipline, DISCIPLINE_table_not_ready, event,
				  "level %d leads to 0x%" PRIx64 ", which is %s", table->level,
				  discipline_output(now),
				  child == NULL		  ? "no table"
				  : child->parent != NULL ? "linked elsewhere"
				  : child->root != 0	  ? "a root"
							  : "of another level");
		return;
	}
	if (event->order != OBSERVE_RELEASE && !shadow_published(discipline, child, true))
		discipline_broken(discipline, DISCIPLINE_table_linked_early, event,
				  "no DSB since the table at 0x%" PRIx64 " was written",
				  child->page);
	child->parent = table;
	child->parent_index = (uint16_t)index;
}

static void change(struct discipline *discipline, struct shadow *table, unsigned int index,
		   const struct observe_event *event)
{
	const uint64_t was = table->descriptors[index], now = event->value;
	const bool alike = descriptor_valid(was) && descriptor_valid(now) &&
			   discipline_alike(was, now, table->level);
	struct context *context = NULL;
	struct place place;
	const bool hangs = shadow_place(table, index, &place);

	if (hangs && descriptor_valid(now)) {
		const uint64_t end = place.ia + discipline_span(table->level);

		while ((context = context_next(discipline, place.root, context)) != NULL)
			check_made(discipline, context, irange(iaddr(place.ia), iaddr(end)), table,
				   now, event);
		context = context_next(discipline, place.root, NULL);
		if (context != NULL && descriptor_valid(was) && !alike &&
		    (discipline_leads_on(was, table->level) || discipline_cacheable(was)))
			discipline_broken(discipline, DISCIPLINE_valid_to_valid, event,
					  "0x%" PRIx64 " in the place of 0x%" PRIx64
					  ", level %d, input 0x%" PRIx64,
					  now, was, table->level, place.ia);
	}
	if (descriptor_valid(was) && (alike || !descriptor_valid(now)))
		debt_incur(discipline, table, index, was, event);
	else if (descriptor_valid(was))
		shadow_unlink(discipline, table, index);
}

/* The Access flag, and S2AP[1] where DBM allows it: what a CPU with FEAT_HAFDBS sets in a leaf by itself,
 * which nobody observes. Whether the space lets it the walker's comparison knows. */
static bool set_by_hardware(uint64_t was, uint64_t is, int level)
{
	const uint64_t accessed = UINT64_C(1) << 10, writable = UINT64_C(1) << 7;
	const uint64_t dirty = was & UINT64_C(1) << 51 ? writable : 0;

	return descriptor_valid(was) && !discipline_leads_on(was, level) &&
	       (is | (was & (accessed | dirty))) == is && ((was ^ is) & ~(accessed | dirty)) == 0;
}

void shadows_see_write(struct discipline *discipline, const struct observe_event *event)
{
	struct shadow *table = shadow_find(discipline, page_align_down(event->address.value));
	const unsigned int index =
		(unsigned int)((event->address.value & (PAGE_SIZE - 1)) / sizeof(uint64_t));

	if (table == NULL) {
		discipline_broken(discipline, DISCIPLINE_table_not_ready, event,
				  "0x%" PRIx64 " is in no table", event->address.value);
		return;
	}
	const bool copy = contexts_see_copy(discipline, table, index, event);

	if (!copy && table->holder != event->cpu + 1 && (table->parent != NULL || table->root != 0))
		discipline_broken(discipline, DISCIPLINE_write_without_lock, event,
				  "0x%" PRIx64 " in a table of level %d that is %s",
				  event->address.value, table->level,
				  table->holder == 0 ? "not locked" : "locked by another CPU");
	if (set_by_hardware(table->descriptors[index], event->previous, table->level))
		table->descriptors[index] = event->previous;
	if (event->previous != table->descriptors[index]) {
		discipline_broken(discipline, DISCIPLINE_write_unseen, event,
				  "0x%" PRIx64 " was 0x%" PRIx64 " and is 0x%" PRIx64
				  " before it is written",
				  event->address.value, table->descriptors[index], event->previous);
		table->descriptors[index] = event->previous;
	}
	const uint64_t was = table->descriptors[index];

	if (was == event->value)
		return;
	change(discipline, table, index, event);
	table->valid += descriptor_valid(event->value);
	table->valid -= descriptor_valid(was);
	table->descriptors[index] = event->value;
	table->written = discipline->events;
	table->writer = (uint8_t)event->cpu;
	if (!copy && discipline_leads_on(event->value, table->level) &&
	    !(descriptor_valid(was) && discipline_alike(was, event->value, table->level)))
		link_child(discipline, table, index, event->value, event);
	if (table->root != 0 && descriptor_valid(event->value))
		contexts_see_root(discipline, table);
}

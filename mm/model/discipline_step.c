/* SPDX-License-Identifier: BSD-3-Clause */
/* One event: what must hold, and what is known afterwards. */
#include <inttypes.h>
#include "discipline_state.h"

void discipline_begin(struct discipline *discipline, void *arena, size_t size,
		      void (*complain)(const char *text))
{
	*discipline = (struct discipline){ .complain = complain };
	model_arena_init(&discipline->arena, arena, size);
	model_pool_init(&discipline->shadow_pool, &discipline->arena, sizeof(struct shadow));
	model_pool_init(&discipline->context_pool, &discipline->arena, sizeof(struct context));
	model_pool_init(&discipline->debt_pool, &discipline->arena, sizeof(struct debt));
	RB_INIT(&discipline->shadows);
	LIST_INIT(&discipline->contexts);
}

/* ---- A descriptor is written ------------------------------------------------------------------ */

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

static void see_write(struct discipline *discipline, const struct observe_event *event)
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

/* ---- Tables come and go ----------------------------------------------------------------------- */

static void see_table(struct discipline *discipline, const struct observe_event *event)
{
	struct shadow *table = shadow_find(discipline, event->address.value);

	if (event->kind == OBSERVE_TABLE_ALLOC) {
		if (table != NULL)
			shadow_forget(discipline, table);
		table = shadow_make(discipline, event->address.value);
		if (table == NULL)
			return;
		table->root = event->root.value;
		table->zeroed = discipline->events;
		table->writer = (uint8_t)event->cpu;
	}
	if (table != NULL)
		table->level = event->level;
}

/* What is owed in all contexts for the descriptor that led to @below, and for those in @table. */
static void check_debts_of(struct discipline *discipline, const struct shadow *below,
			   const struct shadow *table, const struct observe_event *event)
{
	struct context *context;

	LIST_FOREACH(context, &discipline->contexts, link)
	{
		struct debt *next = debt_after(context, NULL);

		while (next != NULL) {
			struct debt *debt = next;

			next = debt_after(context, debt);
			if (debt->table == table || debt->below == below)
				discipline_unpaid(discipline, context, debt,
						  DISCIPLINE_table_freed_unflushed, event,
						  "a table is freed");
		}
	}
}

/*
 * How a walk that some CPU makes, or will once it loads the root, comes to @table, or NULL. What is
 * owed for is judged by itself.
 */
static const char *walked_to(struct discipline *discipline, const struct shadow *table,
			     enum discipline_rule *rule)
{
	struct context *context = NULL;
	struct place place;

	if (!shadow_place(table, 0, &place))
		return NULL;
	*rule = DISCIPLINE_table_freed_reachable;
	for (const struct shadow *at = table; at->parent != NULL; at = at->parent)
		if (at->leaving > 0)
			return NULL;
	if (table->root == 0)
		return "linked";
	while ((context = context_next(discipline, place.root, context)) != NULL) {
		if (context->loaded != 0)
			return "the root that a CPU has loaded";
		*rule = DISCIPLINE_table_freed_unflushed;
	}
	return *rule == DISCIPLINE_table_freed_unflushed ? "a root that was walked" : NULL;
}

static void see_free(struct discipline *discipline, const struct observe_event *event)
{
	struct shadow *table = shadow_find(discipline, event->address.value);
	enum discipline_rule rule;
	const char *how;

	if (table == NULL)
		return;
	check_debts_of(discipline, table, table, event);
	for (struct shadow *at = table->parent; at != NULL; at = at->parent)
		if (at->leaving > 0)
			check_debts_of(discipline, at, NULL, event);
	how = walked_to(discipline, table, &rule);
	if (how != NULL)
		discipline_broken(discipline, rule, event,
				  "the table of level %d at 0x%" PRIx64 " is %s", table->level,
				  table->page, how);
	shadow_forget(discipline, table);
}

static bool leads_into(struct discipline *discipline, const struct debt *debt, struct prange pages)
{
	const uint64_t output = discipline_output(debt->old);

	if (debt->below != NULL)
		return shadow_reaches(discipline, debt->below, pages);
	return prange_overlaps(pages,
			       prange(paddr(output), paddr(output + discipline_span(debt->level))));
}

static void see_release(struct discipline *discipline, const struct observe_event *event)
{
	const struct prange pages =
		prange(event->address, paddr(event->address.value + event->value));
	struct context *context;

	LIST_FOREACH(context, &discipline->contexts, link)
	{
		struct debt *debt, *next = debt_next(context, event->range, NULL);

		while ((debt = next) != NULL) {
			next = debt_next(context, event->range, debt);
			if (context->root == event->root.value && debt->cpu == event->cpu &&
			    leads_into(discipline, debt, pages))
				discipline_unpaid(discipline, context, debt,
						  DISCIPLINE_page_released_unflushed, event,
						  "its page is given back");
		}
	}
}

/* ---- Locks ------------------------------------------------------------------------------------ */

static void check_published(struct discipline *discipline, const struct shadow *table,
			    const struct observe_event *event)
{
	const struct cpu_state *cpu = &discipline->cpus[event->cpu];
	struct place place;

	if (table->writer != event->cpu || !shadow_place(table, 0, &place))
		return;
	for (const struct shadow *at = table; at->parent != NULL; at = at->parent)
		if (at->leaving > 0)
			return;
	if (!shadow_published(discipline, table, false))
		discipline_broken(discipline, DISCIPLINE_dsb_missing_publish, event,
				  "the table at 0x%" PRIx64 " was last written in event %" PRIu64,
				  table->page, table->written);
	else if (cpu->el2 != NULL && context_may_cache(cpu->el2, place.root) &&
		 cpu->isb < table->written)
		discipline_broken(discipline, DISCIPLINE_isb_missing, event,
				  "EL2's table at 0x%" PRIx64 " was last written in event %" PRIu64,
				  table->page, table->written);
}

static void check_settled(struct discipline *discipline, const struct shadow *table,
			  const struct observe_event *event)
{
	struct context *context;

	LIST_FOREACH(context, &discipline->contexts, link)
	{
		struct debt *next = debt_after(context, NULL);

		while (next != NULL) {
			struct debt *debt = next;

			next = debt_after(context, debt);
			if (debt->cpu == event->cpu && shadow_keeper(debt->table) == table)
				discipline_unpaid(discipline, context, debt,
						  DISCIPLINE_tlbi_missing, event,
						  "its table's lock is given back");
		}
	}
}

static void see_lock(struct discipline *discipline, const struct observe_event *event)
{
	struct shadow *table = shadow_find(discipline, event->address.value);

	if (table == NULL)
		return;
	if (event->kind == OBSERVE_LOCK) {
		table->holder = (uint8_t)(event->cpu + 1);
		return;
	}
	check_published(discipline, table, event);
	check_settled(discipline, table, event);
	table->holder = 0;
}

/* ---- Maintenance ------------------------------------------------------------------------------ */

static void see_tlbi(struct discipline *discipline, const struct observe_event *event)
{
	const bool by_vmid =
		event->kind == OBSERVE_TLBI_IPA_ADDRESS || event->kind == OBSERVE_TLBI_IPA_RANGE ||
		event->kind == OBSERVE_TLBI_VMID_STAGE1 || event->kind == OBSERVE_TLBI_VMID_STAGE12;

	if (by_vmid && discipline->cpus[event->cpu].register_written)
		discipline_broken(discipline, DISCIPLINE_isb_missing, event,
				  "VTTBR_EL2 was written, and no ISB since");
	debts_see_tlbi(discipline, event);
	contexts_see_tlbi(discipline, event);
}

static void see_dsb(struct discipline *discipline, const struct observe_event *event)
{
	discipline->cpus[event->cpu].dsb = discipline->events;
	debts_see_dsb(discipline, event);
	contexts_see_dsb(discipline, event);
}

void discipline_step(struct discipline *discipline, const struct observe_event *event)
{
	struct cpu_state *cpu = &discipline->cpus[event->cpu];

	discipline->events++;
	switch (event->kind) {
	case OBSERVE_DESCRIPTOR_WRITE:
		see_write(discipline, event);
		break;
	case OBSERVE_TLBI_EL2_ADDRESS:
	case OBSERVE_TLBI_EL2_RANGE:
	case OBSERVE_TLBI_EL2_ALL:
	case OBSERVE_TLBI_IPA_ADDRESS:
	case OBSERVE_TLBI_IPA_RANGE:
	case OBSERVE_TLBI_VMID_STAGE1:
	case OBSERVE_TLBI_VMID_STAGE12:
	case OBSERVE_TLBI_ALL_VMIDS:
		see_tlbi(discipline, event);
		break;
	case OBSERVE_DSB_NSH: /* no walker but this CPU's waits for it */
		break;
	case OBSERVE_DSB_ISHST:
	case OBSERVE_DSB_ISH:
		see_dsb(discipline, event);
		break;
	case OBSERVE_ISB:
		cpu->isb = cpu->dsb;
		cpu->register_written = false;
		cpu->el2_written = false;
		break;
	case OBSERVE_STAGE2_LOAD:
	case OBSERVE_STAGE2_UNLOAD:
	case OBSERVE_STAGE1_LOAD:
		contexts_see_load(discipline, event);
		break;
	case OBSERVE_TABLE_ALLOC:
	case OBSERVE_TABLE_LEVEL:
		see_table(discipline, event);
		break;
	case OBSERVE_TABLE_FREE:
		see_free(discipline, event);
		break;
	case OBSERVE_PAGES_RELEASE:
		see_release(discipline, event);
		break;
	case OBSERVE_LOCK:
	case OBSERVE_UNLOCK:
		see_lock(discipline, event);
		break;
	}
}

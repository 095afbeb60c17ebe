/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables and pages come and go, and tables are locked: what of them is not settled by then. */
#include <inttypes.h>
#include "discipline_state.h"

/* ---- Tables, and pages ------------------------------------------------------------------------ */

void shadows_see_table(struct discipline *discipline, const struct observe_event *event)
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
	struct debts all = debts_all(discipline);
	struct debt *debt;

	while ((debt = debts_next(&all)) != NULL) {
		if (debt->table == table || debt->below == below)
			discipline_unpaid(discipline, all.context, debt,
					  DISCIPLINE_table_freed_unflushed, event,
					  "a table is freed");
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

void shadows_see_free(struct discipline *discipline, const struct observe_event *event)
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

void shadows_see_release(struct discipline *discipline, const struct observe_event *event)
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
	struct debts all = debts_all(discipline);
	struct debt *debt;

	while ((debt = debts_next(&all)) != NULL) {
		if (debt->cpu == event->cpu && shadow_keeper(debt->table) == table)
			discipline_unpaid(discipline, all.context, debt, DISCIPLINE_tlbi_missing,
					  event, "its table's lock is given back");
	}
}

void shadows_see_lock(struct discipline *discipline, const struct observe_event *event)
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

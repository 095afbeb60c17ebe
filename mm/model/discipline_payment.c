/* SPDX-License-Identifier: BSD-3-Clause */
/* How what is owed is paid, by TLBIs and DSBs (Arm ARM D8.16, "TLB maintenance"). */
#include "discipline_state.h"

static bool is_by_address(enum observe_kind kind)
{
	return kind == OBSERVE_TLBI_EL2_ADDRESS || kind == OBSERVE_TLBI_EL2_RANGE ||
	       kind == OBSERVE_TLBI_IPA_ADDRESS || kind == OBSERVE_TLBI_IPA_RANGE;
}

/* Whether @kind invalidates what Stage 2, or EL2's table, says; the Stage-1 step does not. */
static bool is_of_table(enum observe_kind kind)
{
	return kind != OBSERVE_TLBI_VMID_STAGE1;
}

static bool is_of_el2(enum observe_kind kind)
{
	return kind == OBSERVE_TLBI_EL2_ADDRESS || kind == OBSERVE_TLBI_EL2_RANGE ||
	       kind == OBSERVE_TLBI_EL2_ALL;
}

/*
 * What of @debt @event names. A leaf is named by any address that it translates, and by no level or
 * its own; a table's descriptor by any address below, at all levels, with no level or one below it.
 * Leaves below a table that went with it are of any level: no hint is right for them but that of
 * pages below the last table. They are named one after the other, from the first.
 */
static void name(struct debt *debt, const struct observe_event *event)
{
	const bool any_level = event->level == TLB_LEVEL_ANY;

	if (!irange_overlaps(event->range, debt_range(debt)))
		return;
	if (debt->below == NULL) {
		if (any_level || event->level == debt->level)
			debt->covered = debt->leaves.end.value;
		return;
	}
	if (event->depth == TLB_ALL_LEVELS && (any_level || event->level > debt->level))
		debt->walk_covered = true;
	if ((any_level || (event->level == 3 && debt->level == 2)) &&
	    event->range.start.value <= debt->covered && debt->covered < event->range.end.value)
		debt->covered = event->range.end.value;
}

static bool is_named(const struct debt *debt)
{
	return debt->walk_covered && debt->covered >= debt->leaves.end.value;
}

/* Whether @event alone would name all of @debt. */
static bool would_name(const struct debt *debt, const struct observe_event *event)
{
	struct debt alone = *debt;

	if (!is_by_address(event->kind))
		return true;
	alone.covered = alone.leaves.start.value;
	alone.walk_covered = alone.below == NULL;
	name(&alone, event);
	return is_named(&alone);
}

static void pay_by_table(struct debt *debt, const struct observe_event *event)
{
	if (debt->step == DEBT_WRITTEN && would_name(debt, event))
		debt->shortfall = SHORT_OF_DSB_BEFORE;
	if (debt->step == DEBT_BY_IPA && !is_by_address(event->kind) &&
	    event->scope == OBSERVE_INNER_SHAREABLE)
		debt->step = DEBT_COMBINED;
	if (debt->step != DEBT_PUBLISHED)
		return;
	if (event->scope != OBSERVE_INNER_SHAREABLE) {
		if (would_name(debt, event))
			debt->shortfall = SHORT_OF_BROADCAST;
		return;
	}
	if (is_by_address(event->kind)) {
		name(debt, event);
		debt->shortfall = SHORT_OF_WIDTH;
		if (!is_named(debt))
			return;
	}
	debt->needs_combined =
		event->kind == OBSERVE_TLBI_IPA_ADDRESS || event->kind == OBSERVE_TLBI_IPA_RANGE;
	debt->step = DEBT_ISSUED;
	debt->shortfall = SHORT_OF_NOTHING;
}

static void pay_by_stage1(struct debt *debt, const struct observe_event *event)
{
	if (debt->step == DEBT_ISSUED && debt->needs_combined)
		debt->shortfall = SHORT_OF_DSB_BETWEEN;
	if (debt->step != DEBT_BY_IPA)
		return;
	if (event->scope != OBSERVE_INNER_SHAREABLE) {
		debt->shortfall = SHORT_OF_BROADCAST;
		return;
	}
	debt->step = DEBT_COMBINED;
	debt->shortfall = SHORT_OF_NOTHING;
}

/* @event acts on another VMID than that of @debt. */
static void miss(struct debt *debt, const struct observe_event *event)
{
	const enum debt_step meant_for = is_of_table(event->kind) ? DEBT_PUBLISHED : DEBT_BY_IPA;

	if (debt->step == meant_for && debt->shortfall == SHORT_OF_NOTHING &&
	    would_name(debt, event))
		debt->shortfall = SHORT_OF_VMID;
}

void debts_see_tlbi(struct discipline *discipline, const struct observe_event *event)
{
	const struct context *active = discipline->cpus[event->cpu].stage2;
	struct context *context;

	LIST_FOREACH(context, &discipline->contexts, link)
	{
		const bool hits = context->is_el2 || event->kind == OBSERVE_TLBI_ALL_VMIDS ||
				  (active != NULL && active->vmid == context->vmid);
		struct debt *debt = NULL;

		if (context->is_el2 != is_of_el2(event->kind))
			continue;
		while ((debt = debt_after(context, debt)) != NULL) {
			if (debt->cpu != event->cpu)
				continue;
			if (!hits)
				miss(debt, event);
			else if (is_of_table(event->kind))
				pay_by_table(debt, event);
			else
				pay_by_stage1(debt, event);
		}
	}
}

static bool settles(struct debt *debt)
{
	if (debt->step == DEBT_COMBINED)
		return true;
	if (debt->step != DEBT_ISSUED)
		return false;
	if (!debt->needs_combined)
		return true;
	debt->step = DEBT_BY_IPA;
	return false;
}

/* A DSB that waits for stores alone completes no TLBI. */
void debts_see_dsb(struct discipline *discipline, const struct observe_event *event)
{
	struct debts all = debts_all(discipline);
	struct debt *debt;

	while ((debt = debts_next(&all)) != NULL) {
		if (debt->cpu != event->cpu)
			continue;
		if (event->kind == OBSERVE_DSB_ISH && settles(debt))
			debt_end(discipline, all.context, debt);
		else if (debt->step == DEBT_WRITTEN)
			debt->step = DEBT_PUBLISHED;
	}
}

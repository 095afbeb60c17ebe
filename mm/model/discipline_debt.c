/* SPDX-License-Identifier: BSD-3-Clause */
/* What is owed for a descriptor that changed, and how it is paid (Arm ARM D8.16, "TLB maintenance"). */
#include "discipline_state.h"

static int debt_compare(const struct debt *a, const struct debt *b)
{
	if (a->ia != b->ia)
		return a->ia > b->ia ? 1 : -1;
	if (a->level != b->level)
		return a->level > b->level ? 1 : -1;
	return (a->at > b->at) - (a->at < b->at);
}

TREE_GENERATE(debt_tree, debt, link, debt_compare)

static struct irange debt_range(const struct debt *debt)
{
	return irange(iaddr(debt->ia), iaddr(debt->ia + discipline_span(debt->level)));
}

/* One more write of a descriptor that is owed for: it begins anew, and for the most that was there. */
static void owe_again(struct debt *debt, const struct observe_event *event, uint64_t number)
{
	debt->covered = debt->leaves.start.value;
	debt->walk_covered = debt->below == NULL;
	debt->needs_combined = false;
	debt->cpu = event->cpu;
	debt->event = number;
	debt->step = DEBT_WRITTEN;
	debt->shortfall = SHORT_OF_NOTHING;
}

static void owe(struct discipline *discipline, struct context *context, const struct debt *as,
		const struct observe_event *event)
{
	struct debt *debt = RB_FIND(debt_tree, &context->debts, (struct debt *)as);

	if (debt == NULL) {
		debt = model_pool_take(&discipline->debt_pool);
		if (debt == NULL) {
			discipline->full = true;
			return;
		}
		*debt = *as;
		if (debt->below != NULL)
			debt->below->leaving++;
		RB_INSERT(debt_tree, &context->debts, debt);
	}
	owe_again(debt, event, discipline->events);
}

void debt_incur(struct discipline *discipline, struct shadow *table, unsigned int index,
		uint64_t old, const struct observe_event *event)
{
	const bool led_on = discipline_leads_on(old, table->level);
	struct context *context = NULL;
	struct shadow *below = NULL;
	struct place place;

	if (led_on) {
		below = shadow_find(discipline, discipline_output(old));
		if (below != NULL && (below->parent != table || below->parent_index != index))
			below = NULL;
	}
	if (shadow_place(table, index, &place) && (led_on || discipline_cacheable(old))) {
		struct debt debt = {
			.ia = place.ia,
			.level = table->level,
			.at = event->address.value,
			.old = old,
			.table = table,
			.below = below,
			.leaves = irange(iaddr(place.ia), iaddr(place.ia)),
		};

		if (!led_on)
			debt.leaves = debt_range(&debt);
		else if (below != NULL)
			shadow_leaves(discipline, below, place.ia, &debt.leaves);
		while ((context = context_next(discipline, place.root, context)) != NULL)
			owe(discipline, context, &debt, event);
	}
	/* No CPU can have walked there: the table hangs nowhere from now on. */
	if (below != NULL && below->leaving == 0)
		below->parent = NULL;
}

enum discipline_rule debt_rule(const struct debt *debt, enum discipline_rule not_begun)
{
	static const enum discipline_rule broken[] = {
		[SHORT_OF_NOTHING] = DISCIPLINE_tlbi_missing,
		[SHORT_OF_DSB_BEFORE] = DISCIPLINE_dsb_missing_before,
		[SHORT_OF_WIDTH] = DISCIPLINE_tlbi_too_narrow,
		[SHORT_OF_VMID] = DISCIPLINE_tlbi_wrong_vmid,
		[SHORT_OF_BROADCAST] = DISCIPLINE_tlbi_local,
		[SHORT_OF_DSB_BETWEEN] = DISCIPLINE_dsb_missing_after,
	};

	if (debt->step == DEBT_ISSUED || debt->step == DEBT_COMBINED)
		return DISCIPLINE_dsb_missing_after;
	if (debt->shortfall != SHORT_OF_NOTHING)
		return broken[debt->shortfall];
	if (debt->step == DEBT_BY_IPA)
		return DISCIPLINE_stage1_step_missing;
	return debt->step == DEBT_WRITTEN ? not_begun : DISCIPLINE_tlbi_missing;
}

void debt_end(struct discipline *discipline, struct context *context, struct debt *debt)
{
	if (debt->below != NULL && --debt->below->leaving == 0)
		debt->below->parent = NULL;
	RB_REMOVE(debt_tree, &context->debts, debt);
	model_pool_give(&discipline->debt_pool, debt);
}

struct debt *debt_after(struct context *context, struct debt *last)
{
	return last == NULL ? RB_MIN(debt_tree, &context->debts)
			    : RB_NEXT(debt_tree, &context->debts, last);
}

/*
 * Spans are powers of two, aligned: one that begins before @range and reaches into it begins at the
 * start of @range, rounded down to its own size.
 */
struct debt *debt_next(struct context *context, struct irange range, struct debt *last)
{
	struct debt key = { .at = 0 };
	struct debt *debt;

	if (last == NULL)
		key.ia = range.start.value & ~(discipline_span(0) - 1);
	debt = last == NULL ? RB_NFIND(debt_tree, &context->debts, &key)
			    : RB_NEXT(debt_tree, &context->debts, last);
	while (debt != NULL && !irange_overlaps(debt_range(debt), range)) {
		if (debt->ia >= range.end.value)
			return NULL;
		debt = RB_NEXT(debt_tree, &context->debts, debt);
	}
	return debt;
}

/* ---- TLBIs and DSBs --------------------------------------------------------------------------- */

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
	struct context *context;

	LIST_FOREACH(context, &discipline->contexts, link)
	{
		struct debt *next = debt_after(context, NULL);

		while (next != NULL) {
			struct debt *debt = next;

			next = debt_after(context, debt);
			if (debt->cpu != event->cpu)
				continue;
			if (event->kind == OBSERVE_DSB_ISH && settles(debt))
				debt_end(discipline, context, debt);
			else if (debt->step == DEBT_WRITTEN)
				debt->step = DEBT_PUBLISHED;
		}
	}
}

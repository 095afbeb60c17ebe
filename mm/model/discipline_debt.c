/* SPDX-License-Identifier: BSD-3-Clause */
/* What is owed for a descriptor that changed: when it begins and ends, and where it is found. */
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

struct irange debt_range(const struct debt *debt)
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

struct debts debts_all(const struct discipline *discipline)
{
	struct context *first = LIST_FIRST(&discipline->contexts);

	return (struct debts){ first, first == NULL ? NULL : debt_after(first, NULL) };
}

struct debt *debts_next(struct debts *debts)
{
	struct debt *debt = debts->next;

	while (debt == NULL && debts->context != NULL) {
		debts->context = LIST_NEXT(debts->context, link);
		debt = debts->context == NULL ? NULL : debt_after(debts->context, NULL);
	}
	debts->next = debt == NULL ? NULL : debt_after(debts->context, debt);
	return debt;
}

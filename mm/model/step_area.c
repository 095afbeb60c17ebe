/* SPDX-License-Identifier: BSD-3-Clause */
/* Areas: addresses of EL2, each with an unmapped page on either side, that nobody else gets. */
#include "steps.h"

#include <inttypes.h>

status_set area_statuses(const struct op *op)
{
	if (op->kind != OPERATION_AREA_ALLOC)
		return STATUS_SET(MM_OK);
	if (op->length == 0)
		return STATUS_SET(MM_INVALID_ARGS);
	if (!is_page_aligned(op->length))
		return STATUS_SET(MM_NOT_ALIGNED);
	/* How many addresses there are to give is its user's to say, not the store's. */
	return STATUS_SET(MM_OK) | STATUS_SET(MM_OUT_OF_BOUND) | STATUS_SET(MM_NO_MEMORY);
}

/* Where it is, is open; how large, and that it is nobody else's (X6), is not. */
static void alloc(const struct step *step)
{
	const struct op *op = step->op;
	struct live_area *area = model_pool_take(&step->store->area_pool);

	if (area == NULL) {
		step->store->out_of_storage = true;
		return;
	}
	*area = (struct live_area){ .name = op->area, .space = op->space, .range = op->range };
	LIST_INSERT_HEAD(&step->store->areas, area, link);
	if (irange_size(op->range) != op->length || !irange_is_page_aligned(op->range))
		difference(step->subject, op->range.start,
			   "%" PRIu64 " bytes, %" PRIu64 " were asked for", irange_size(op->range),
			   op->length);
	if (store_area_beside(step->store, area) != NULL)
		difference(step->subject, op->range.start,
			   "the area, or its guard page, is part of another");
}

void area_step(const struct step *step)
{
	struct live_area *area;

	if (step->op->kind == OPERATION_AREA_ALLOC) {
		alloc(step);
		return;
	}
	LIST_FOREACH(area, &step->store->areas, link)
	{
		if (area->name == step->op->area) {
			LIST_REMOVE(area, link);
			model_pool_give(&step->store->area_pool, area);
			return;
		}
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What operations on tables do to the counts of pages. */
#include "check_object.h"
#include "cursor_check.h"
#include "step.h"

#include <inttypes.h>

uint64_t counted_pages(const struct live_space *space, struct irange range)
{
	struct mapping mapping;
	uint64_t pages = 0;

	while (mappings_next_in(&space->state.mappings, range, &mapping)) {
		if (mapping.counted)
			pages += irange_size(mapping.range) >> PAGE_SHIFT;
		range.start = mapping.range.end;
	}
	return pages;
}

void check_issued(struct store *store, const struct vm_space *space,
		  const struct tlb_gather *gather, uint64_t removed, struct subject subject)
{
	struct live_gather *live = LIST_FIRST(&store->gathers);
	uint64_t issued = 0;

	while (live != NULL) {
		struct live_gather *next = LIST_NEXT(live, link);

		if (gather != NULL ? live->name == gather : live->space == space) {
			issued += live->issued_pages;
			live->issued_pages = 0;
			if (LIST_EMPTY(&live->runs))
				store_remove_gather(store, live);
		}
		live = next;
	}
	if (issued != removed)
		difference(subject, iaddr(0), "%" PRIu64 " pages were parked, model says %" PRIu64,
			   issued, removed);
}

void check_nothing_parked(struct store *store, const struct mm_operation *operation,
			  struct subject subject)
{
	struct live_gather *live = store_gather(store, &operation->cursor->gather);

	if (live == NULL)
		return;
	if (!LIST_EMPTY(&live->runs))
		difference(subject, iaddr(LIST_FIRST(&live->runs)->pages.start.value),
			   "the page is parked still, after the flush");
	store_remove_gather(store, live);
}

/* The page that a reference was made to. */
static struct prange queried(const struct mm_operation *operation)
{
	uint64_t offset = operation->position.value - operation->item.range.start.value;

	return prange(paddr(operation->item.output.value + offset),
		      paddr(operation->item.output.value + offset + PAGE_SIZE));
}

static void step_counts(struct store *store, const struct mm_operation *operation, bool is_known,
			struct subject subject)
{
	struct op op = op_of(operation);
	struct op_outcome is = outcome_of(operation);
	struct op_outcome should_be;

	if (operation->kind == OPERATION_CURSOR_QUERY)
		op.pages = queried(operation);
	if (!is_known)
		op.space = 0;
	op_step(store, &op, &is, &should_be);
	check_pages(store, op.pages, subject);
}

void check_references(struct cursor_check *check)
{
	step_counts(&check->checker->store, check->operation, true, check->subject);
}

/* Whether it took a reference, or gave one to a table. */
static bool changes_counts(const struct mm_operation *operation)
{
	switch ((enum cursor_operation)operation->kind) {
	case OPERATION_CURSOR_QUERY:
		return operation->item.mapped && operation->item.counted;
	case OPERATION_CURSOR_MAP:
	case OPERATION_CURSOR_MAP_SEGMENT:
	case OPERATION_CURSOR_REPLACE:
		return true;
	case OPERATION_CURSOR_OPEN:
	case OPERATION_CURSOR_CLOSE:
	case OPERATION_CURSOR_VIRT_ADDR:
	case OPERATION_CURSOR_PEEK:
	case OPERATION_CURSOR_FIND_NEXT:
	case OPERATION_CURSOR_JUMP:
	case OPERATION_CURSOR_MAP_IOMEM:
	case OPERATION_CURSOR_UNMAP:
	case OPERATION_CURSOR_PROTECT:
	case OPERATION_CURSOR_PROTECT_NEXT:
		break;
	}
	return false;
}

void check_references_elsewhere(struct checker *checker, const struct mm_operation *operation)
{
	struct subject subject = { operation_name(operation->kind), 0 };

	if (operation->status == MM_OK && changes_counts(operation))
		step_counts(&checker->store, operation, false, subject);
}

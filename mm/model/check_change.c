/* SPDX-License-Identifier: BSD-3-Clause */
#include "cursor_check.h"

#include "check_object.h"
#include "leaf_shapes.h"
#include "permission.h"

#include <inttypes.h>

#define BLOCK_BYTES (UINT64_C(1) << 21)

/*
 * What an operation on @range may have written, as far as the cursor holds it: the range, a page on
 * each side as a check that no neighbour was hit, and around an edge that a block may lie astride,
 * the 2 MiB whose descriptors a split writes anew.
 */
static struct irange affected_range(const struct cursor_check *check, struct irange range)
{
	const struct irange held = check->open->state.range;
	const struct mappings *mappings = &check->space->state.mappings;
	uint64_t start = range.start.value;
	uint64_t end = range.end.value;
	struct mapping mapping;
	struct irange leaf;

	if (irange_is_empty(range))
		return irange(range.start, range.start);
	if (mappings_find(mappings, range.start, &mapping) &&
	    leaf_possible_astride(&mapping, range.start, &leaf))
		start &= ~(BLOCK_BYTES - 1);
	else if (start >= PAGE_SIZE)
		start -= PAGE_SIZE;
	if (end >= held.end.value)
		end = held.end.value;
	else if (mappings_find(mappings, range.end, &mapping) &&
		 leaf_possible_astride(&mapping, range.end, &leaf))
		end = (end | (BLOCK_BYTES - 1)) + 1;
	else
		end += PAGE_SIZE;
	if (start < held.start.value)
		start = held.start.value;
	if (end > held.end.value)
		end = held.end.value;
	return irange(iaddr(start), iaddr(end));
}

static void stored(struct cursor_check *check, bool enough_storage)
{
	if (!enough_storage)
		check->checker->store.out_of_storage = true;
}

/* Pages are claimed if they are mapped, and not if they are not. */
static void check_claims(const struct cursor_check *check, const struct map_request *request)
{
	struct checker *checker = check->checker;
	struct store *store = &checker->store;
	uint32_t cpu = UINT32_C(1) << check->op.cpu;
	bool claimed = (checker->claiming & cpu) != 0;
	struct prange output =
		prange(request->output, paddr(request->output.value + irange_size(request->range)));
	struct paddr page;

	checker->claiming &= ~cpu;
	if (check->operation->status != MM_OK) {
		check_pages(store, check->operation->used.pages, check->subject);
		if (claimed)
			difference(check->subject, iaddr(request->output.value),
				   "pages were claimed, and are not mapped");
	} else if (check->space->owner != NULL && store_alone(store) &&
		   owners_unclaimed(store, output, &page)) {
		difference(check->subject, iaddr(page.value),
			   "mapped, and nobody claimed the page");
	}
}

static struct map_request map_request(const struct cursor_check *check)
{
	const struct mm_operation *operation = check->operation;
	struct map_request request = {
		.range = operation->range,
		.output = operation->output,
		.property = operation->property,
		.counted = operation->counted || operation->kind == OPERATION_CURSOR_REPLACE,
	};

	return request;
}

void check_map(struct cursor_check *check)
{
	struct map_request request = map_request(check);

	check->affected = affected_range(check, request.range);
	if (request.counted)
		check_claims(check, &request);
	if (!check_done(check))
		return;
	stored(check, spec_map_step(&check->space->state, &check->open->state, &request));
	if (request.counted)
		check_references(check);
	else if (check->space->owner != NULL)
		store_note_device(&check->checker->store, check->space->space, check->op.pages);
}

void check_replace(struct cursor_check *check)
{
	struct map_request request = map_request(check);

	check->affected = affected_range(check, request.range);
	check_claims(check, &request);
	if (!check_succeeded(check))
		return;
	stored(check, spec_replace_step(&check->space->state, &check->open->state, &request));
	check_references(check);
	check_issued(&check->checker->store, check->space->space, &check->operation->cursor->gather,
		     1, check->subject);
}

void check_unmap(struct cursor_check *check)
{
	struct irange range = check->operation->range;
	const struct mappings *mappings = &check->space->state.mappings;
	struct leaf_bounds bounds;

	check->affected = affected_range(check, range);
	if (!check_succeeded(check))
		return;
	bounds = spec_leaf_bounds(mappings, range);
	if (check->operation->leaves < bounds.least || check->operation->leaves > bounds.most)
		difference(check->subject, range.start,
			   "%" PRIu64 " leaves removed, model says %" PRIu64 " to %" PRIu64,
			   check->operation->leaves, bounds.least, bounds.most);
	check_issued(&check->checker->store, check->space->space, &check->operation->cursor->gather,
		     counted_pages(check->space, range), check->subject);
	stored(check, spec_unmap_step(&check->space->state, &check->open->state, range));
}

/* The leaves that the change of a range wrote, as far as that is known. */
static void check_changed_leaves(struct cursor_check *check, struct property_changes changes)
{
	const struct mm_operation *operation = check->operation;

	/* What a CPU changes before is changed back, or needs no change: any number is right. */
	if (check->space->state.hardware_flags)
		return;

	struct leaf_bounds bounds =
		spec_changed_leaves(&check->space->state, operation->range, changes);

	if (operation->leaves < bounds.least || operation->leaves > bounds.most)
		difference(check->subject, operation->range.start,
			   "%" PRIu64 " leaves changed, model says %" PRIu64 " to %" PRIu64,
			   operation->leaves, bounds.least, bounds.most);
}

void check_protect(struct cursor_check *check)
{
	const struct mm_operation *operation = check->operation;
	struct irange range = operation->range;
	struct property_changes changes = { operation->changes, operation->change_count };
	struct iaddr forgotten;

	check->affected = affected_range(check, range);
	if (!check_succeeded(check))
		return;
	if (spec_protect_forgets(&check->space->state, range, changes, &forgotten)) {
		difference(check->subject, forgotten,
			   "nobody was asked what becomes of the property here");
		return;
	}
	check_changed_leaves(check, changes);
	stored(check, spec_protect_step(&check->space->state, &check->open->state, range, changes));
}

void check_protect_next(struct cursor_check *check)
{
	const struct mm_operation *operation = check->operation;
	struct irange range = operation->range;
	struct irange changed = operation->changed;
	status_set allowed = op_statuses(&check->checker->store, &check->op);

	check->affected = affected_range(check, range);
	if (operation->status == MM_NOT_MAPPED && status_in(allowed, MM_NOT_MAPPED)) {
		check->open->state.position = range.end;
		return;
	}
	if (!check_succeeded(check))
		return;
	/* Where CPUs set flags, one leaf may be what is known as several mappings. */
	if (!check->space->state.hardware_flags &&
	    !spec_protect_next_changes(&check->space->state.mappings, range, changed)) {
		difference(check->subject, changed.start,
			   "changed up to 0x%" PRIx64 ", which is the part of no leaf in the range",
			   changed.end.value);
		return;
	}
	check->affected = affected_range(check, changed);
	stored(check, spec_protect_next_step(&check->space->state, &check->open->state, changed,
					     operation->property));
}

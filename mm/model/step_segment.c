/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments: one reference to each page of a range. */
#include "one_step.h"

#define OK STATUS_SET(MM_OK)

static bool is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

/* Whether @start can be the first of the pages that @request is for. */
static bool request_admits(const struct frame_request *request, uint64_t start)
{
	uint64_t size = request->page_count << PAGE_SHIFT;

	if (request->alignment != 0 && start % request->alignment != 0)
		return false;
	if (request->limit.value != 0 &&
	    (size > request->limit.value || start > request->limit.value - size))
		return false;
	return request->colours == 0 || (start >> PAGE_SHIFT) % request->colours == request->colour;
}

static bool request_is_valid(const struct frame_request *request)
{
	if (request->page_count == 0)
		return false;
	if (request->alignment != 0 &&
	    (!is_power_of_two(request->alignment) || request->alignment < PAGE_SIZE))
		return false;
	if (request->colours == 0)
		return request->colour == 0;
	if (!is_power_of_two(request->colours) || request->colour >= request->colours)
		return false;
	/* An address aligned to 2^n pages has a number that is 0 modulo 2^n. */
	return request->alignment <= PAGE_SIZE ||
	       request->colour % (request->alignment >> PAGE_SHIFT) == 0;
}

static status_set request_statuses(const struct op *op)
{
	if (!request_is_valid(&op->request) ||
	    (op->kind == OPERATION_SEGMENT_ALLOC && op->request.alignment == 0))
		return STATUS_SET(MM_INVALID_ARGS);
	return OK | STATUS_SET(MM_NO_MEMORY);
}

/* What is wrong with @pages as a range of memory; MM_OK: nothing. */
static enum mm_status range_status(const struct store *store, struct prange pages)
{
	if (!is_page_aligned(pages.start.value) || !is_page_aligned(pages.end.value))
		return MM_NOT_ALIGNED;
	if (pages.start.value >= pages.end.value)
		return MM_INVALID_ARGS;
	for (uint64_t page = pages.start.value; page < pages.end.value; page += PAGE_SIZE) {
		if (step_page_status(store, paddr(page)) != MM_OK)
			return MM_OUT_OF_BOUND;
	}
	return MM_OK;
}

/* Those of a range of memory, by what @of_page says of each page: the first that is not taken says why. */
static status_set range_statuses(struct store *store, struct prange pages,
				 status_set (*of_page)(struct store *store, struct paddr page))
{
	enum mm_status status = range_status(store, pages);

	if (status != MM_OK)
		return STATUS_SET(status);
	for (uint64_t page = pages.start.value; page < pages.end.value; page += PAGE_SIZE) {
		status_set statuses = of_page(store, paddr(page));

		if (statuses != OK)
			return statuses;
	}
	return OK;
}

/* One that was reserved is a frame after success: it was none that is known. */
static status_set page_from_reserved_statuses(struct store *store, struct paddr page)
{
	const struct page_record *record = regions_find(&store->regions, page);
	struct page_state now;

	if (page_state(page, &now) != MM_OK || (record != NULL && record->state != PAGE_OTHER) ||
	    (now.usage != PAGE_RESERVED && now.usage != PAGE_FRAME))
		return STATUS_SET(MM_ACCESS_DENIED);
	/* A frame already: just now, or before the model began. */
	return now.usage == PAGE_FRAME ? OK | STATUS_SET(MM_ACCESS_DENIED) : OK;
}

status_set acquire_statuses(const struct store *store, struct prange pages)
{
	for (uint64_t page = pages.start.value; page < pages.end.value; page += PAGE_SIZE) {
		const struct page_record *record = regions_find(&store->regions, paddr(page));

		if (record != NULL && record->references >= FRAME_REFERENCES_MAX)
			return STATUS_SET(MM_SATURATED);
	}
	return OK;
}

static status_set slice_statuses(struct store *store, struct prange whole, struct prange sub)
{
	if (!prange_is_page_aligned(sub))
		return STATUS_SET(MM_NOT_ALIGNED);
	if (prange_is_empty(sub) || !prange_contains(whole, sub))
		return STATUS_SET(MM_OUT_OF_BOUND);
	return acquire_statuses(store, sub);
}

static status_set split_statuses(struct prange whole, uint64_t offset)
{
	if (!is_page_aligned(offset))
		return STATUS_SET(MM_NOT_ALIGNED);
	if (offset == 0 || offset >= prange_size(whole))
		return STATUS_SET(MM_OUT_OF_BOUND);
	return OK;
}

status_set segment_statuses(struct store *store, const struct op *op)
{
	switch ((enum segment_operation)op->kind) {
	case OPERATION_SEGMENT_ALLOC:
	case OPERATION_SEGMENT_REQUEST:
		return request_statuses(op);
	case OPERATION_SEGMENT_FROM_UNUSED:
		return range_statuses(store, op->pages, page_from_unused_statuses);
	case OPERATION_SEGMENT_FROM_RESERVED:
		return range_statuses(store, op->pages, page_from_reserved_statuses);
	case OPERATION_SEGMENT_CLONE:
		return acquire_statuses(store, op->handle_pages);
	case OPERATION_SEGMENT_SLICE:
		return slice_statuses(store, op->handle_pages, op->pages);
	case OPERATION_SEGMENT_SPLIT:
		return split_statuses(op->handle_pages, op->length);
	case OPERATION_SEGMENT_NEXT:
	case OPERATION_SEGMENT_DROP:
	case OPERATION_SEGMENT_INTO_RAW:
	case OPERATION_SEGMENT_FROM_RAW:
	case OPERATION_SEGMENT_FROM_FRAME:
	case OPERATION_SEGMENT_SIZE:
		return OK;
	}
	return STATUS_NONE;
}

/* Which pages an allocation chose is open; that they are as asked for is not. */
static void allocate(const struct step *step)
{
	const struct frame_request *request = &step->op->request;
	struct prange pages = step->observed->made[0].pages;

	if (prange_size(pages) != request->page_count << PAGE_SHIFT ||
	    !prange_is_page_aligned(pages) || !request_admits(request, pages.start.value))
		difference(step->subject, iaddr(pages.start.value),
			   "the pages are not as they were asked for");
	step_begin_shared(step, pages, step_new(step, 0, SHARE_SEGMENT));
	step_made(step, 0, SHARE_SEGMENT, pages);
}

static void next(const struct step *step)
{
	struct prange whole = step->op->handle_pages;
	struct paddr second = paddr(whole.start.value + PAGE_SIZE);

	step->expected->answer = true;
	step_move(step, page_range(whole.start), step_given(step), step_new(step, 0, SHARE_FRAME));
	step_end_handle(step);
	step_made(step, 0, SHARE_FRAME, page_range(whole.start));
	if (second.value < whole.end.value)
		step_made(step, 1, SHARE_SEGMENT, prange(second, whole.end));
}

static void split(const struct step *step)
{
	struct prange whole = step->op->handle_pages;
	struct paddr middle = paddr(whole.start.value + step->op->length);

	step_end_handle(step);
	step_made(step, 0, SHARE_SEGMENT, prange(whole.start, middle));
	step_made(step, 1, SHARE_SEGMENT, prange(middle, whole.end));
}

static void size(const struct step *step)
{
	const struct handle *handle = store_handle(step->store, step->op->handle);

	step->expected->result =
		prange_size(handle != NULL ? handle->pages : step->op->handle_pages);
}

void segment_step(const struct step *step)
{
	const struct op *op = step->op;

	switch ((enum segment_operation)op->kind) {
	case OPERATION_SEGMENT_ALLOC:
	case OPERATION_SEGMENT_REQUEST:
		allocate(step);
		break;
	case OPERATION_SEGMENT_FROM_UNUSED:
	case OPERATION_SEGMENT_FROM_RESERVED:
		step_begin_shared(step, op->pages, step_new(step, 0, SHARE_SEGMENT));
		step_made(step, 0, SHARE_SEGMENT, op->pages);
		break;
	case OPERATION_SEGMENT_CLONE:
		step_move(step, op->handle_pages, COUNT_NOTHING, step_new(step, 0, SHARE_SEGMENT));
		step_made(step, 0, SHARE_SEGMENT, op->handle_pages);
		break;
	case OPERATION_SEGMENT_SLICE:
		step_move(step, op->pages, COUNT_NOTHING, step_new(step, 0, SHARE_SEGMENT));
		step_made(step, 0, SHARE_SEGMENT, op->pages);
		break;
	case OPERATION_SEGMENT_SPLIT:
		split(step);
		break;
	case OPERATION_SEGMENT_NEXT:
		next(step);
		break;
	case OPERATION_SEGMENT_DROP:
		step_move(step, op->handle_pages, step_given(step), COUNT_NOTHING);
		step_end_handle(step);
		break;
	case OPERATION_SEGMENT_INTO_RAW:
		step_into_raw(step);
		break;
	case OPERATION_SEGMENT_FROM_RAW:
		step_from_raw(step, SHARE_SEGMENT);
		break;
	case OPERATION_SEGMENT_FROM_FRAME:
		step_move(step, op->handle_pages, step_given(step),
			  step_new(step, 0, SHARE_SEGMENT));
		step_end_handle(step);
		step_made(step, 0, SHARE_SEGMENT, op->handle_pages);
		break;
	case OPERATION_SEGMENT_SIZE:
		size(step);
		break;
	}
}

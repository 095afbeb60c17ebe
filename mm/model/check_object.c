/* SPDX-License-Identifier: BSD-3-Clause */
#include "check_object.h"

#include "follow.h"
#include "step.h"

#include <arch/cpu.h>
#include <inttypes.h>

static store_id name_of(const void *object)
{
	return (store_id)(uintptr_t)object;
}

/* The nonce of a certificate is that of no other share (share.h); 0: the share has none. */
static store_id handle_id(const struct mm_handle *handle)
{
	return handle->certificate.nonce;
}

static store_id io_space(const struct mm_io *io)
{
	return io->range == NULL ? 0 : name_of(store_io_space(&io->before));
}

/* What is asked of a cursor, from its position on: an output, or a length. */
static void ask_of_cursor(const struct mm_operation *operation, struct op *op)
{
	uint64_t size = operation->range.end.value - operation->range.start.value;

	switch ((enum cursor_operation)operation->kind) {
	case OPERATION_CURSOR_MAP:
	case OPERATION_CURSOR_MAP_SEGMENT:
	case OPERATION_CURSOR_MAP_IOMEM:
	case OPERATION_CURSOR_REPLACE:
		op->pages = prange(operation->output, paddr(operation->output.value + size));
		break;
	case OPERATION_CURSOR_OPEN:
	case OPERATION_CURSOR_CLOSE:
	case OPERATION_CURSOR_VIRT_ADDR:
	case OPERATION_CURSOR_QUERY:
	case OPERATION_CURSOR_PEEK:
	case OPERATION_CURSOR_FIND_NEXT:
	case OPERATION_CURSOR_JUMP:
	case OPERATION_CURSOR_UNMAP:
	case OPERATION_CURSOR_PROTECT:
	case OPERATION_CURSOR_PROTECT_NEXT:
		op->length = size;
		break;
	}
}

struct op op_of(const struct mm_operation *operation)
{
	struct op op = {
		.kind = operation->kind,
		.cpu = cpu_index(),
		.space = name_of(operation->space),
		.cursor = name_of(operation->cursor),
		.handle = handle_id(&operation->used),
		.list = name_of(operation->list),
		.gather = name_of(operation->gather),
		.kvirt = name_of(operation->kvirt),
		.area = name_of(operation->area),
		.sharing = name_of(operation->sharing),
		.log = name_of(operation->log),
		.from = name_of(operation->from),
		.to = name_of(operation->to),
		.members = operation->members,
		.count = operation->member_count,
		.stage = operation->stage,
		.part = operation->part,
		.range = operation->kind == OPERATION_IO_WINDOW ? operation->changed
								: operation->range,
		.address = operation->range.start,
		.pages = operation->pages,
		.handle_pages = operation->used.pages,
		.property = operation->property,
		.changes = { operation->changes, operation->change_count },
		.place = operation->place,
		.metadata = operation->metadata,
		.reader = name_of(operation->reader.range),
		.writer = name_of(operation->writer.range),
		.reader_space = io_space(&operation->reader),
		.writer_space = io_space(&operation->writer),
		.pointer = (void *)(uintptr_t)operation->metadata,
		.length = operation->length,
		.value = operation->value,
		.desired = operation->desired,
		.dispatched = operation->answer,
	};

	if (op.kind == OPERATION_SPACE_NEW)
		op.count = operation->ia_bits;
	if (op_information(op.kind)->category == CATEGORY_CURSOR)
		ask_of_cursor(operation, &op);
	if (op_information(op.kind)->category == CATEGORY_SERVICE) {
		op.count = operation->length;
		op.length = operation->range.end.value - operation->range.start.value;
	}
	if (operation->request != NULL)
		op.request = *operation->request;
	else
		op.request.contents = operation->contents;
	return op;
}

static struct op_made made_of(const struct mm_handle *handle)
{
	return (struct op_made){ handle_id(handle), handle->kind, handle->pages };
}

struct op_outcome outcome_of(const struct mm_operation *operation)
{
	return (struct op_outcome){
		.status = operation->status,
		.made = { made_of(&operation->made[0]), made_of(&operation->made[1]) },
		.answer = operation->answer,
		.result = operation->result,
		.place = operation->place_now,
		.metadata = operation->metadata,
	};
}

static uint32_t others_in_flight(void)
{
	return mm_cpus_in_flight() & ~(UINT32_C(1) << cpu_index());
}

static bool counts_agree(const struct page_record *record, const struct page_state *now)
{
	return record->state == PAGE_FREE
		       ? now->usage != PAGE_FRAME
		       : now->usage == PAGE_FRAME && now->references == record->references;
}

/* Another CPU may have taken a reference, or a free page, and not have said so yet; or have said that it
 * gives one up, and not have done it. */
static bool may_agree(const struct page_record *record, const struct page_state *now)
{
	return now->usage == PAGE_FRAME &&
	       (now->references >= record->references || record->state == PAGE_FREE);
}

bool check_page(struct store *store, struct paddr page, struct subject subject)
{
	const struct page_record *record = regions_find(&store->regions, page);
	struct page_state now;
	uint32_t others;

	if (record == NULL || page_state(page, &now) != MM_OK)
		return true;
	if (counts_agree(record, &now))
		return check_owner(store, page, store_alone(store), subject);
	/*
	 * Nobody's report comes in between here. So who takes is in flight after the count is read, waiting to
	 * say so; who gives up has said so, and is in flight before it is read.
	 */
	others = others_in_flight();
	if (page_state(page, &now) != MM_OK)
		return true;
	others |= others_in_flight();
	if (counts_agree(record, &now))
		return check_owner(store, page, store_alone(store), subject);
	if (others != 0 && may_agree(record, &now))
		return true;
	difference(subject, iaddr(page.value),
		   "the page is %s with %" PRIu32 " references, model says %" PRIu32 " = H %" PRIu32
		   " + P %" PRIu32 " + C %" PRIu32 " + T %" PRIu32 " + %" PRIu32,
		   page_usage_name(now.usage), now.references, record->references, record->handles,
		   record->entries, record->covers, record->parked, record->before);
	follow_page(store, page, &now);
	return false;
}

void check_pages(struct store *store, struct prange pages, struct subject subject)
{
	struct paddr page = pages.start;

	while (page.value < pages.end.value && check_page(store, page, subject))
		page = next_sampled(pages, page);
}

/* Those that give references up report before they do: what is forgotten here is told of as a difference. */
static bool gives_up(enum mm_operation_kind kind)
{
	switch (kind) {
	case OPERATION_FRAME_DROP:
	case OPERATION_SEGMENT_DROP:
	case OPERATION_UNIQUE_DROP:
	case OPERATION_UNIQUE_RESET_AS_UNUSED:
	case OPERATION_LIST_DROP:
	case OPERATION_FLUSH_SYNC:
		return true;
	default:
		return false;
	}
}

static void check_concerned(struct store *store, const struct op *op,
			    const struct op_outcome *outcome, struct subject subject)
{
	/* Pages that were only asked for may be no memory at all. */
	if (outcome->status == MM_OK)
		check_pages(store, op->pages, subject);
	check_pages(store, op->handle_pages, subject);
	check_pages(store, outcome->made[0].pages, subject);
}

static bool made_equal(const struct op_made *a, const struct op_made *b)
{
	if (prange_is_empty(a->pages) || prange_is_empty(b->pages))
		return prange_is_empty(a->pages) && prange_is_empty(b->pages);
	return a->kind == b->kind && a->pages.start.value == b->pages.start.value &&
	       a->pages.end.value == b->pages.end.value;
}

static void compare_outcomes(struct store *store, const struct op *op, const struct op_outcome *is,
			     const struct op_outcome *should_be, struct subject subject)
{
	struct iaddr at = iaddr(op->pages.start.value != 0 ? op->pages.start.value
							   : op->handle_pages.start.value);

	for (int i = 0; i < 2; i++) {
		if (made_equal(&is->made[i], &should_be->made[i]))
			continue;
		difference(subject, at,
			   "made a handle to [0x%" PRIx64 ", 0x%" PRIx64 "), model says [0x%" PRIx64
			   ", 0x%" PRIx64 ")",
			   is->made[i].pages.start.value, is->made[i].pages.end.value,
			   should_be->made[i].pages.start.value,
			   should_be->made[i].pages.end.value);
		follow_made(store, &is->made[i]);
	}
	if (is->answer != should_be->answer && op->kind != OPERATION_FLUSH_ISSUE) {
		difference(subject, at, "says %s, model says %s", is->answer ? "true" : "false",
			   should_be->answer ? "true" : "false");
		if (op->kind == OPERATION_LIST_CONTAINS)
			follow_listed(store, op, is->answer);
	}
	if (is->result != should_be->result)
		difference(subject, at, "says %" PRIu64 ", model says %" PRIu64, is->result,
			   should_be->result);
	if (is->place.value != should_be->place.value) {
		difference(subject, at, "comes to 0x%" PRIx64 ", model says 0x%" PRIx64,
			   is->place.value, should_be->place.value);
		follow_place(store, op, is->place);
	}
	if (op->kind == OPERATION_UNIQUE_METADATA && is->metadata != should_be->metadata)
		difference(subject, at, "the metadata is %p, model says %p", is->metadata,
			   should_be->metadata);
}

void check_handle(const struct store *store, const struct op *op, struct subject subject)
{
	const struct handle *handle = store_handle(store, op->handle);

	if (handle != NULL && !handle->raw &&
	    (handle->pages.start.value != op->handle_pages.start.value ||
	     handle->pages.end.value != op->handle_pages.end.value))
		difference(subject, iaddr(op->handle_pages.start.value),
			   "the handle was made for 0x%" PRIx64, handle->pages.start.value);
}

/* Pages that nobody but who asked for them has, yet. */
static bool makes_zeroed(const struct op *op)
{
	return (op_information(op->kind)->arguments & ARG_CONTENTS) != 0 &&
	       op->request.contents == FRAME_ZEROED;
}

void check_object_operation(struct checker *checker, const struct mm_operation *operation)
{
	struct store *store = &checker->store;
	struct op op = op_of(operation);
	struct op_outcome is = outcome_of(operation);
	struct subject subject = { op_information(op.kind)->function, 0 };
	struct op_outcome should_be;
	status_set allowed = op_statuses(store, &op);

	/* Flushing is a part of others. */
	checker->operations += op_information(op.kind)->category != CATEGORY_FLUSH;
	if (!status_in(allowed, is.status)) {
		difference(subject, iaddr(op.pages.start.value), "status is %s, model says %s",
			   mm_status_name(is.status), statuses_text(allowed).text);
		/* What was done all the same is followed, and what stood in the way. */
		check_page(store, op.pages.start, subject);
		if (is.status != MM_OK)
			return;
	}
	check_handle(store, &op, subject);
	if (gives_up(op.kind))
		check_concerned(store, &op, &is, subject);
	if (is.status == MM_OK) {
		op_step(store, &op, &is, &should_be);
		compare_outcomes(store, &op, &is, &should_be, subject);
		if (makes_zeroed(&op))
			check_zeroed(is.made[0].pages, subject);
	}
	if (!gives_up(op.kind))
		check_concerned(store, &op, &is, subject);
}

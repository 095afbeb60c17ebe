/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations of readers and writers: status, how far they came, and what became of their cursors. */
#include "check_io.h"

#include <arch/cpu.h>
#include <inttypes.h>

/* All or nothing: the cursor is past all of it, or where it was. */
static bool rolls_back(enum mm_operation_kind kind)
{
	return kind == OPERATION_READER_READ_VAL || kind == OPERATION_READER_COLLECT ||
	       kind == OPERATION_WRITER_WRITE_VAL;
}

static bool keeps_cursor(enum mm_operation_kind kind)
{
	return kind == OPERATION_READER_ATOMIC_LOAD || kind == OPERATION_WRITER_COMPARE_EXCHANGE;
}

/* Bytes that a cursor must have moved. */
static uint64_t cursor_moved(const struct mm_operation *operation, uint64_t moved)
{
	if (keeps_cursor(operation->kind) ||
	    (rolls_back(operation->kind) && operation->status != MM_OK))
		return 0;
	if (operation->kind == OPERATION_WRITER_FILL && operation->length != 0)
		return moved - moved % operation->length;
	return moved;
}

static void check_range(const struct check_io *check, const struct mm_io *io, uint64_t moved)
{
	if (io->range == NULL)
		return;
	if (io->range->cursor - io->before.cursor != moved)
		difference(check->subject, iaddr(io->before.cursor),
			   "the cursor moved %" PRIu64 " bytes, model says %" PRIu64,
			   io->range->cursor - io->before.cursor, moved);
	if (io->range->end != io->before.end || io->range->kind != io->before.kind ||
	    io->range->fallible != io->before.fallible)
		difference(check->subject, iaddr(io->before.cursor),
			   "another end, or other memory");
}

/* What @result says, of those that count. */
static uint64_t result_of(const struct mm_operation *operation, uint64_t moved)
{
	switch ((enum io_operation)operation->kind) {
	case OPERATION_READ:
	case OPERATION_READ_FALLIBLE:
	case OPERATION_WRITER_FILL_ZEROS:
		return moved;
	case OPERATION_WRITER_FILL:
		return operation->length != 0 ? moved / operation->length : 0;
	case OPERATION_READER_COLLECT:
		return operation->status == MM_OK ? moved : 0;
	case OPERATION_IO_SPACE: /* these count nothing: a value has its own comparison (check_io_arrived.c) */
	case OPERATION_IO_HYPERVISOR:
	case OPERATION_IO_GUEST:
	case OPERATION_IO_WINDOW:
	case OPERATION_READER_LIMIT:
	case OPERATION_READER_SKIP:
	case OPERATION_READER_REMAIN:
	case OPERATION_READER_READ_VAL:
	case OPERATION_READER_READ_ONCE:
	case OPERATION_READER_ATOMIC_LOAD:
	case OPERATION_WRITER_LIMIT:
	case OPERATION_WRITER_SKIP:
	case OPERATION_WRITER_AVAIL:
	case OPERATION_WRITER_WRITE_VAL:
	case OPERATION_WRITER_WRITE_ONCE:
	case OPERATION_WRITER_COMPARE_EXCHANGE:
		break;
	}
	return operation->result;
}

static void check_done(const struct check_io *check, struct io_expected expected)
{
	const struct mm_operation *operation = check->operation;
	struct iaddr at = iaddr(operation->reader.range != NULL ? operation->reader.before.cursor
								: operation->writer.before.cursor);

	if (!expected.is_known)
		return;
	if (!status_in(expected.statuses, operation->status)) {
		difference(check->subject, at, "status is %s, model says %s",
			   mm_status_name(operation->status),
			   statuses_text(expected.statuses).text);
		return;
	}
	/* How many references a page has is not what says how far the bytes come: it ends at some page. */
	if (operation->status == MM_SATURATED && operation->result < expected.moved)
		expected.moved = operation->result;
	if (operation->result != result_of(operation, expected.moved))
		difference(check->subject, at, "says %" PRIu64 ", model says %" PRIu64,
			   operation->result, result_of(operation, expected.moved));
	check_range(check, &operation->reader, cursor_moved(operation, expected.moved));
	check_range(check, &operation->writer, cursor_moved(operation, expected.moved));
	if (expected.compares)
		check_io_arrived(check, &expected);
}

/* A look: the cursor stays, and what is said lies between it and the end. */
static void check_remain(const struct check_io *check, const struct mm_io *io)
{
	const uint64_t remain = io->before.end - io->before.cursor;

	if (check->operation->status != MM_OK)
		difference(check->subject, iaddr(io->before.cursor),
			   "status is %s, model says MM_OK",
			   mm_status_name(check->operation->status));
	if (check->operation->result != remain)
		difference(check->subject, iaddr(io->before.cursor),
			   "says %" PRIu64 ", model says %" PRIu64, check->operation->result,
			   remain);
	check_range(check, io, 0);
}

static void note(struct store *store, const struct mm_io *io, bool as_before)
{
	if (io->range != NULL)
		store_note_io(store, (store_id)(uintptr_t)io->range,
			      as_before ? &io->before : io->range);
}

/* A reader or a writer is a value: what it is now, the operation says. */
static void begin(struct checker *checker, const struct check_io *check)
{
	note(check->store, &check->operation->reader, true);
	note(check->store, &check->operation->writer, true);
	checker->begun[check->op.cpu] = (struct io_begun){
		.kind = check->op.kind,
		.reports = checker->reports,
		.expected = io_expect(check->store, &check->op),
	};
}

static void check_transfer(struct checker *checker, const struct check_io *check)
{
	struct io_begun *begun = &checker->begun[check->op.cpu];

	if (begun->kind != check->op.kind)
		difference(check->subject, iaddr(0), "ended without having begun");
	else if (begun->reports == checker->reports) /* else it was not one moment */
		check_done(check, begun->expected);
	*begun = (struct io_begun){ .kind = OPERATION_COUNT };
}

/*
 * What the hypervisor wrote for a guest is on the lists of dirty logs. On several CPUs, a list that was
 * taken before this report may have had it.
 */
static void note_written(const struct check_io *check)
{
	const struct mm_io *writer = &check->operation->writer;
	struct live_space *space;

	if (writer->range == NULL || writer->before.kind != VM_IO_SPACE ||
	    writer->range->cursor == writer->before.cursor ||
	    check->op.kind == OPERATION_WRITER_SKIP || !store_alone(check->store))
		return;
	space = registry_space(&check->store->registry, writer->before.space);
	if (space != NULL)
		store_note_written(
			check->store, space,
			irange(iaddr(writer->before.cursor & ~(PAGE_SIZE - 1)),
			       iaddr((writer->range->cursor + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))));
}

void check_io_operation(struct checker *checker, const struct mm_operation *operation)
{
	struct check_io check = {
		.store = &checker->store,
		.operation = operation,
		.op = op_of(operation),
		.subject = { operation_name(operation->kind), 0 },
	};
	bool is_new = false;

	if (operation->begins) {
		begin(checker, &check);
		return;
	}
	checker->operations++;
	switch ((enum io_operation)operation->kind) {
	case OPERATION_IO_HYPERVISOR:
	case OPERATION_IO_SPACE:
	case OPERATION_IO_GUEST:
	case OPERATION_IO_WINDOW:
		check_io_new(&check);
		is_new = true;
		break;
	case OPERATION_READER_LIMIT:
		check_io_limit(&check, &operation->reader);
		break;
	case OPERATION_WRITER_LIMIT:
		check_io_limit(&check, &operation->writer);
		break;
	case OPERATION_READER_REMAIN:
		check_remain(&check, &operation->reader);
		break;
	case OPERATION_WRITER_AVAIL:
		check_remain(&check, &operation->writer);
		break;
	case OPERATION_READER_SKIP:
	case OPERATION_WRITER_SKIP:
		begin(checker, &check);
		check_transfer(checker, &check);
		break;
	case OPERATION_READ:
	case OPERATION_READ_FALLIBLE:
	case OPERATION_READER_READ_VAL:
	case OPERATION_READER_COLLECT:
	case OPERATION_READER_READ_ONCE:
	case OPERATION_READER_ATOMIC_LOAD:
	case OPERATION_WRITER_WRITE_VAL:
	case OPERATION_WRITER_WRITE_ONCE:
	case OPERATION_WRITER_FILL:
	case OPERATION_WRITER_FILL_ZEROS:
	case OPERATION_WRITER_COMPARE_EXCHANGE:
		check_transfer(checker, &check);
		break;
	}
	note_written(&check);
	/* What is made of a range that was refused is nothing. */
	if (is_new && operation->status != MM_OK)
		return;
	note(check.store, &operation->reader, false);
	note(check.store, &operation->writer, false);
}

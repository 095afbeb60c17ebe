/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations of readers and writers: status, what moved, and which bytes arrived. */
#include "check_object.h"
#include "io.h"

#include <arch/cpu.h>
#include <inttypes.h>

#define OK STATUS_SET(MM_OK)

/* What must come of one transfer. */
struct expectation {
	status_set statuses;
	uint64_t moved; /* bytes, if it is known how far it comes */
	bool is_known;
};

struct check_io {
	struct store *store;
	const struct mm_operation *operation;
	struct subject subject;
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static struct expectation refused(enum mm_status status)
{
	return (struct expectation){ STATUS_SET(status), 0, true };
}

/* ---- Where it must come ------------------------------------------------------------------------ */

/* @size bytes of one range, the other side being the hypervisor's own. */
static struct expectation expect_one(const struct check_io *check, const struct vm_io_range *range,
				     uint8_t access, uint64_t size)
{
	struct io_reach reach = io_reach(check->store, range, access, size);

	if (size == 0)
		return (struct expectation){ OK, 0, true };
	return (struct expectation){ reach.statuses, reach.size, reach.is_known };
}

/* From one to the other: the first page that either side cannot reach ends it, the source first. */
static struct expectation expect_copy(const struct check_io *check, const struct vm_io_range *from,
				      const struct vm_io_range *to, uint64_t size)
{
	struct expectation source = expect_one(check, from, PAGE_READ, size);
	struct expectation target = expect_one(check, to, PAGE_WRITE, size);

	if (!source.is_known || !target.is_known)
		return (struct expectation){ .is_known = false };
	/* Between two spaces the source is held by a reference. */
	if (from->kind == VM_IO_SPACE && to->kind == VM_IO_SPACE)
		source.statuses |= STATUS_SET(MM_SATURATED);
	return target.moved < source.moved ? target : source;
}

static struct expectation expect_atomic(const struct check_io *check,
					const struct vm_io_range *range, uint8_t access)
{
	uint64_t size = check->operation->length;

	if ((size != 1 && size != 2 && size != 4 && size != 8) || io_size(range) < size)
		return refused(MM_INVALID_ARGS);
	if (range->cursor % size != 0)
		return refused(MM_NOT_ALIGNED);
	return expect_one(check, range, access, size);
}

static struct expectation expect(const struct check_io *check)
{
	const struct mm_operation *operation = check->operation;
	const struct vm_io_range *reader = &operation->reader.before;
	const struct vm_io_range *writer = &operation->writer.before;
	uint64_t length = operation->length;

	switch (operation->kind) {
	case OPERATION_READER_SKIP:
		return length > io_size(reader) ? refused(MM_OUT_OF_BOUND)
						: (struct expectation){ OK, length, true };
	case OPERATION_WRITER_SKIP:
		return length > io_size(writer) ? refused(MM_OUT_OF_BOUND)
						: (struct expectation){ OK, length, true };
	case OPERATION_READ:
		if (reader->fallible || writer->fallible)
			return refused(MM_INVALID_ARGS);
		return (struct expectation){ OK, least(io_size(reader), io_size(writer)), true };
	case OPERATION_READ_FALLIBLE:
		return expect_copy(check, reader, writer, least(io_size(reader), io_size(writer)));
	case OPERATION_READER_READ_VAL:
		return io_size(reader) < length ? refused(MM_INVALID_ARGS)
						: expect_one(check, reader, PAGE_READ, length);
	case OPERATION_READER_COLLECT:
		return io_size(reader) > length
			       ? refused(MM_OUT_OF_BOUND)
			       : expect_one(check, reader, PAGE_READ, io_size(reader));
	case OPERATION_WRITER_WRITE_VAL:
		return io_size(writer) < length ? refused(MM_INVALID_ARGS)
						: expect_one(check, writer, PAGE_WRITE, length);
	case OPERATION_READER_READ_ONCE:
		return reader->fallible ? refused(MM_INVALID_ARGS)
					: expect_atomic(check, reader, PAGE_READ);
	case OPERATION_WRITER_WRITE_ONCE:
		return writer->fallible ? refused(MM_INVALID_ARGS)
					: expect_atomic(check, writer, PAGE_WRITE);
	case OPERATION_READER_ATOMIC_LOAD:
		return expect_atomic(check, reader, PAGE_READ);
	case OPERATION_WRITER_FILL:
		if ((length != 1 && length != 2 && length != 4 && length != 8) ||
		    io_size(writer) % length != 0)
			return refused(MM_INVALID_ARGS);
		if (writer->cursor % length != 0)
			return refused(MM_NOT_ALIGNED);
		return expect_one(check, writer, PAGE_WRITE, io_size(writer));
	case OPERATION_WRITER_FILL_ZEROS:
		return expect_one(check, writer, PAGE_WRITE, least(length, io_size(writer)));
	default:
		return (struct expectation){ .is_known = false };
	}
}

/* ---- Whether it did ---------------------------------------------------------------------------- */

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

static void check_bytes(const struct check_io *check, uint64_t moved)
{
	const struct mm_operation *operation = check->operation;
	const struct vm_io_range *reader = &operation->reader.before;
	const struct vm_io_range *writer = &operation->writer.before;
	struct vm_io_range own = { .cursor = (uintptr_t)operation->metadata,
				   .kind = VM_IO_HYPERVISOR };
	const uint64_t result = operation->result;
	struct vm_io_range loaded = { .cursor = (uintptr_t)&result, .kind = VM_IO_HYPERVISOR };
	uint64_t wrong = 0;
	bool equal = true;

	switch (operation->kind) {
	case OPERATION_READ:
	case OPERATION_READ_FALLIBLE:
		equal = io_copied(check->store, writer, reader, moved, &wrong);
		break;
	case OPERATION_READER_READ_VAL:
	case OPERATION_READER_COLLECT:
		equal = operation->status != MM_OK ||
			io_copied(check->store, &own, reader, moved, &wrong);
		break;
	case OPERATION_WRITER_WRITE_VAL:
		equal = io_copied(check->store, writer, &own, moved, &wrong);
		break;
	case OPERATION_READER_READ_ONCE:
	case OPERATION_READER_ATOMIC_LOAD:
		equal = operation->status != MM_OK ||
			io_copied(check->store, &loaded, reader, moved, &wrong);
		break;
	case OPERATION_WRITER_WRITE_ONCE:
	case OPERATION_WRITER_FILL:
		equal = io_filled(check->store, writer, (unsigned int)operation->length,
				  operation->value, moved, &wrong);
		break;
	case OPERATION_WRITER_FILL_ZEROS:
		equal = io_filled(check->store, writer, 1, 0, moved, &wrong);
		break;
	default:
		break;
	}
	if (!equal)
		difference(check->subject, iaddr(writer->cursor + wrong),
			   "byte %" PRIu64 " is not the one that should have arrived", wrong);
}

/* What @result says, of those that count. */
static uint64_t result_of(const struct mm_operation *operation, uint64_t moved)
{
	switch (operation->kind) {
	case OPERATION_READ:
	case OPERATION_READ_FALLIBLE:
	case OPERATION_WRITER_FILL_ZEROS:
		return moved;
	case OPERATION_WRITER_FILL:
		return operation->length != 0 ? moved / operation->length : 0;
	case OPERATION_READER_COLLECT:
		return operation->status == MM_OK ? moved : 0;
	default:
		return operation->result;
	}
}

/* Whether nothing else was reported between its begin and its end. */
static bool is_one_moment(const struct mm_operation *operation)
{
	const struct mm_io *io =
		operation->reader.range != NULL ? &operation->reader : &operation->writer;

	return io->reports_before == mm_operation_reports();
}

static void check_transfer(const struct check_io *check)
{
	const struct mm_operation *operation = check->operation;
	struct expectation expected = expect(check);
	struct iaddr at = iaddr(operation->reader.range != NULL ? operation->reader.before.cursor
								: operation->writer.before.cursor);

	if (!expected.is_known || !is_one_moment(operation))
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
	check_bytes(check, expected.moved);
}

static void check_limit(const struct check_io *check, const struct mm_io *io)
{
	uint64_t size = least(io_size(&io->before), check->operation->length);

	if (io->range->cursor != io->before.cursor || io_size(io->range) != size)
		difference(check->subject, iaddr(io->before.cursor),
			   "%" PRIu64 " bytes are left, model says %" PRIu64, io_size(io->range),
			   size);
}

/* ---- New ranges -------------------------------------------------------------------------------- */

static bool wraps(uint64_t start, uint64_t length)
{
	return start != 0 && length > UINT64_MAX - start + 1;
}

static enum mm_status inside(uint64_t start, uint64_t length, struct irange outer)
{
	if (length == 0 || (start >= outer.start.value && start < outer.end.value &&
			    length <= outer.end.value - start))
		return MM_OK;
	return wraps(start, length) ? MM_OVERFLOW : MM_OUT_OF_BOUND;
}

/* A window space is reached where it is active, and no address that is not its own. */
static enum mm_status inside_window(const struct live_space *space, uint64_t start, uint64_t length)
{
	const bool active = space->active_cpus >> cpu_index() & 1;
	const enum mm_status status = inside(start, length, walk_table_range(&space->table));

	if (wraps(start, length))
		return MM_OVERFLOW;
	return active && status == MM_OK ? MM_OK : MM_ACCESS_DENIED;
}

static void check_new(const struct check_io *check)
{
	const struct mm_operation *operation = check->operation;
	const struct live_space *space = registry_space(&check->store->registry, operation->space);
	uint64_t start = operation->kind == OPERATION_IO_HYPERVISOR ? (uintptr_t)operation->metadata
								    : operation->range.start.value;
	uint64_t length = operation->length;
	const struct vm_io_range *made = operation->reader.range;
	enum mm_status status = MM_OK;

	switch (operation->kind) {
	case OPERATION_IO_HYPERVISOR:
		if (wraps(start, length))
			status = MM_OVERFLOW;
		else if (start == 0 && length != 0)
			status = MM_INVALID_ARGS;
		break;
	case OPERATION_IO_WINDOW:
		status = inside(start, length, operation->changed);
		break;
	default:
		if (space == NULL)
			return; /* made before the model started */
		if (operation->kind == OPERATION_IO_GUEST && wraps(start, length))
			status = MM_OVERFLOW;
		else if (operation->kind == OPERATION_IO_SPACE &&
			 space->state.part == SPACE_IN_WINDOW)
			status = inside_window(space, start, length);
		else if (space->state.stage != STAGE_2)
			status = MM_INVALID_ARGS;
		else if (operation->kind == OPERATION_IO_SPACE)
			status = inside(start, length, walk_table_range(&space->table));
		break;
	}
	if (operation->status != status)
		difference(check->subject, iaddr(start), "status is %s, model says %s",
			   mm_status_name(operation->status), mm_status_name(status));
	else if (status == MM_OK && (made->cursor != start || io_size(made) != length))
		difference(check->subject, iaddr(start),
			   "the range is not the one that was asked for");
}

/* What is made of a range that was refused is nothing. */
static void note(struct store *store, const struct mm_io *io, enum mm_status status)
{
	bool is_new = io->reports_before == 0 && io->before.cursor == 0 && io->before.end == 0;

	if (io->range != NULL && (!is_new || status == MM_OK))
		store_note_io(store, io->range, io->range);
}

void check_io_operation(struct checker *checker, const struct mm_operation *operation)
{
	struct check_io check = {
		.store = &checker->store,
		.operation = operation,
		.subject = { operation_name(operation->kind), 0 },
	};

	checker->operations++;
	switch (operation->kind) {
	case OPERATION_IO_HYPERVISOR:
	case OPERATION_IO_SPACE:
	case OPERATION_IO_GUEST:
	case OPERATION_IO_WINDOW:
		check_new(&check);
		break;
	case OPERATION_READER_LIMIT:
		check_limit(&check, &operation->reader);
		break;
	case OPERATION_WRITER_LIMIT:
		check_limit(&check, &operation->writer);
		break;
	default:
		check_transfer(&check);
		break;
	}
	note(&checker->store, &operation->reader, operation->status);
	note(&checker->store, &operation->writer, operation->status);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "io_expect.h"

#include "io_meet.h"

#include <string.h>

#define OK STATUS_SET(MM_OK)

struct transfer {
	struct store *store;
	const struct op *op;
	const struct vm_io_range *reader; /* NULL: none, or not known */
	const struct vm_io_range *writer;
	struct io_tables tables;
};

static struct io_expected refused(enum mm_status status)
{
	return (struct io_expected){ .statuses = STATUS_SET(status), .is_known = true };
}

static const struct io_expected not_known = { .statuses = STATUS_ANY };

static bool is_value_size(uint64_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

/* ---- How far ------------------------------------------------------------------------------- */

/* @size bytes of one range, the other side being the hypervisor's own. */
static struct io_expected reach(struct transfer *transfer, const struct vm_io_range *range,
				uint8_t access, uint64_t size)
{
	uint64_t done = 0;

	while (range->kind != VM_IO_HYPERVISOR && done < size) {
		struct io_place place =
			io_place(transfer->store, range, done, access, &transfer->tables);

		if (place.statuses != OK && status_in(place.statuses, MM_OK))
			return not_known;
		if (place.statuses != OK)
			return (struct io_expected){ place.statuses, done, .is_known = true };
		done += place.length;
	}
	return (struct io_expected){ OK, size, .is_known = true };
}

static bool is_translated(const struct vm_io_range *range)
{
	return range->kind == VM_IO_SPACE || range->kind == VM_IO_GUEST;
}

/* Of a space that is not active on this CPU it is not. */
static bool is_asked_of_mmu(const struct transfer *transfer, const struct vm_io_range *range)
{
	const struct live_space *space;

	if (range->kind != VM_IO_WINDOW_SPACE)
		return range->kind == VM_IO_WINDOW;
	space = registry_space(&transfer->store->registry, range->space);
	return space != NULL && (space->active_cpus >> transfer->op->cpu & 1);
}

static struct io_expected copy(struct transfer *transfer)
{
	const struct vm_io_range *from = transfer->reader;
	const struct vm_io_range *to = transfer->writer;
	uint64_t size = least(io_size(from), io_size(to));
	struct io_expected source = reach(transfer, from, PAGE_READ, size);
	struct io_expected target = reach(transfer, to, PAGE_WRITE, size);

	if (!source.is_known || !target.is_known)
		return not_known;
	/* Between two pages of tables that are read here, the source is held by a reference. */
	if (is_translated(from) && is_translated(to))
		source.statuses |= STATUS_SET(MM_SATURATED);
	/* What the MMU says of the source it says when the first byte is loaded. */
	if (target.moved == source.moved && is_translated(to) && is_asked_of_mmu(transfer, from) &&
	    target.statuses != OK)
		return target;
	return target.moved < source.moved ? target : source;
}

/* ---- Single values ------------------------------------------------------------------------- */

static void look(struct transfer *transfer, const struct vm_io_range *range, uint8_t access,
		 struct io_expected *expected)
{
	struct io_place place = io_place(transfer->store, range, 0, access, &transfer->tables);

	if (place.bytes == NULL || !store_alone(transfer->store))
		return;
	memcpy(&expected->value, place.bytes, transfer->op->length);
	expected->has_value = true;
}

static struct io_expected value(struct transfer *transfer, const struct vm_io_range *range,
				uint8_t access)
{
	uint64_t size = transfer->op->length;
	struct io_expected expected;

	if (!is_value_size(size) || io_size(range) < size)
		return refused(MM_INVALID_ARGS);
	if (range->cursor % size != 0)
		return refused(MM_NOT_ALIGNED);
	expected = reach(transfer, range, access, size);
	if (expected.statuses == OK && expected.is_known && access != PAGE_WRITE)
		look(transfer, range, access, &expected);
	return expected;
}

static bool is_same_place(const struct vm_io_range *a, const struct vm_io_range *b)
{
	return a->kind == b->kind && a->cursor == b->cursor &&
	       (a->kind == VM_IO_GUEST ? a->guest == b->guest : a->space == b->space);
}

static struct io_expected compare_exchange(struct transfer *transfer)
{
	const struct op *op = transfer->op;
	const struct vm_io_range *to = transfer->writer;
	uint64_t size = op->length;
	struct io_expected expected;

	if (!is_value_size(size) || io_size(to) < size || io_size(transfer->reader) < size ||
	    !is_same_place(to, transfer->reader) ||
	    (size < 8 && (op->value | op->desired) >> (8 * size) != 0))
		return refused(MM_INVALID_ARGS);
	expected = value(transfer, to, PAGE_READ | PAGE_WRITE);
	if (expected.statuses == STATUS_SET(MM_PAGE_FAULT) && !is_translated(to)) {
		/* Whether a store that is not due needs the right to it is the CPU's to say. */
		expected = value(transfer, to, PAGE_READ);
		if (expected.statuses == OK)
			expected.statuses =
				STATUS_SET(MM_PAGE_FAULT) |
				(expected.has_value && expected.value == op->value ? 0 : OK);
	}
	if (status_in(expected.statuses, MM_OK))
		expected.statuses |= STATUS_SET(MM_BUSY); /* others kept the store from happening */
	return expected;
}

/* ---- All of them --------------------------------------------------------------------------- */

static struct io_expected expect(struct transfer *transfer)
{
	const struct vm_io_range *reader = transfer->reader;
	const struct vm_io_range *writer = transfer->writer;
	uint64_t length = transfer->op->length;

	switch ((enum io_operation)transfer->op->kind) {
	case OPERATION_READER_SKIP:
		return length > io_size(reader)
			       ? refused(MM_OUT_OF_BOUND)
			       : (struct io_expected){ OK, length, .is_known = true };
	case OPERATION_WRITER_SKIP:
		return length > io_size(writer)
			       ? refused(MM_OUT_OF_BOUND)
			       : (struct io_expected){ OK, length, .is_known = true };
	case OPERATION_READ:
		if (reader->fallible || writer->fallible)
			return refused(MM_INVALID_ARGS);
		return (struct io_expected){ OK, least(io_size(reader), io_size(writer)),
					     .is_known = true };
	case OPERATION_READ_FALLIBLE:
		return copy(transfer);
	case OPERATION_READER_READ_VAL:
		return io_size(reader) < length ? refused(MM_INVALID_ARGS)
						: reach(transfer, reader, PAGE_READ, length);
	case OPERATION_READER_COLLECT:
		return io_size(reader) > length
			       ? refused(MM_OUT_OF_BOUND)
			       : reach(transfer, reader, PAGE_READ, io_size(reader));
	case OPERATION_WRITER_WRITE_VAL:
		return io_size(writer) < length ? refused(MM_INVALID_ARGS)
						: reach(transfer, writer, PAGE_WRITE, length);
	case OPERATION_READER_READ_ONCE:
		return reader->fallible ? refused(MM_INVALID_ARGS)
					: value(transfer, reader, PAGE_READ);
	case OPERATION_WRITER_WRITE_ONCE:
		return writer->fallible ? refused(MM_INVALID_ARGS)
					: value(transfer, writer, PAGE_WRITE);
	case OPERATION_READER_ATOMIC_LOAD:
		return value(transfer, reader, PAGE_READ);
	case OPERATION_WRITER_COMPARE_EXCHANGE:
		return compare_exchange(transfer);
	case OPERATION_WRITER_FILL:
		if (!is_value_size(length) || io_size(writer) % length != 0)
			return refused(MM_INVALID_ARGS);
		if (writer->cursor % length != 0)
			return refused(MM_NOT_ALIGNED);
		return reach(transfer, writer, PAGE_WRITE, io_size(writer));
	case OPERATION_WRITER_FILL_ZEROS:
		return reach(transfer, writer, PAGE_WRITE, least(length, io_size(writer)));
	case OPERATION_IO_SPACE: /* these move nothing */
	case OPERATION_IO_HYPERVISOR:
	case OPERATION_IO_GUEST:
	case OPERATION_IO_WINDOW:
	case OPERATION_READER_LIMIT:
	case OPERATION_READER_REMAIN:
	case OPERATION_WRITER_LIMIT:
	case OPERATION_WRITER_AVAIL:
		return (struct io_expected){ .statuses = OK, .is_known = true };
	}
	return not_known;
}

static bool is_own(const struct vm_io_range *range)
{
	return range == NULL || range->kind == VM_IO_HYPERVISOR;
}

struct io_expected io_expect(struct store *store, const struct op *op)
{
	const uint64_t arguments = op_information(op->kind)->arguments;
	struct transfer transfer = {
		.store = store,
		.op = op,
		.reader = store_io(store, op->reader),
		.writer = store_io(store, op->writer),
	};
	struct vm_io_range own = { .kind = VM_IO_HYPERVISOR };
	struct io_expected expected;

	if (((arguments & ARG_READER) && transfer.reader == NULL) ||
	    ((arguments & ARG_WRITER) && transfer.writer == NULL))
		return not_known;
	expected = expect(&transfer);
	if (!expected.is_known)
		return not_known;
	/* From here on the caller's own buffer is the other side. */
	own.cursor = (uintptr_t)op->metadata;
	if (transfer.reader == NULL && op->metadata != NULL)
		transfer.reader = &own;
	else if (transfer.writer == NULL && op->metadata != NULL)
		transfer.writer = &own;
	if (io_changes_tables(store, &transfer.tables, transfer.writer, expected.moved))
		return not_known;
	expected.compares =
		(store_alone(store) || (is_own(transfer.reader) && is_own(transfer.writer))) &&
		(op->kind == OPERATION_WRITER_COMPARE_EXCHANGE ||
		 !io_meet(store, &transfer.tables, transfer.writer, transfer.reader,
			  expected.moved));
	return expected;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Readers and writers: which ranges there can be. What a transfer says is in io_expect.h. */
#include "io_expect.h"
#include "one_step.h"

#define OK STATUS_SET(MM_OK)

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
static enum mm_status inside_window(const struct live_space *space, const struct op *op)
{
	const bool active = space->active_cpus >> op->cpu & 1;
	const uint64_t start = op->address.value;
	const enum mm_status status = inside(start, op->length, walk_table_range(&space->table));

	if (wraps(start, op->length))
		return MM_OVERFLOW;
	return active && status == MM_OK ? MM_OK : MM_ACCESS_DENIED;
}

static enum mm_status range_of_space(const struct live_space *space, const struct op *op)
{
	if (op->kind == OPERATION_IO_GUEST && wraps(op->address.value, op->length))
		return MM_OVERFLOW;
	if (op->kind == OPERATION_IO_SPACE && space->state.part == SPACE_IN_WINDOW)
		return inside_window(space, op);
	if (space->state.stage != STAGE_2)
		return MM_INVALID_ARGS;
	return op->kind == OPERATION_IO_SPACE
		       ? inside(op->address.value, op->length, walk_table_range(&space->table))
		       : MM_OK;
}

status_set io_statuses(struct store *store, const struct op *op)
{
	const uint64_t pointer = (uintptr_t)op->pointer;
	const struct live_space *space;

	switch ((enum io_operation)op->kind) {
	case OPERATION_IO_HYPERVISOR:
		if (wraps(pointer, op->length))
			return STATUS_SET(MM_OVERFLOW);
		return pointer == 0 && op->length != 0 ? STATUS_SET(MM_INVALID_ARGS) : OK;
	case OPERATION_IO_WINDOW:
		return STATUS_SET(inside(op->address.value, op->length, op->range));
	case OPERATION_IO_SPACE:
	case OPERATION_IO_GUEST:
		space = store_space(store, op->space);
		return space == NULL ? STATUS_ANY : STATUS_SET(range_of_space(space, op));
	case OPERATION_READER_REMAIN:
	case OPERATION_WRITER_AVAIL:
		return OK;
	case OPERATION_READER_LIMIT:
	case OPERATION_READER_SKIP:
	case OPERATION_WRITER_LIMIT:
	case OPERATION_WRITER_SKIP:
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
		return io_expect(store, op).statuses;
	}
	return STATUS_NONE;
}

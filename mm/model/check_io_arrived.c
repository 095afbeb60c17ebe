/* SPDX-License-Identifier: BSD-3-Clause */
/* Which bytes a transfer left where, and which values it returned. */
#include "check_io.h"
#include "io_bytes.h"

#include <inttypes.h>

static bool is_there(const struct check_io *check, uint64_t moved, uint64_t *wrong)
{
	const struct mm_operation *operation = check->operation;
	const struct vm_io_range *reader = &operation->reader.before;
	const struct vm_io_range *writer = &operation->writer.before;
	const bool done = operation->status == MM_OK;
	const struct vm_io_range own = { .cursor = (uintptr_t)operation->metadata,
					 .kind = VM_IO_HYPERVISOR };

	switch ((enum io_operation)operation->kind) {
	case OPERATION_READ:
	case OPERATION_READ_FALLIBLE:
		return io_copied(check->store, writer, reader, moved, wrong);
	case OPERATION_READER_READ_VAL:
	case OPERATION_READER_COLLECT:
		return !done || io_copied(check->store, &own, reader, moved, wrong);
	case OPERATION_WRITER_WRITE_VAL:
		return io_copied(check->store, writer, &own, moved, wrong);
	case OPERATION_WRITER_WRITE_ONCE:
	case OPERATION_WRITER_FILL:
		return io_filled(check->store, writer, (unsigned int)operation->length,
				 operation->value, moved, wrong);
	case OPERATION_WRITER_FILL_ZEROS:
		return io_filled(check->store, writer, 1, 0, moved, wrong);
	case OPERATION_READER_READ_ONCE: /* one value: check_value */
	case OPERATION_READER_ATOMIC_LOAD:
	case OPERATION_WRITER_COMPARE_EXCHANGE:
	case OPERATION_IO_SPACE: /* these move no bytes */
	case OPERATION_IO_HYPERVISOR:
	case OPERATION_IO_GUEST:
	case OPERATION_IO_WINDOW:
	case OPERATION_READER_LIMIT:
	case OPERATION_READER_SKIP:
	case OPERATION_READER_REMAIN:
	case OPERATION_WRITER_LIMIT:
	case OPERATION_WRITER_SKIP:
	case OPERATION_WRITER_AVAIL:
		break;
	}
	return true;
}

/* What was loaded, and what an exchange left: one of two values, by what was there before. */
static void check_value(const struct check_io *check, uint64_t there)
{
	const struct mm_operation *operation = check->operation;
	const bool exchanges = operation->kind == OPERATION_WRITER_COMPARE_EXCHANGE;
	const bool is_due = exchanges && there == operation->value;
	const struct vm_io_range *range =
		exchanges ? &operation->writer.before : &operation->reader.before;
	const struct iaddr at = iaddr(range->cursor);
	const bool stored = is_due && operation->status == MM_OK;
	uint64_t wrong;

	if (operation->status == MM_OK && operation->result != there)
		difference(check->subject, at,
			   "says 0x%" PRIx64 " was there, model says 0x%" PRIx64, operation->result,
			   there);
	if (exchanges && operation->status == MM_OK && operation->answer != is_due)
		difference(check->subject, at, "says %s, model says %s",
			   operation->answer ? "exchanged" : "not exchanged",
			   is_due ? "exchanged" : "not exchanged");
	if (exchanges && !io_filled(check->store, range, (unsigned int)operation->length,
				    stored ? operation->desired : there, operation->length, &wrong))
		difference(check->subject, at,
			   "byte %" PRIu64 " is not the one that should be there", wrong);
}

void check_io_arrived(const struct check_io *check, const struct io_expected *expected)
{
	const struct vm_io_range *to = &check->operation->writer.before;
	uint64_t wrong = 0;

	if (expected->has_value)
		check_value(check, expected->value);
	if (!is_there(check, expected->moved, &wrong))
		difference(check->subject, iaddr(to->cursor + wrong),
			   "byte %" PRIu64 " is not the one that should have arrived", wrong);
}

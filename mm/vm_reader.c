/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/vm_reader.h>
#include <strata/vm_writer.h>
#include "report.h"
#include "vm_io_private.h"

struct vm_reader vm_reader_of(struct vm_io_range range)
{
	return (struct vm_reader){ range };
}

enum mm_status vm_reader_from_hypervisor(const void *start, uint64_t length, struct vm_reader *out)
{
	return vm_io_hypervisor((void *)(uintptr_t)start, length, &out->range);
}

enum mm_status vm_reader_from_space(struct vm_space *space, struct iaddr start, uint64_t length,
				    struct vm_reader *out)
{
	return vm_io_space(space, start, length, &out->range);
}

enum mm_status vm_reader_from_guest(const struct vm_guest *guest, uint64_t start, uint64_t length,
				    struct vm_reader *out)
{
	return vm_io_guest(guest, start, length, &out->range);
}

enum mm_status vm_reader_from_window(struct irange window, struct iaddr start, uint64_t length,
				     struct vm_reader *out)
{
	return vm_io_window(window, start, length, &out->range);
}

struct vm_reader vm_reader_to_fallible(const struct vm_reader *reader)
{
	struct vm_reader fallible = *reader;

	fallible.range.fallible = true;
	return fallible;
}

bool vm_reader_is_fallible(const struct vm_reader *reader)
{
	return reader->range.fallible;
}

uint64_t vm_reader_cursor(const struct vm_reader *reader)
{
	return reader->range.cursor;
}

uint64_t vm_reader_remain(const struct vm_reader *reader)
{
	uint64_t remain = vm_io_size(&reader->range);

	REPORT(.kind = OPERATION_READER_REMAIN, .result = remain,
	       .reader = REPORTED_IO(reader, reader->range));
	return remain;
}

bool vm_reader_has_remain(const struct vm_reader *reader)
{
	return vm_io_size(&reader->range) != 0;
}

void vm_reader_limit(struct vm_reader *reader, uint64_t length)
{
	IO_BEFORE(before, reader->range);

	if (length < vm_io_size(&reader->range))
		reader->range.end = reader->range.cursor + length;
	REPORT(.kind = OPERATION_READER_LIMIT, .length = length,
	       .reader = REPORTED_IO(reader, before));
}

enum mm_status vm_reader_skip(struct vm_reader *reader, uint64_t length)
{
	IO_BEFORE(before, reader->range);
	enum mm_status status = length > vm_io_size(&reader->range) ? MM_OUT_OF_BOUND : MM_OK;

	if (status == MM_OK)
		reader->range.cursor += length;
	REPORT(.kind = OPERATION_READER_SKIP, .status = status, .length = length,
	       .reader = REPORTED_IO(reader, before));
	return status;
}

static uint64_t transferable(const struct vm_reader *reader, const struct vm_writer *writer)
{
	uint64_t remain = vm_io_size(&reader->range);
	uint64_t avail = vm_io_size(&writer->range);

	return remain < avail ? remain : avail;
}

enum mm_status vm_reader_read(struct vm_reader *reader, struct vm_writer *writer, uint64_t *copied)
{
	IO_BEFORE(reader_before, reader->range);
	IO_BEFORE(writer_before, writer->range);
	uint64_t size = transferable(reader, writer);
	bool infallible = !reader->range.fallible && !writer->range.fallible;

	REPORT_BEGIN(.kind = OPERATION_READ, .reader = REPORTED_IO(reader, reader_before),
		     .writer = REPORTED_IO(writer, writer_before));
	if (infallible)
		vm_io_copy_infallible(&writer->range, &reader->range, size);
	if (infallible && copied != NULL)
		*copied = size;
	REPORT(.kind = OPERATION_READ, .status = infallible ? MM_OK : MM_INVALID_ARGS,
	       .result = infallible ? size : 0, .reader = REPORTED_IO(reader, reader_before),
	       .writer = REPORTED_IO(writer, writer_before));
	return infallible ? MM_OK : MM_INVALID_ARGS;
}

enum mm_status vm_reader_read_fallible(struct vm_reader *reader, struct vm_writer *writer,
				       uint64_t *copied)
{
	IO_BEFORE(reader_before, reader->range);
	IO_BEFORE(writer_before, writer->range);
	enum mm_status status;
	uint64_t done;

	REPORT_BEGIN(.kind = OPERATION_READ_FALLIBLE, .reader = REPORTED_IO(reader, reader_before),
		     .writer = REPORTED_IO(writer, writer_before));
	status = vm_io_copy(&writer->range, &reader->range, transferable(reader, writer), &done);
	if (copied != NULL)
		*copied = done;
	REPORT(.kind = OPERATION_READ_FALLIBLE, .status = status, .result = done,
	       .reader = REPORTED_IO(reader, reader_before),
	       .writer = REPORTED_IO(writer, writer_before));
	return status;
}

static enum mm_status read_val(struct vm_reader *reader, void *value, uint64_t size)
{
	struct vm_io_range to = vm_io_own(value, size);
	uint64_t start = reader->range.cursor;
	enum mm_status status;
	uint64_t done;

	if (vm_io_size(&reader->range) < size)
		return MM_INVALID_ARGS;
	status = vm_io_copy(&to, &reader->range, size, &done);
	if (status != MM_OK)
		reader->range.cursor = start;
	return status;
}

enum mm_status vm_reader_read_val(struct vm_reader *reader, void *value, size_t size)
{
	IO_BEFORE(before, reader->range);
	enum mm_status status;

	REPORT_BEGIN(.kind = OPERATION_READER_READ_VAL, .length = size, .metadata = value,
		     .reader = REPORTED_IO(reader, before));
	status = read_val(reader, value, size);
	REPORT(.kind = OPERATION_READER_READ_VAL, .status = status, .length = size,
	       .metadata = value, .reader = REPORTED_IO(reader, before));
	return status;
}

enum mm_status vm_reader_collect(struct vm_reader *reader, void *buffer, uint64_t size,
				 uint64_t *length)
{
	IO_BEFORE(before, reader->range);
	uint64_t remain = vm_io_size(&reader->range);
	enum mm_status status = MM_OUT_OF_BOUND;

	REPORT_BEGIN(.kind = OPERATION_READER_COLLECT, .length = size, .metadata = buffer,
		     .reader = REPORTED_IO(reader, before));
	if (remain <= size)
		status = read_val(reader, buffer, remain);
	if (status == MM_OK)
		*length = remain;
	REPORT(.kind = OPERATION_READER_COLLECT, .status = status, .length = size,
	       .metadata = buffer, .result = status == MM_OK ? remain : 0,
	       .reader = REPORTED_IO(reader, before));
	return status;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/vm_reader.h>
#include <strata/vm_writer.h>
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
	return vm_io_size(&reader->range);
}

bool vm_reader_has_remain(const struct vm_reader *reader)
{
	return vm_reader_remain(reader) != 0;
}

void vm_reader_limit(struct vm_reader *reader, uint64_t length)
{
	if (length < vm_reader_remain(reader))
		reader->range.end = reader->range.cursor + length;
}

enum mm_status vm_reader_skip(struct vm_reader *reader, uint64_t length)
{
	if (length > vm_reader_remain(reader))
		return MM_OUT_OF_BOUND;
	reader->range.cursor += length;
	return MM_OK;
}

static uint64_t transferable(const struct vm_reader *reader, const struct vm_writer *writer)
{
	uint64_t remain = vm_reader_remain(reader);
	uint64_t avail = vm_writer_avail(writer);

	return remain < avail ? remain : avail;
}

enum mm_status vm_reader_read(struct vm_reader *reader, struct vm_writer *writer, uint64_t *copied)
{
	uint64_t size = transferable(reader, writer);

	if (reader->range.fallible || writer->range.fallible)
		return MM_INVALID_ARGS;
	vm_io_copy_infallible(&writer->range, &reader->range, size);
	if (copied != NULL)
		*copied = size;
	return MM_OK;
}

enum mm_status vm_reader_read_fallible(struct vm_reader *reader, struct vm_writer *writer,
				       uint64_t *copied)
{
	uint64_t done;
	enum mm_status status =
		vm_io_copy(&writer->range, &reader->range, transferable(reader, writer), &done);

	if (copied != NULL)
		*copied = done;
	return status;
}

enum mm_status vm_reader_read_val(struct vm_reader *reader, void *value, size_t size)
{
	struct vm_io_range to = vm_io_own(value, size);
	uint64_t start = reader->range.cursor;
	enum mm_status status;
	uint64_t done;

	if (vm_reader_remain(reader) < size)
		return MM_INVALID_ARGS;
	status = vm_io_copy(&to, &reader->range, size, &done);
	if (status != MM_OK)
		reader->range.cursor = start;
	return status;
}

enum mm_status vm_reader_collect(struct vm_reader *reader, void *buffer, uint64_t size,
				 uint64_t *length)
{
	uint64_t remain = vm_reader_remain(reader);
	enum mm_status status = MM_OUT_OF_BOUND;

	if (remain <= size)
		status = vm_reader_read_val(reader, buffer, remain);
	if (status == MM_OK)
		*length = remain;
	return status;
}

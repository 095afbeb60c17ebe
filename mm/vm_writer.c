/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/vm_reader.h>
#include <strata/vm_writer.h>
#include "report.h"
#include "vm_io_private.h"

struct vm_writer vm_writer_of(struct vm_io_range range)
{
	return (struct vm_writer){ range };
}

enum mm_status vm_writer_from_hypervisor(void *start, uint64_t length, struct vm_writer *out)
{
	return vm_io_hypervisor(start, length, &out->range);
}

enum mm_status vm_writer_from_space(struct vm_space *space, struct iaddr start, uint64_t length,
				    struct vm_writer *out)
{
	return vm_io_space(space, start, length, &out->range);
}

enum mm_status vm_writer_from_guest(const struct vm_guest *guest, uint64_t start, uint64_t length,
				    struct vm_writer *out)
{
	return vm_io_guest(guest, start, length, &out->range);
}

enum mm_status vm_writer_from_window(struct irange window, struct iaddr start, uint64_t length,
				     struct vm_writer *out)
{
	return vm_io_window(window, start, length, &out->range);
}

struct vm_writer vm_writer_to_fallible(const struct vm_writer *writer)
{
	struct vm_writer fallible = *writer;

	fallible.range.fallible = true;
	return fallible;
}

bool vm_writer_is_fallible(const struct vm_writer *writer)
{
	return writer->range.fallible;
}

uint64_t vm_writer_cursor(const struct vm_writer *writer)
{
	return writer->range.cursor;
}

uint64_t vm_writer_avail(const struct vm_writer *writer)
{
	uint64_t avail = vm_io_size(&writer->range);

	REPORT(.kind = OPERATION_WRITER_AVAIL, .result = avail,
	       .writer = REPORTED_IO(writer, writer->range));
	return avail;
}

bool vm_writer_has_avail(const struct vm_writer *writer)
{
	return vm_io_size(&writer->range) != 0;
}

void vm_writer_limit(struct vm_writer *writer, uint64_t length)
{
	IO_BEFORE(before, writer->range);

	if (length < vm_io_size(&writer->range))
		writer->range.end = writer->range.cursor + length;
	REPORT(.kind = OPERATION_WRITER_LIMIT, .length = length,
	       .writer = REPORTED_IO(writer, before));
}

enum mm_status vm_writer_skip(struct vm_writer *writer, uint64_t length)
{
	IO_BEFORE(before, writer->range);
	enum mm_status status = length > vm_io_size(&writer->range) ? MM_OUT_OF_BOUND : MM_OK;

	if (status == MM_OK)
		writer->range.cursor += length;
	REPORT(.kind = OPERATION_WRITER_SKIP, .status = status, .length = length,
	       .writer = REPORTED_IO(writer, before));
	return status;
}

enum mm_status vm_writer_write(struct vm_writer *writer, struct vm_reader *reader, uint64_t *copied)
{
	return vm_reader_read(reader, writer, copied);
}

enum mm_status vm_writer_write_fallible(struct vm_writer *writer, struct vm_reader *reader,
					uint64_t *copied)
{
	return vm_reader_read_fallible(reader, writer, copied);
}

static enum mm_status write_val(struct vm_writer *writer, const void *value, size_t size)
{
	struct vm_io_range from = vm_io_own(value, size);
	uint64_t start = writer->range.cursor;
	enum mm_status status;
	uint64_t done;

	if (vm_io_size(&writer->range) < size)
		return MM_INVALID_ARGS;
	status = vm_io_copy(&writer->range, &from, size, &done);
	if (status != MM_OK)
		writer->range.cursor = start;
	return status;
}

enum mm_status vm_writer_write_val(struct vm_writer *writer, const void *value, size_t size)
{
	IO_BEFORE(before, writer->range);
	enum mm_status status;

	REPORT_BEGIN(.kind = OPERATION_WRITER_WRITE_VAL, .length = size, .metadata = value,
		     .writer = REPORTED_IO(writer, before));
	status = write_val(writer, value, size);
	REPORT(.kind = OPERATION_WRITER_WRITE_VAL, .status = status, .length = size,
	       .metadata = value, .writer = REPORTED_IO(writer, before));
	return status;
}

/* Elements are copied from a stretch of equal ones: a whole number of any size. */
#define FILL_STRETCH 256

static enum mm_status fill(struct vm_writer *writer, unsigned int size, uint64_t value,
			   uint64_t *count)
{
	enum mm_status status = MM_OK;
	const uint64_t room = vm_io_size(&writer->range);
	const uint64_t start = writer->range.cursor;
	_Alignas(16) uint8_t stretch[FILL_STRETCH];
	uint64_t filled = 0;

	if ((size != 1 && size != 2 && size != 4 && size != 8) || room % size != 0)
		return MM_INVALID_ARGS;
	if (start % size != 0)
		return MM_NOT_ALIGNED;

	for (unsigned int at = 0; at < FILL_STRETCH; at += size)
		vm_io_store_once(&stretch[at], size, value);
	while (status == MM_OK && filled < room) {
		uint64_t part = room - filled < FILL_STRETCH ? room - filled : FILL_STRETCH;
		struct vm_io_range from = vm_io_own(stretch, part);
		uint64_t done;

		status = vm_io_copy(&writer->range, &from, part, &done);
		filled += done;
	}
	writer->range.cursor = start + (filled - filled % size);
	*count = filled / size;
	return status;
}

enum mm_status vm_writer_fill(struct vm_writer *writer, unsigned int size, uint64_t value,
			      uint64_t *count)
{
	IO_BEFORE(before, writer->range);
	uint64_t filled = 0;
	enum mm_status status;

	REPORT_BEGIN(.kind = OPERATION_WRITER_FILL, .length = size, .value = value,
		     .writer = REPORTED_IO(writer, before));
	status = fill(writer, size, value, &filled);
	if (count != NULL && status != MM_INVALID_ARGS && status != MM_NOT_ALIGNED)
		*count = filled;
	REPORT(.kind = OPERATION_WRITER_FILL, .status = status, .length = size, .value = value,
	       .result = filled, .writer = REPORTED_IO(writer, before));
	return status;
}

enum mm_status vm_writer_fill_zeros(struct vm_writer *writer, uint64_t length, uint64_t *zeroed)
{
	IO_BEFORE(before, writer->range);
	uint64_t avail = vm_io_size(&writer->range);
	enum mm_status status;
	uint64_t done;

	REPORT_BEGIN(.kind = OPERATION_WRITER_FILL_ZEROS, .length = length,
		     .writer = REPORTED_IO(writer, before));
	status = vm_io_zero(&writer->range, length < avail ? length : avail, &done);
	if (zeroed != NULL)
		*zeroed = done;
	REPORT(.kind = OPERATION_WRITER_FILL_ZEROS, .status = status, .length = length,
	       .result = done, .writer = REPORTED_IO(writer, before));
	return status;
}

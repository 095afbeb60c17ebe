/* SPDX-License-Identifier: BSD-3-Clause */
#include <strata/vm_object.h>
#include "vm_io_private.h"

struct vm_object vm_object_of(struct vm_io_range range)
{
	return (struct vm_object){ range };
}

struct vm_object vm_object_of_segment(const struct segment *segment)
{
	return (struct vm_object){ vm_io_own(linear(segment->start), segment_size(segment)) };
}

uint64_t vm_object_size(const struct vm_object *object)
{
	return vm_io_size(&object->range);
}

/* The @length bytes at @offset. */
static enum mm_status part_of(const struct vm_object *object, uint64_t offset, uint64_t length,
			      struct vm_io_range *out)
{
	uint64_t size = vm_object_size(object);

	if (length > UINT64_MAX - offset)
		return MM_OVERFLOW;
	if (offset > size || length > size - offset)
		return MM_INVALID_ARGS;
	*out = object->range;
	out->cursor += offset;
	out->end = out->cursor + length;
	return MM_OK;
}

enum mm_status vm_object_reader(const struct vm_object *object, uint64_t offset, uint64_t length,
				struct vm_reader *out)
{
	return part_of(object, offset, length, &out->range);
}

enum mm_status vm_object_writer(const struct vm_object *object, uint64_t offset, uint64_t length,
				struct vm_writer *out)
{
	return part_of(object, offset, length, &out->range);
}

enum mm_status vm_object_read(const struct vm_object *object, uint64_t offset,
			      struct vm_writer *writer)
{
	uint64_t length = vm_io_size(&writer->range);
	uint64_t start = vm_writer_cursor(writer);
	struct vm_io_range from;
	enum mm_status status = part_of(object, offset, length, &from);
	uint64_t done;

	if (status != MM_OK)
		return status;
	status = vm_io_copy(&writer->range, &from, length, &done);
	if (status != MM_OK)
		writer->range.cursor = start;
	return status;
}

enum mm_status vm_object_write(const struct vm_object *object, uint64_t offset,
			       struct vm_reader *reader)
{
	uint64_t length = vm_io_size(&reader->range);
	uint64_t start = vm_reader_cursor(reader);
	struct vm_io_range to;
	enum mm_status status = part_of(object, offset, length, &to);
	uint64_t done;

	if (status != MM_OK)
		return status;
	status = vm_io_copy(&to, &reader->range, length, &done);
	if (status != MM_OK)
		reader->range.cursor = start;
	return status;
}

enum mm_status vm_object_read_bytes(const struct vm_object *object, uint64_t offset, void *bytes,
				    uint64_t size)
{
	struct vm_writer writer = { vm_io_own(bytes, size) };

	return vm_object_read(object, offset, &writer);
}

enum mm_status vm_object_write_bytes(const struct vm_object *object, uint64_t offset,
				     const void *bytes, uint64_t size)
{
	struct vm_reader reader = { vm_io_own(bytes, size) };

	return vm_object_write(object, offset, &reader);
}

enum mm_status vm_object_fill_zeros(const struct vm_object *object, uint64_t offset,
				    uint64_t length)
{
	struct vm_io_range to;
	enum mm_status status = part_of(object, offset, length, &to);
	uint64_t done;

	return status == MM_OK ? vm_io_zero(&to, length, &done) : status;
}

enum mm_status vm_object_read_once(const struct vm_object *object, uint64_t offset,
				   unsigned int size, uint64_t *value)
{
	struct vm_reader reader;
	enum mm_status status = vm_object_reader(object, offset, size, &reader);

	return status == MM_OK ? vm_reader_read_once(&reader, size, value) : status;
}

enum mm_status vm_object_write_once(const struct vm_object *object, uint64_t offset,
				    unsigned int size, uint64_t value)
{
	struct vm_writer writer;
	enum mm_status status = vm_object_writer(object, offset, size, &writer);

	return status == MM_OK ? vm_writer_write_once(&writer, size, value) : status;
}

/* @value rounded up to a power of two. MM_OVERFLOW: that does not fit. */
static enum mm_status round_up(uint64_t value, uint64_t alignment, uint64_t *out)
{
	if (value > UINT64_MAX - (alignment - 1))
		return MM_OVERFLOW;
	*out = (value + alignment - 1) & ~(alignment - 1);
	return MM_OK;
}

enum mm_status vm_object_write_vals(const struct vm_object *object, uint64_t offset,
				    const void *values, uint64_t count, uint64_t size,
				    uint64_t alignment, uint64_t *written)
{
	const uint8_t *value = values;
	enum mm_status status = MM_OK;
	uint64_t step = size;
	uint64_t done = 0;

	if ((alignment & (alignment - 1)) != 0)
		return MM_INVALID_ARGS;
	if (alignment > 1)
		status = round_up(offset, alignment, &offset);
	if (status == MM_OK && alignment > 1)
		status = round_up(size, alignment, &step);
	if (status != MM_OK)
		return status;

	while (size > 0 && done < count) {
		status = vm_object_write_bytes(object, offset, value, size);
		if (status != MM_OK)
			break;
		done++;
		/* The next one cannot be inside; what follows the last one need not be. */
		if (step > UINT64_MAX - offset)
			break;
		offset += step;
		value += size;
	}
	if (done == 0 && status != MM_OK)
		return status;
	*written = done;
	return MM_OK;
}

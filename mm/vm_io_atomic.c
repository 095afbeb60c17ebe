/* SPDX-License-Identifier: BSD-3-Clause */
/* Values that are accessed once, whole. */
#include <stdatomic.h>
#include <strata/vm_reader.h>
#include <strata/vm_writer.h>
#include "vm_io_private.h"

enum mm_status vm_io_check_atomic(const struct vm_io_range *range, unsigned int size)
{
	if ((size != 1 && size != 2 && size != 4 && size != 8) || vm_io_size(range) < size)
		return MM_INVALID_ARGS;
	return (range->cursor & (size - 1)) == 0 ? MM_OK : MM_NOT_ALIGNED;
}

uint64_t vm_io_load_once(const void *from, unsigned int size)
{
	switch (size) {
	case 1:
		return atomic_load_explicit((const _Atomic uint8_t *)from, memory_order_relaxed);
	case 2:
		return atomic_load_explicit((const _Atomic uint16_t *)from, memory_order_relaxed);
	case 4:
		return atomic_load_explicit((const _Atomic uint32_t *)from, memory_order_relaxed);
	default:
		return atomic_load_explicit((const _Atomic uint64_t *)from, memory_order_relaxed);
	}
}

void vm_io_store_once(void *to, unsigned int size, uint64_t value)
{
	switch (size) {
	case 1:
		atomic_store_explicit((_Atomic uint8_t *)to, (uint8_t)value, memory_order_relaxed);
		break;
	case 2:
		atomic_store_explicit((_Atomic uint16_t *)to, (uint16_t)value,
				      memory_order_relaxed);
		break;
	case 4:
		atomic_store_explicit((_Atomic uint32_t *)to, (uint32_t)value,
				      memory_order_relaxed);
		break;
	default:
		atomic_store_explicit((_Atomic uint64_t *)to, value, memory_order_relaxed);
		break;
	}
}

enum mm_status vm_reader_read_once(struct vm_reader *reader, unsigned int size, uint64_t *value)
{
	struct vm_io_range *range = &reader->range;
	enum mm_status status = range->fallible ? MM_INVALID_ARGS : vm_io_check_atomic(range, size);
	IO_BEFORE(before, *range);
	uint64_t loaded = 0;

	REPORT_BEGIN(.kind = OPERATION_READER_READ_ONCE, .length = size,
		     .reader = REPORTED_IO(reader, before));
	if (status == MM_OK) {
		loaded = vm_io_load_once((const void *)(uintptr_t)range->cursor, size);
		range->cursor += size;
		*value = loaded;
	}
	REPORT(.kind = OPERATION_READER_READ_ONCE, .status = status, .length = size,
	       .result = loaded, .reader = REPORTED_IO(reader, before));
	return status;
}

enum mm_status vm_writer_write_once(struct vm_writer *writer, unsigned int size, uint64_t value)
{
	struct vm_io_range *range = &writer->range;
	enum mm_status status = range->fallible ? MM_INVALID_ARGS : vm_io_check_atomic(range, size);
	IO_BEFORE(before, *range);

	REPORT_BEGIN(.kind = OPERATION_WRITER_WRITE_ONCE, .length = size, .value = value,
		     .writer = REPORTED_IO(writer, before));
	if (status == MM_OK) {
		vm_io_store_once((void *)(uintptr_t)range->cursor, size, value);
		range->cursor += size;
	}
	REPORT(.kind = OPERATION_WRITER_WRITE_ONCE, .status = status, .length = size,
	       .value = value, .writer = REPORTED_IO(writer, before));
	return status;
}

static enum mm_status load(const struct vm_reader *reader, unsigned int size, uint64_t *value)
{
	enum mm_status status = vm_io_check_atomic(&reader->range, size);
	struct vm_io_run run;

	if (status == MM_OK)
		status = vm_io_acquire(&reader->range, PAGE_READ, VM_IO_HOLD_LOCK, &run);
	if (status != MM_OK)
		return status;
	if (!run.window)
		*value = vm_io_load_once((const void *)(uintptr_t)run.address, size);
	else if (!user_load(iaddr(run.address), size, value))
		status = MM_PAGE_FAULT;
	vm_io_release(&run);
	return status;
}

enum mm_status vm_reader_atomic_load(const struct vm_reader *reader, unsigned int size,
				     uint64_t *value)
{
	IO_BEFORE(before, reader->range);
	enum mm_status status;

	REPORT_BEGIN(.kind = OPERATION_READER_ATOMIC_LOAD, .length = size,
		     .reader = REPORTED_IO(reader, before));
	status = load(reader, size, value);
	REPORT(.kind = OPERATION_READER_ATOMIC_LOAD, .status = status, .length = size,
	       .result = status == MM_OK ? *value : 0, .reader = REPORTED_IO(reader, before));
	return status;
}

static bool is_same_place(const struct vm_io_range *a, const struct vm_io_range *b)
{
	if (a->kind != b->kind || a->cursor != b->cursor)
		return false;
	return a->kind == VM_IO_GUEST ? a->guest == b->guest : a->space == b->space;
}

static enum mm_status compare_exchange(const struct vm_writer *writer,
				       const struct vm_reader *reader, unsigned int size,
				       uint64_t expected, uint64_t desired, uint64_t *previous)
{
	enum mm_status status = vm_io_check_atomic(&writer->range, size);
	enum exchange_result result;
	struct vm_io_run run;
	uint64_t found = 0;

	if (status == MM_INVALID_ARGS || vm_io_size(&reader->range) < size ||
	    !is_same_place(&writer->range, &reader->range) ||
	    (size < 8 && ((expected | desired) >> (8 * size)) != 0))
		return MM_INVALID_ARGS;
	if (status == MM_OK)
		status = vm_io_acquire(&writer->range, PAGE_READ | PAGE_WRITE, VM_IO_HOLD_LOCK,
				       &run);
	if (status != MM_OK)
		return status;
	result = run.window ? user_compare_exchange(iaddr(run.address), size, expected, desired,
						    &found)
			    : memory_compare_exchange((void *)(uintptr_t)run.address, size,
						      expected, desired, &found);
	vm_io_release(&run);
	if (result != EXCHANGE_DONE)
		return result == EXCHANGE_FAULT ? MM_PAGE_FAULT : MM_BUSY;
	*previous = found;
	return MM_OK;
}

enum mm_status vm_writer_atomic_compare_exchange(const struct vm_writer *writer,
						 const struct vm_reader *reader, unsigned int size,
						 uint64_t expected, uint64_t desired,
						 uint64_t *previous, bool *exchanged)
{
	uint64_t found = 0;
	IO_BEFORE(reader_before, reader->range);
	IO_BEFORE(writer_before, writer->range);
	enum mm_status status;

	REPORT_BEGIN(.kind = OPERATION_WRITER_COMPARE_EXCHANGE, .length = size, .value = expected,
		     .desired = desired, .reader = REPORTED_IO(reader, reader_before),
		     .writer = REPORTED_IO(writer, writer_before));
	status = compare_exchange(writer, reader, size, expected, desired, &found);
	if (status == MM_OK) {
		*previous = found;
		*exchanged = found == expected;
	}
	REPORT(.kind = OPERATION_WRITER_COMPARE_EXCHANGE, .status = status, .length = size,
	       .value = expected, .desired = desired, .result = found,
	       .answer = status == MM_OK && found == expected,
	       .reader = REPORTED_IO(reader, reader_before),
	       .writer = REPORTED_IO(writer, writer_before));
	return status;
}

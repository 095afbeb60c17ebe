/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory addressed by offsets from its start.
 *
 * Promise: no short transfers. A function moves all that was asked for, or says why not; then
 * readers and writers that were passed in are where they were, and bytes before the one that faulted
 * may have been stored.
 *
 * Every function checks its range first, and changes nothing if it does not fit:
 *
 *	MM_OVERFLOW	  offset + length does not fit in 64 bits.
 *	MM_INVALID_ARGS	  the range ends beyond the object.
 *
 * and then may meet MM_PAGE_FAULT and the others of vm_io.h, but not in the hypervisor's memory.
 *
 * An object is immutable and holds nothing: any CPU may use it, and the memory, the space or the
 * guest must outlive it. Fields are private.
 */
#pragma once

#include <strata/segment.h>
#include <strata/vm_reader.h>
#include <strata/vm_writer.h>

struct vm_object {
	struct vm_io_range range;
};

/* @range from its cursor to its end. */
struct vm_object vm_object_of(struct vm_io_range range);
/* The bytes of @segment's pages, through the linear map. */
struct vm_object vm_object_of_segment(const struct segment *segment);

/* Bytes. */
uint64_t vm_object_size(const struct vm_object *object);

/* A reader or writer of @length bytes from @offset on. */
MM_MUST_CHECK enum mm_status vm_object_reader(const struct vm_object *object, uint64_t offset,
					      uint64_t length, struct vm_reader *out);
MM_MUST_CHECK enum mm_status vm_object_writer(const struct vm_object *object, uint64_t offset,
					      uint64_t length, struct vm_writer *out);

/* Fills all of @writer's room from @offset on; writes all that remains in @reader there. */
MM_MUST_CHECK enum mm_status vm_object_read(const struct vm_object *object, uint64_t offset,
					    struct vm_writer *writer);
MM_MUST_CHECK enum mm_status vm_object_write(const struct vm_object *object, uint64_t offset,
					     struct vm_reader *reader);

/* Values, structures and arrays: @size bytes at @bytes, which mean nothing after a read that failed
 * on a fault. */
MM_MUST_CHECK enum mm_status vm_object_read_bytes(const struct vm_object *object, uint64_t offset,
						  void *bytes, uint64_t size);
MM_MUST_CHECK enum mm_status vm_object_write_bytes(const struct vm_object *object, uint64_t offset,
						   const void *bytes, uint64_t size);

MM_MUST_CHECK enum mm_status vm_object_fill_zeros(const struct vm_object *object, uint64_t offset,
						  uint64_t length);

/* As vm_reader_read_once and vm_writer_write_once at @offset, with their statuses. */
MM_MUST_CHECK enum mm_status vm_object_read_once(const struct vm_object *object, uint64_t offset,
						 unsigned int size, uint64_t *value);
MM_MUST_CHECK enum mm_status vm_object_write_once(const struct vm_object *object, uint64_t offset,
						  unsigned int size, uint64_t value);

/*
 * Writes @count elements of @size bytes each, that lie one after another at @values, from @offset on.
 * With an @alignment above 1 the offset, and the distance from each element to the next, are rounded
 * up to it; what lies between is not written. @written says how many elements are, in order.
 *
 * If at least one is written the status is MM_OK, and @written may be less than @count; else it is
 * what the first element met. @count or @size 0: MM_OK, and nothing is written.
 *
 * MM_INVALID_ARGS: also if @alignment is neither 0 nor a power of two.
 * MM_OVERFLOW: also if rounding up does not fit.
 */
MM_MUST_CHECK enum mm_status vm_object_write_vals(const struct vm_object *object, uint64_t offset,
						  const void *values, uint64_t count, uint64_t size,
						  uint64_t alignment, uint64_t *written);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writers: a cursor and an end in memory to be written. vm_io.h says which memory, and what the
 * statuses of a transfer mean.
 *
 * A writer is infallible if its memory is the hypervisor's, unless vm_writer_to_fallible was asked.
 * It belongs to one CPU at a time. Fields are private.
 */
#pragma once

#include <strata/vm_io.h>

struct vm_reader;

struct vm_writer {
	struct vm_io_range range;
};

/* At the start of @range. */
struct vm_writer vm_writer_of(struct vm_io_range range);

/* Short for vm_io_hypervisor and so on, and their statuses. */
MM_MUST_CHECK enum mm_status vm_writer_from_hypervisor(void *start, uint64_t length,
						       struct vm_writer *out);
MM_MUST_CHECK enum mm_status vm_writer_from_space(struct vm_space *space, struct iaddr start,
						  uint64_t length, struct vm_writer *out);
MM_MUST_CHECK enum mm_status vm_writer_from_guest(const struct vm_guest *guest, uint64_t start,
						  uint64_t length, struct vm_writer *out);
MM_MUST_CHECK enum mm_status vm_writer_from_window(struct irange window, struct iaddr start,
						   uint64_t length, struct vm_writer *out);

/* The same cursor and end, for functions that may fault. */
struct vm_writer vm_writer_to_fallible(const struct vm_writer *writer);
bool vm_writer_is_fallible(const struct vm_writer *writer);

/* The address of the next byte; after a fault, of the byte that faulted. */
uint64_t vm_writer_cursor(const struct vm_writer *writer);
/* Bytes between the cursor and the end. */
uint64_t vm_writer_avail(const struct vm_writer *writer);
bool vm_writer_has_avail(const struct vm_writer *writer);

/* Moves the end so that there is room for at most @length bytes. Never makes more room. */
void vm_writer_limit(struct vm_writer *writer, uint64_t length);

/* Moves the cursor @length bytes on. MM_OUT_OF_BOUND: there is not so much room; it stays. */
MM_MUST_CHECK enum mm_status vm_writer_skip(struct vm_writer *writer, uint64_t length);

/* vm_reader_read and vm_reader_read_fallible with the roles exchanged. */
MM_MUST_CHECK enum mm_status vm_writer_write(struct vm_writer *writer, struct vm_reader *reader,
					     uint64_t *copied);
MM_MUST_CHECK enum mm_status vm_writer_write_fallible(struct vm_writer *writer,
						      struct vm_reader *reader, uint64_t *copied);

/*
 * Writes the @size bytes at @value and moves past them. On an error the cursor is where it was; bytes
 * before the one that faulted are written.
 *
 * MM_INVALID_ARGS: there is not so much room; nothing was written.
 * MM_PAGE_FAULT and the others: as vm_io.h says.
 */
MM_MUST_CHECK enum mm_status vm_writer_write_val(struct vm_writer *writer, const void *value,
						 size_t size);

/*
 * Writes the low @size (1, 2, 4 or 8) bytes of @value by one single-copy atomic store, and moves past
 * them. Infallible writers only.
 *
 * MM_INVALID_ARGS: another size, not so much room, or the writer is fallible.
 * MM_NOT_ALIGNED: the cursor is not aligned to @size.
 */
MM_MUST_CHECK enum mm_status vm_writer_write_once(struct vm_writer *writer, unsigned int size,
						  uint64_t value);

/*
 * Stores @desired at the cursor if @expected is there, as one atomic operation on @size (1, 2, 4 or
 * 8) bytes, and says what was there, zero-extended, and whether it was exchanged. Both cursors stay.
 * Any reader and writer of the same place. Where the memory is a window, and something else is
 * there, the right to store is not asked.
 *
 * MM_INVALID_ARGS: another size, less room or fewer bytes, the two are not at the same place of the
 *	same memory, or @expected or @desired do not fit in @size bytes.
 * MM_NOT_ALIGNED: the cursor is not aligned to @size.
 * MM_BUSY: also if others kept changing the memory; nothing was stored.
 * MM_PAGE_FAULT and the others: as vm_io.h says; nothing was stored.
 */
MM_MUST_CHECK enum mm_status vm_writer_atomic_compare_exchange(const struct vm_writer *writer,
							       const struct vm_reader *reader,
							       unsigned int size, uint64_t expected,
							       uint64_t desired, uint64_t *previous,
							       bool *exchanged);

/*
 * Writes elements of @size (1, 2, 4 or 8) bytes, each the low bytes of @value, up to the end. @count
 * (may be NULL) says how many were written; it is set on every status that is not about an argument.
 * On a fault the cursor is past the last whole element; bytes after it may be written.
 *
 * MM_INVALID_ARGS: another size, or the room is not a multiple of it; nothing was written.
 * MM_NOT_ALIGNED: the cursor is not aligned to @size; nothing was written.
 * MM_PAGE_FAULT and the others: as vm_io.h says.
 */
MM_MUST_CHECK enum mm_status vm_writer_fill(struct vm_writer *writer, unsigned int size,
					    uint64_t value, uint64_t *count);

/*
 * Zeroes @length bytes, or as many as there is room for, and moves past them. @zeroed (may be NULL)
 * says how many; it is set on every status, and the cursor is past them.
 *
 * MM_PAGE_FAULT and the others: as vm_io.h says. Never for an infallible writer.
 */
MM_MUST_CHECK enum mm_status vm_writer_fill_zeros(struct vm_writer *writer, uint64_t length,
						  uint64_t *zeroed);

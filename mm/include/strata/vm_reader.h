/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers: a cursor and an end in memory to be read. vm_io.h says which memory, and what the
 * statuses of a transfer mean.
 *
 * A reader is infallible if its memory is the hypervisor's, unless vm_reader_to_fallible was asked.
 * It belongs to one CPU at a time; a copy of it is another reader. Fields are private.
 */
#pragma once

#include <strata/vm_io.h>

struct vm_writer;

struct vm_reader {
	struct vm_io_range range;
};

/* At the start of @range. */
struct vm_reader vm_reader_of(struct vm_io_range range);

/* Short for vm_io_hypervisor and so on, and their statuses. */
MM_MUST_CHECK enum mm_status vm_reader_from_hypervisor(const void *start, uint64_t length,
						       struct vm_reader *out);
MM_MUST_CHECK enum mm_status vm_reader_from_space(struct vm_space *space, struct iaddr start,
						  uint64_t length, struct vm_reader *out);
MM_MUST_CHECK enum mm_status vm_reader_from_guest(const struct vm_guest *guest, uint64_t start,
						  uint64_t length, struct vm_reader *out);
MM_MUST_CHECK enum mm_status vm_reader_from_window(struct irange window, struct iaddr start,
						   uint64_t length, struct vm_reader *out);

/* The same cursor and end, for functions that may fault. */
struct vm_reader vm_reader_to_fallible(const struct vm_reader *reader);
bool vm_reader_is_fallible(const struct vm_reader *reader);

/* The address of the next byte; after a fault, of the byte that faulted. */
uint64_t vm_reader_cursor(const struct vm_reader *reader);
/* Bytes between the cursor and the end. */
uint64_t vm_reader_remain(const struct vm_reader *reader);
bool vm_reader_has_remain(const struct vm_reader *reader);

/* Moves the end so that at most @length bytes remain. Never lets more remain than did. */
void vm_reader_limit(struct vm_reader *reader, uint64_t length);

/* Moves the cursor @length bytes on. MM_OUT_OF_BOUND: fewer remain; it stays. */
MM_MUST_CHECK enum mm_status vm_reader_skip(struct vm_reader *reader, uint64_t length);

/*
 * Copies as much as remains and @writer has room for, and moves both. Returns nothing but how much:
 * @copied, which may be NULL.
 *
 * MM_INVALID_ARGS: one of the two is fallible; nothing was copied.
 */
MM_MUST_CHECK enum mm_status vm_reader_read(struct vm_reader *reader, struct vm_writer *writer,
					    uint64_t *copied);

/*
 * The same between any two. On an error both moved past the bytes that were copied, and @copied
 * (may be NULL) says how many; it is set on every status.
 *
 * MM_PAGE_FAULT, MM_ACCESS_DENIED, MM_BUSY, MM_SATURATED, MM_NOT_SUPPORTED: as vm_io.h says.
 */
MM_MUST_CHECK enum mm_status vm_reader_read_fallible(struct vm_reader *reader,
						     struct vm_writer *writer, uint64_t *copied);

/*
 * Reads the @size bytes of a value to @value and moves past them. On an error the cursor is where it
 * was, and the bytes at @value mean nothing.
 *
 * MM_INVALID_ARGS: fewer remain; nothing was read, and @value is untouched.
 * MM_PAGE_FAULT and the others: as vm_io.h says.
 */
MM_MUST_CHECK enum mm_status vm_reader_read_val(struct vm_reader *reader, void *value, size_t size);

/*
 * Reads @size (1, 2, 4 or 8) bytes by one single-copy atomic load, zero-extended, and moves past
 * them. Infallible readers only.
 *
 * MM_INVALID_ARGS: another size, fewer bytes remain, or the reader is fallible.
 * MM_NOT_ALIGNED: the cursor is not aligned to @size.
 */
MM_MUST_CHECK enum mm_status vm_reader_read_once(struct vm_reader *reader, unsigned int size,
						 uint64_t *value);

/*
 * Loads @size (1, 2, 4 or 8) bytes at the cursor by one single-copy atomic load, zero-extended. The
 * cursor stays. Any reader.
 *
 * MM_INVALID_ARGS: another size, or fewer bytes remain. MM_NOT_ALIGNED: the cursor is not aligned.
 * MM_PAGE_FAULT and the others: as vm_io.h says.
 */
MM_MUST_CHECK enum mm_status vm_reader_atomic_load(const struct vm_reader *reader,
						   unsigned int size, uint64_t *value);

/*
 * Copies all that remains to the hypervisor's memory at @buffer, and moves to the end: a private
 * copy, to be checked and used. @length says how much it is. On an error the cursor is where it was,
 * and the bytes at @buffer mean nothing.
 *
 * MM_OUT_OF_BOUND: more than @size bytes remain; nothing was read.
 * MM_PAGE_FAULT and the others: as vm_io.h says.
 */
MM_MUST_CHECK enum mm_status vm_reader_collect(struct vm_reader *reader, void *buffer,
					       uint64_t size, uint64_t *length);

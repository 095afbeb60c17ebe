/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of readers, writers and objects share: getting at memory, and moving bytes. */
#pragma once

#include <arch/user_copy.h>
#include <strata/page_property.h>
#include <strata/vm_guest.h>
#include <strata/vm_io.h>
#include "cursor_lock.h"

/* What keeps a page of a space in reach. */
enum vm_io_hold {
	VM_IO_HOLD_NONE,      /* nothing has to */
	VM_IO_HOLD_LOCK,      /* its node's lock: it cannot be unmapped */
	VM_IO_HOLD_REFERENCE, /* a reference: it can be unmapped, but not become free */
};

/* Bytes that can be accessed now, and what holds them. */
struct vm_io_run {
	uint64_t address; /* the hypervisor's pointer, or a window address */
	uint64_t length;  /* to the end of the page or of the range */
	bool window;
	enum vm_io_hold hold;
	struct irange locked;	  /* LOCK: the page */
	struct covering covering; /* LOCK */
	struct paddr page;	  /* REFERENCE */
};

static inline uint64_t vm_io_size(const struct vm_io_range *range)
{
	return range->end - range->cursor;
}

/* Makes the first bytes of a range that is not empty accessible for all of @access (enum page_flag);
 * a page of a space is held by @hold. The statuses are those of strata/vm_io.h. */
MM_MUST_CHECK enum mm_status vm_io_acquire(const struct vm_io_range *range, uint8_t access,
					   enum vm_io_hold hold, struct vm_io_run *out);
void vm_io_release(struct vm_io_run *run);

/* The same for a page of a space, from @ipa to the end of the page. */
MM_MUST_CHECK enum mm_status vm_io_acquire_page(struct vm_space *space, struct iaddr ipa,
						uint8_t access, enum vm_io_hold hold,
						struct vm_io_run *out);

/* Copies @size bytes, which both ranges have, and moves both cursors past what was copied; @done
 * says how much that is, on every status. */
MM_MUST_CHECK enum mm_status vm_io_copy(struct vm_io_range *to, struct vm_io_range *from,
					uint64_t size, uint64_t *done);

MM_MUST_CHECK enum mm_status vm_io_zero(struct vm_io_range *to, uint64_t size, uint64_t *done);

/* As vm_reader_read: the hypervisor's own memory. */
void vm_io_copy_infallible(struct vm_io_range *to, struct vm_io_range *from, uint64_t size);

/* A range of the hypervisor's memory that is known to be fine. */
struct vm_io_range vm_io_own(const void *start, uint64_t size);

/*
 * Whether the @size bytes at the cursor can be one atomic access.
 *
 * MM_INVALID_ARGS: @size is not 1, 2, 4 or 8, or the range has fewer bytes. MM_NOT_ALIGNED.
 */
MM_MUST_CHECK enum mm_status vm_io_check_atomic(const struct vm_io_range *range, unsigned int size);

/* One single-copy atomic access to the hypervisor's memory, relaxed. */
uint64_t vm_io_load_once(const void *from, unsigned int size);
void vm_io_store_once(void *to, unsigned int size, uint64_t value);

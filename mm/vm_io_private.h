/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of readers, writers and objects share: getting at memory, and moving bytes. */
#pragma once

#include <arch/user_copy.h>
#include <strata/page_property.h>
#include <strata/vm_guest.h>
#include <strata/vm_io.h>
#include "node.h"
#include "report.h"
#include "window_space.h"

/* What keeps a page of a space in reach. */
enum vm_io_hold {
	VM_IO_HOLD_NONE,      /* nothing has to */
	VM_IO_HOLD_LOCK,      /* its node's lock: it cannot be unmapped */
	VM_IO_HOLD_REFERENCE, /* a reference: it can be unmapped, but not become free */
};

/* Bytes that can be accessed now, and what holds them. */
struct vm_io_run {
	uint64_t address; /* the hypervisor's pointer, or a window address */
	uint64_t length;  /* to the end of the page, or, where nothing is held, of the range */
	bool window;
	enum vm_io_hold hold;
	struct slot *node; /* LOCK */
};

static inline uint64_t vm_io_size(const struct vm_io_range *range)
{
	return range->end - range->cursor;
}

/* A range that is known to be fine. */
static inline void vm_io_set(struct vm_io_range *out, uint64_t start, uint64_t length,
			     enum vm_io_kind kind)
{
	out->cursor = start;
	out->end = start + length;
	out->kind = (uint8_t)kind;
	out->fallible = kind != VM_IO_HYPERVISOR;
	out->space = NULL;
}

static inline struct vm_io_range vm_io_own(const void *start, uint64_t size)
{
	struct vm_io_range range;

	vm_io_set(&range, (uintptr_t)start, size, VM_IO_HYPERVISOR);
	return range;
}

/* Whether the range's addresses are translated by tables here, not by the MMU. */
static inline bool vm_io_is_translated(const struct vm_io_range *range)
{
	return range->kind >= VM_IO_SPACE;
}

/* The bytes of a page of a space from @ipa to the end of the page, and those that a guest's range
 * begins with; vm_io_acquire. */
MM_MUST_CHECK enum mm_status vm_io_acquire_page(struct vm_space *space, struct iaddr ipa,
						uint8_t access, enum vm_io_hold hold,
						struct vm_io_run *out);
MM_MUST_CHECK enum mm_status vm_io_acquire_guest(const struct vm_io_range *range, uint8_t access,
						 enum vm_io_hold hold, struct vm_io_run *out);

/* Makes the first bytes of a range that is not empty accessible for all of @access (enum page_flag);
 * a page of a space is held by @hold. The statuses are those of strata/vm_io.h. */
MM_MUST_CHECK static inline enum mm_status vm_io_acquire(const struct vm_io_range *range,
							 uint8_t access, enum vm_io_hold hold,
							 struct vm_io_run *out)
{
	if (!vm_io_is_translated(range)) {
		/* In another space's window the address is that space's. */
		if (range->kind == VM_IO_WINDOW_SPACE && window_space_active() != range->space)
			return MM_PAGE_FAULT;
		out->address = range->cursor;
		out->length = vm_io_size(range);
		out->window = range->kind != VM_IO_HYPERVISOR;
		out->hold = VM_IO_HOLD_NONE;
		return MM_OK;
	}
	return range->kind == VM_IO_SPACE
		       ? vm_io_acquire_page(range->space, iaddr(range->cursor), access, hold, out)
		       : vm_io_acquire_guest(range, access, hold, out);
}

/* The page that the run is part of, if it is held. */
static inline struct prange vm_io_page(const struct vm_io_run *run)
{
	uint64_t start = page_align_down(physical((const void *)(uintptr_t)run->address).value);

	return prange(paddr(start), paddr(start + PAGE_SIZE));
}

static inline void vm_io_release(struct vm_io_run *run)
{
	if (run->hold == VM_IO_HOLD_LOCK)
		node_unlock(run->node);
	else if (run->hold == VM_IO_HOLD_REFERENCE)
		slots_release(vm_io_page(run));
}

/* Copies @size bytes, which both ranges have, and moves both cursors past what was copied; @done
 * says how much that is, on every status. */
MM_MUST_CHECK enum mm_status vm_io_copy(struct vm_io_range *to, struct vm_io_range *from,
					uint64_t size, uint64_t *done);

MM_MUST_CHECK enum mm_status vm_io_zero(struct vm_io_range *to, uint64_t size, uint64_t *done);

/* As vm_reader_read: the hypervisor's own memory. */
void vm_io_copy_infallible(struct vm_io_range *to, struct vm_io_range *from, uint64_t size);

/*
 * Whether the @size bytes at the cursor can be one atomic access.
 *
 * MM_INVALID_ARGS: @size is not 1, 2, 4 or 8, or the range has fewer bytes. MM_NOT_ALIGNED.
 */
MM_MUST_CHECK enum mm_status vm_io_check_atomic(const struct vm_io_range *range, unsigned int size);

/* One single-copy atomic access to the hypervisor's memory, relaxed. */
uint64_t vm_io_load_once(const void *from, unsigned int size);
void vm_io_store_once(void *to, unsigned int size, uint64_t value);

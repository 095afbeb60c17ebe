/* SPDX-License-Identifier: BSD-3-Clause */
/* Moving bytes between ranges, a run that both sides have at a time. */
#include <arch/canary.h>
#include "panic.h"
#include "report.h"
#include "vm_io_private.h"

static void *pointer_of(const struct vm_io_run *run)
{
	return (void *)(uintptr_t)run->address;
}

static uint64_t copy_run(const struct vm_io_run *to, const struct vm_io_run *from, uint64_t size)
{
	if (to->window && from->window)
		return user_copy_across(iaddr(to->address), iaddr(from->address), size);
	if (to->window)
		return user_copy_out(iaddr(to->address), pointer_of(from), size);
	if (from->window)
		return user_copy_in(pointer_of(to), iaddr(from->address), size);
	return memory_copy(pointer_of(to), pointer_of(from), size);
}

static uint64_t least(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t least = a < b ? a : b;

	return least < c ? least : c;
}

/*
 * One node lock at most is held: two could be taken by two CPUs in opposite order. The destination
 * has it, so that what an unmap leaves behind is no longer stored to; the source gets by with a
 * reference.
 */
static enum mm_status copy_some(const struct vm_io_range *to, const struct vm_io_range *from,
				uint64_t size, uint64_t *copied)
{
	IN_FLIGHT();

	enum vm_io_hold from_hold =
		vm_io_is_translated(to) ? VM_IO_HOLD_REFERENCE : VM_IO_HOLD_LOCK;
	struct vm_io_run source, target;
	enum mm_status status = vm_io_acquire(from, PAGE_READ, from_hold, &source);

	if (status != MM_OK)
		return status;
	status = vm_io_acquire(to, PAGE_WRITE, VM_IO_HOLD_LOCK, &target);
	if (status == MM_OK) {
		uint64_t part = least(size, source.length, target.length);

		*copied = copy_run(&target, &source, part);
		vm_io_release(&target);
		if (*copied < part)
			status = MM_PAGE_FAULT;
	}
	vm_io_release(&source);
	return status;
}

enum mm_status vm_io_copy(struct vm_io_range *to, struct vm_io_range *from, uint64_t size,
			  uint64_t *done)
{
	enum mm_status status = MM_OK;
	uint64_t left = size;

	while (left > 0 && status == MM_OK) {
		uint64_t copied = 0;

		status = copy_some(to, from, left, &copied);
		to->cursor += copied;
		from->cursor += copied;
		left -= copied;
	}
	*done = size - left + CANARY(copy_miscounted);
	return status;
}

void vm_io_copy_infallible(struct vm_io_range *to, struct vm_io_range *from, uint64_t size)
{
	uint64_t copied = memory_copy((void *)(uintptr_t)to->cursor,
				      (const void *)(uintptr_t)from->cursor, size);

	MM_INVARIANT(copied == size, "the hypervisor's memory does not fault", to->cursor + copied);
	to->cursor += size;
	from->cursor += size;
}

enum mm_status vm_io_zero(struct vm_io_range *to, uint64_t size, uint64_t *done)
{
	enum mm_status status = MM_OK;

	*done = 0;
	while (status == MM_OK && *done < size) {
		struct vm_io_run target;

		status = vm_io_acquire(to, PAGE_WRITE, VM_IO_HOLD_LOCK, &target);
		if (status != MM_OK)
			break;

		uint64_t part = least(size - *done, target.length, UINT64_MAX);
		uint64_t zeroed = target.window ? user_zero(iaddr(target.address), part)
						: memory_zero(pointer_of(&target), part);

		vm_io_release(&target);
		to->cursor += zeroed;
		*done += zeroed;
		if (zeroed < part)
			status = MM_PAGE_FAULT;
	}
	return status;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Ranges of the four kinds of memory, and getting at their bytes. */
#include "vm_io_private.h"
#include "slot.h"

/* A range ends at 2^64 at the latest, which is written 0: sizes are differences modulo 2^64. */
static bool wraps(uint64_t start, uint64_t length)
{
	return start != 0 && length > -start;
}

static bool is_inside(struct irange outer, uint64_t start, uint64_t length)
{
	return length == 0 ||
	       (irange_has(outer, iaddr(start)) && length <= outer.end.value - start);
}

static struct vm_io_range make(uint64_t start, uint64_t length, enum vm_io_kind kind)
{
	return (struct vm_io_range){
		.cursor = start,
		.end = start + length,
		.kind = (uint8_t)kind,
		.fallible = kind != VM_IO_HYPERVISOR,
	};
}

struct vm_io_range vm_io_own(const void *start, uint64_t size)
{
	return make((uintptr_t)start, size, VM_IO_HYPERVISOR);
}

enum mm_status vm_io_hypervisor(void *start, uint64_t length, struct vm_io_range *out)
{
	if (wraps((uintptr_t)start, length))
		return MM_OVERFLOW;
	if (start == NULL && length != 0)
		return MM_INVALID_ARGS;
	*out = vm_io_own(start, length);
	return MM_OK;
}

enum mm_status vm_io_space(struct vm_space *space, struct iaddr start, uint64_t length,
			   struct vm_io_range *out)
{
	if (wraps(start.value, length))
		return MM_OVERFLOW;
	if (space->stage != STAGE_2)
		return MM_INVALID_ARGS;
	if (!is_inside(vm_space_range(space), start.value, length))
		return MM_OUT_OF_BOUND;
	*out = make(start.value, length, VM_IO_SPACE);
	out->space = space;
	return MM_OK;
}

enum mm_status vm_io_guest(const struct vm_guest *guest, uint64_t start, uint64_t length,
			   struct vm_io_range *out)
{
	if (wraps(start, length))
		return MM_OVERFLOW;
	if (guest->space->stage != STAGE_2)
		return MM_INVALID_ARGS;
	*out = make(start, length, VM_IO_GUEST);
	out->guest = guest;
	return MM_OK;
}

enum mm_status vm_io_window(struct irange window, struct iaddr start, uint64_t length,
			    struct vm_io_range *out)
{
	if (wraps(start.value, length))
		return MM_OVERFLOW;
	if (!is_inside(window, start.value, length))
		return MM_OUT_OF_BOUND;
	*out = make(start.value, length, VM_IO_WINDOW);
	return MM_OK;
}

/* What @descriptor, a leaf or 0, lets the hypervisor do in the guest's place. */
static enum mm_status check_leaf(uint64_t descriptor, uint8_t access)
{
	const uint8_t needed = access | PAGE_ACCESSED;
	struct page_property property;

	if (descriptor == 0)
		return MM_PAGE_FAULT;
	if (descriptor & DESCRIPTOR_NOT_COUNTED)
		return MM_ACCESS_DENIED;
	property = property_decode(STAGE_2, leaf_attributes(descriptor));
	if (property.cache != CACHE_WRITEBACK && property.cache != CACHE_WRITETHROUGH)
		return MM_ACCESS_DENIED;
	return (property.flags & needed) == needed ? MM_OK : MM_PAGE_FAULT;
}

/* Locked, the covering node has the leaf of the page, or the hole where it would be. */
static enum mm_status look_up(const struct covering *covering, struct iaddr page, uint8_t access,
			      struct paddr *out)
{
	struct table table = covering->table;
	size_t index = table_index(&table, page);
	uint64_t descriptor = descriptor_read(&table.descriptors[index]);

	while (descriptor_is_table(descriptor, table.level)) {
		table = table_child(&table, index, descriptor);
		index = table_index(&table, page);
		descriptor = descriptor_read(&table.descriptors[index]);
	}

	enum mm_status status = check_leaf(descriptor, access);

	if (status == MM_OK)
		*out = paddr(descriptor_address(descriptor).value |
			     (page.value & (level_size(table.level) - 1)));
	return status;
}

enum mm_status vm_io_acquire_page(struct vm_space *space, struct iaddr ipa, uint8_t access,
				  enum vm_io_hold hold, struct vm_io_run *out)
{
	const uint64_t offset = ipa.value & (PAGE_SIZE - 1);
	const struct iaddr start = iaddr(ipa.value - offset);
	struct paddr page = paddr(0);
	enum mm_status status;

	/* A guest's tables name any address; Stage 2 would take an address size fault there. */
	if (!irange_has(vm_space_range(space), ipa))
		return MM_PAGE_FAULT;
	out->locked = irange(start, iaddr(start.value + PAGE_SIZE));
	if (!cursor_lock(space, out->locked, LEVEL_PAGE, &out->covering))
		return MM_BUSY;
	status = look_up(&out->covering, start, access, &page);
	if (status == MM_OK && hold == VM_IO_HOLD_REFERENCE)
		status = slots_acquire(prange(page, paddr(page.value + PAGE_SIZE)));
	if (status != MM_OK || hold == VM_IO_HOLD_REFERENCE)
		covering_unlock(&out->covering, out->locked);
	if (status != MM_OK)
		return status;

	out->address = (uintptr_t)linear(page) + offset;
	out->length = PAGE_SIZE - offset;
	out->window = false;
	out->hold = hold;
	out->page = page;
	return MM_OK;
}

static enum mm_status acquire_guest(const struct vm_io_range *range, uint8_t access,
				    enum vm_io_hold hold, struct vm_io_run *out)
{
	/* One walk: to who may write, Stage 1 never forbids reading. */
	enum page_flag asked = access & PAGE_WRITE ? PAGE_WRITE : PAGE_READ;
	struct vm_guest_walk walk;
	enum mm_status status = vm_guest_translate(range->guest, range->cursor, asked, &walk);

	if (status != MM_OK)
		return status;
	return vm_io_acquire_page(range->guest->space, walk.ipa, access, hold, out);
}

enum mm_status vm_io_acquire(const struct vm_io_range *range, uint8_t access, enum vm_io_hold hold,
			     struct vm_io_run *out)
{
	enum mm_status status = MM_OK;

	switch ((enum vm_io_kind)range->kind) {
	case VM_IO_SPACE:
		status = vm_io_acquire_page(range->space, iaddr(range->cursor), access, hold, out);
		break;
	case VM_IO_GUEST:
		status = acquire_guest(range, access, hold, out);
		break;
	case VM_IO_HYPERVISOR:
	case VM_IO_WINDOW:
		out->address = range->cursor;
		out->length = vm_io_size(range);
		out->window = range->kind == VM_IO_WINDOW;
		out->hold = VM_IO_HOLD_NONE;
		break;
	}
	if (status == MM_OK && out->length > vm_io_size(range))
		out->length = vm_io_size(range);
	return status;
}

void vm_io_release(struct vm_io_run *run)
{
	switch (run->hold) {
	case VM_IO_HOLD_LOCK:
		covering_unlock(&run->covering, run->locked);
		break;
	case VM_IO_HOLD_REFERENCE:
		slots_release(prange(run->page, paddr(run->page.value + PAGE_SIZE)));
		break;
	case VM_IO_HOLD_NONE:
		break;
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Ranges of the five kinds of memory, and getting at their bytes. */
#include <arch/canary.h>
#include <arch/cpu.h>
#include "descriptor.h"
#include "node.h"
#include "read_section.h"
#include "leaf_property.h"
#include "vm_io_private.h"

/* A range ends at 2^64 at the latest, which is written 0: sizes are differences modulo 2^64. */
static bool wraps(uint64_t start, uint64_t length)
{
	return start != 0 && length > -start;
}

static bool is_inside(uint64_t start, uint64_t length, uint64_t outer_start, uint64_t outer_end)
{
	return length == 0 ||
	       (outer_start <= start && start < outer_end && length <= outer_end - start);
}

static enum mm_status begin_hypervisor(void *start, uint64_t length, struct vm_io_range *out)
{
	if (wraps((uintptr_t)start, length))
		return MM_OVERFLOW;
	if (start == NULL && length != 0 && !CANARY(null_is_memory))
		return MM_INVALID_ARGS;
	vm_io_set(out, (uintptr_t)start, length, VM_IO_HYPERVISOR);
	return MM_OK;
}

enum mm_status vm_io_hypervisor(void *start, uint64_t length, struct vm_io_range *out)
{
	enum mm_status status = begin_hypervisor(start, length, out);

	REPORT(.kind = OPERATION_IO_HYPERVISOR, .status = status, .metadata = start,
	       .length = length, .reader = { .range = out });
	return status;
}

static enum mm_status window_space(struct vm_space *space, struct iaddr start, uint64_t length,
				   struct vm_io_range *out)
{
	const struct irange window = VM_SPACE_WINDOW;

	if (wraps(start.value, length))
		return MM_OVERFLOW;
	if (window_space_active() != space ||
	    !is_inside(start.value, length, window.start.value, window.end.value))
		return MM_ACCESS_DENIED;
	vm_io_set(out, start.value, length, VM_IO_WINDOW_SPACE);
	out->space = space;
	return MM_OK;
}

static enum mm_status begin_space(struct vm_space *space, struct iaddr start, uint64_t length,
				  struct vm_io_range *out)
{
	if (space->part == SPACE_IN_WINDOW)
		return window_space(space, start, length, out);
	if (space->stage != STAGE_2)
		return MM_INVALID_ARGS;
	if (!is_inside(start.value, length, 0, UINT64_C(1) << space->geometry.ia_bits) &&
	    !CANARY(io_beyond_space))
		return wraps(start.value, length) ? MM_OVERFLOW : MM_OUT_OF_BOUND;
	vm_io_set(out, start.value, length, VM_IO_SPACE);
	if (!CANARY(io_without_space))
		out->space = space;
	return MM_OK;
}

enum mm_status vm_io_space(struct vm_space *space, struct iaddr start, uint64_t length,
			   struct vm_io_range *out)
{
	enum mm_status status = begin_space(space, start, length, out);

	REPORT(.kind = OPERATION_IO_SPACE, .status = status, .space = space,
	       .range = irange(start, start), .length = length, .reader = { .range = out });
	return status;
}

static enum mm_status begin_guest(const struct vm_guest *guest, uint64_t start, uint64_t length,
				  struct vm_io_range *out)
{
	if (wraps(start, length))
		return MM_OVERFLOW;
	if (guest->space->stage != STAGE_2)
		return MM_INVALID_ARGS;
	vm_io_set(out, start, length, VM_IO_GUEST);
	out->guest = guest;
	return MM_OK;
}

enum mm_status vm_io_guest(const struct vm_guest *guest, uint64_t start, uint64_t length,
			   struct vm_io_range *out)
{
	enum mm_status status = begin_guest(guest, start, length, out);

	REPORT(.kind = OPERATION_IO_GUEST, .status = status, .space = guest->space,
	       .range = irange(iaddr(start), iaddr(start)), .length = length,
	       .reader = { .range = out });
	return status;
}

static enum mm_status begin_window(struct irange window, struct iaddr start, uint64_t length,
				   struct vm_io_range *out)
{
	if (!is_inside(start.value, length, window.start.value, window.end.value))
		return wraps(start.value, length) ? MM_OVERFLOW : MM_OUT_OF_BOUND;
	vm_io_set(out, start.value, length, VM_IO_WINDOW);
	return MM_OK;
}

enum mm_status vm_io_window(struct irange window, struct iaddr start, uint64_t length,
			    struct vm_io_range *out)
{
	enum mm_status status = begin_window(window, start, length, out);

	REPORT(.kind = OPERATION_IO_WINDOW, .status = status, .changed = window,
	       .range = irange(start, start), .length = length, .reader = { .range = out });
	return status;
}

/* The descriptor that translates an address: a leaf or a hole, in a table of @level. */
struct leaf {
	uint64_t *slot;
	uint64_t descriptor;
	int level;
	unsigned int shift; /* of the level */
};

/* What a CPU needs for @access, and does not find in a leaf. */
static uint64_t missing_for(uint64_t leaf, uint8_t access)
{
	uint64_t needed = DESCRIPTOR_ACCESS_FLAG | (access & PAGE_READ ? STAGE2_READ : 0) |
			  (access & PAGE_WRITE ? STAGE2_WRITE : 0);

	return needed & ~leaf;
}

/* Of that, what a CPU sets by itself where the space lets it (vm_space_use_hardware_flags). */
static uint64_t may_set(const struct vm_space *space, uint64_t leaf)
{
	if (!space->context.hardware_flags)
		return 0;
	return DESCRIPTOR_ACCESS_FLAG | (leaf & STAGE2_DIRTY_BIT_MODIFIER ? STAGE2_WRITE : 0);
}

/*
 * What the descriptor, a leaf or 0 in a node that is locked, lets the hypervisor do in the guest's place.
 * Where a CPU would set flags for that they are set, so that what the hypervisor reads is accessed, and
 * what it writes is dirty; CPUs may set them at the same moment.
 */
static enum mm_status reach_leaf(const struct vm_space *space, struct leaf *leaf, uint8_t access)
{
	uint64_t memory = (leaf->descriptor & STAGE2_ATTRIBUTE_MASK) >> STAGE2_ATTRIBUTE_SHIFT;
	uint64_t missing;

	if (leaf->descriptor == 0)
		return MM_PAGE_FAULT;
	if ((leaf->descriptor & DESCRIPTOR_NOT_COUNTED) ||
	    (memory != STAGE2_MEMORY_WRITEBACK && memory != STAGE2_MEMORY_WRITETHROUGH))
		return MM_ACCESS_DENIED;
	while ((missing = missing_for(leaf->descriptor, access)) != 0) {
		if (missing & ~may_set(space, leaf->descriptor))
			return MM_PAGE_FAULT;
		if (descriptor_set_as_mmu(leaf->slot, &leaf->descriptor, missing))
			break;
	}
	return MM_OK;
}

/* Found without locks; the table it is in may be on its way out. */
static struct leaf find_leaf(const struct vm_space *space, struct iaddr ia)
{
	struct leaf leaf = { .level = space->geometry.root_level };

	leaf.shift = level_shift(leaf.level);
	leaf.slot = (uint64_t *)linear(space->root) + (ia.value >> leaf.shift);
	leaf.descriptor = descriptor_read(leaf.slot);
	while (descriptor_is_table(leaf.descriptor, leaf.level)) {
		leaf.level++;
		leaf.shift -= LEVEL_BITS;
		leaf.slot = descriptor_table(leaf.descriptor) +
			    (ia.value >> leaf.shift & (TABLE_ENTRIES - 1));
		leaf.descriptor = descriptor_read(leaf.slot);
	}
	return leaf;
}

/*
 * Finds the leaf and locks the node it is in. Every cursor that may change it holds that node
 * (strata/cursor.h), so it stays as it is, but for flags that CPUs set; and as this is the only
 * lock taken, its place in the order of locking does not matter. NULL: this CPU holds the node
 * already, or has a cursor open and would wait.
 */
static struct slot *lock_leaf(const struct vm_space *space, struct iaddr ia, struct leaf *out)
{
	const unsigned int cpu = cpu_index();

	for (;;) {
		/* In the section the node cannot be freed; once it is locked and not stray it cannot be
		 * detached. */
		read_section_enter();
		*out = find_leaf(space, ia);

		struct slot *node = node_of(out->slot);
		enum node_lock_result result = node_try_lock_found(node, cpu);

		read_section_leave();
		if (result == NODE_HELD_HERE ||
		    (result == NODE_HELD_ELSEWHERE && node_patience() == NODE_TRY))
			return NULL;
		if (result == NODE_LOCKED) {
			out->descriptor = descriptor_read(out->slot);
			/* Meanwhile a hole or a block may have become a table. */
			if (!descriptor_is_table(out->descriptor, out->level))
				return node;
			node_unlock(node);
		}
		lock_wait(MM_LOCK_NODE);
	}
}

enum mm_status vm_io_acquire_page(struct vm_space *space, struct iaddr ipa, uint8_t access,
				  enum vm_io_hold hold, struct vm_io_run *out)
{
	const uint64_t offset = ipa.value & (PAGE_SIZE - 1);
	enum mm_status status;
	struct leaf leaf;

	/* A guest's tables name any address; Stage 2 would take an address size fault there. */
	if (ipa.value >> space->geometry.ia_bits != 0)
		return MM_PAGE_FAULT;

	struct slot *node = lock_leaf(space, ipa, &leaf);

	if (node == NULL)
		return MM_BUSY;
	status = reach_leaf(space, &leaf, access);
	if (status == MM_OK) {
		uint64_t byte = descriptor_address(leaf.descriptor).value |
				(ipa.value & ((UINT64_C(1) << leaf.shift) - 1));

		out->address = (uintptr_t)linear(paddr(byte));
		out->length = PAGE_SIZE - offset;
		out->window = false;
		out->hold = hold;
		out->node = node;
		if (hold == VM_IO_HOLD_REFERENCE)
			status = slots_acquire(vm_io_page(out));
	}
	if (status != MM_OK || hold == VM_IO_HOLD_REFERENCE)
		node_unlock(node);
	return status;
}

enum mm_status vm_io_acquire_guest(const struct vm_io_range *range, uint8_t access,
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

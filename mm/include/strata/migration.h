/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Migration: a page keeps its address and its content, and gets another frame.
 *
 * Break-before-make (Arm ARM D8.16.1): the old translation is removed and invalidated on every
 * CPU, then the content is copied, then the new one is made. So no CPU ever sees both, no write is
 * lost, and a guest that comes by in between takes a translation fault on what is mapped when its
 * fault is served: whoever serves faults opens a cursor, which waits for this one, and finds it
 * so.
 */
#pragma once

#include <strata/cursor.h>

/*
 * Moves the page mapped at the position to @new, with the property it has, which includes what CPUs
 * set in it until it went (vm_space_use_hardware_flags), and moves past it. A block is split first.
 * @new is void afterwards, unless there is an error; its content before does not matter. @old
 * becomes the caller's reference, the only one, to the frame of before: its content is still there,
 * and no CPU reaches it, so that it may be poisoned at once. Typed metadata stays with it.
 *
 * Instruction fetch sees the copy too, if the page is executable.
 *
 * MM_ACCESS_DENIED: read-only cursor, or what is mapped is not counted.
 * MM_OUT_OF_BOUND: the position is at the end. MM_NOT_MAPPED: nothing is mapped there.
 * MM_NOT_SUPPORTED: it is mapped with another cache policy than CACHE_WRITEBACK: a copy by EL2 could
 *	miss what the guest wrote past the caches.
 * MM_IN_USE: somebody else has a reference to the page, and may write to it by that: another mapping,
 *	a handle, a segment, or @new itself.
 * MM_SATURATED: the page cannot take one more reference.
 * MM_NO_MEMORY: no page for a table that the split of a block needs.
 */
MM_MUST_CHECK enum mm_status cursor_migrate(struct cursor *cursor, frame_t *new, frame_t *old);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What checked builds put around and into cells of the heap; nothing in release builds.
 *
 *  cell   ┌─ 8 ──┬── 8 ──┬──────── size ────────┬── at least 16 ──┐
 *  live   │      │ state │ object               │ tail            │
 *  free   │ link │ state │ filling                                │
 *         └──────┴───────┴──────────────────────┴─────────────────┘
 *
 * An object with pages of its own has a tail to the end of the last page, if it leaves any of it, and
 * filling when it goes; its size is in the slot of its first page.
 */
#pragma once

#include <arch/observe.h>
#include <stddef.h>
#include <stdint.h>
#include "panic.h"
#include "slot.h"

#if STRATA_CHECKED

#define HEAP_GUARD_HEAD 16
#define HEAP_GUARD_SIZE (HEAP_GUARD_HEAD + 16)

/* The upper half of the state word; the lower half is the object's size, 0 in a free cell. */
#define HEAP_CELL_LIVE UINT64_C(0x11feb10c00000000)
#define HEAP_CELL_FREE UINT64_C(0xdeadce1100000000)
#define HEAP_STATE_MASK UINT64_C(0xffffffff00000000)

#define HEAP_TAIL_BYTE 0xa5
#define HEAP_FILLING_BYTE 0x6b

static inline uint64_t *heap_guard_state(void *cell)
{
	return (uint64_t *)cell + 1;
}

static inline void heap_guard_fill(void *cell, size_t start, size_t end, uint8_t byte)
{
	for (size_t i = start; i < end; i++)
		((volatile uint8_t *)cell)[i] = byte;
}

static inline void heap_guard_expect(const void *cell, size_t start, size_t end, uint8_t byte,
				     const char *invariant)
{
	for (size_t i = start; i < end; i++)
		MM_INVARIANT(((const uint8_t *)cell)[i] == byte, invariant,
			     (uint64_t)(uintptr_t)cell + i);
}

/* @cell is free from now on. */
static inline void heap_guard_release(void *cell, size_t cell_size)
{
	*heap_guard_state(cell) = HEAP_CELL_FREE;
	heap_guard_fill(cell, HEAP_GUARD_HEAD, cell_size, HEAP_FILLING_BYTE);
}

/* Makes a free cell an object of @size bytes, and returns that. */
static inline void *heap_guard_take(void *cell, size_t cell_size, size_t size)
{
	MM_INVARIANT(*heap_guard_state(cell) == HEAP_CELL_FREE,
		     "nobody writes to a heap object after its release", (uint64_t)(uintptr_t)cell);
	heap_guard_expect(cell, HEAP_GUARD_HEAD, cell_size, HEAP_FILLING_BYTE,
			  "nobody writes to a heap object after its release");
	*heap_guard_state(cell) = HEAP_CELL_LIVE | size;
	heap_guard_fill(cell, HEAP_GUARD_HEAD + size, cell_size, HEAP_TAIL_BYTE);
	return (char *)cell + HEAP_GUARD_HEAD;
}

static inline void *heap_guard_cell(void *object)
{
	return (char *)object - HEAP_GUARD_HEAD;
}

/* @cell's object is released: it must be one, once, and nobody wrote around it. */
static inline void heap_guard_give_back(void *cell, size_t cell_size)
{
	uint64_t state = *heap_guard_state(cell);
	size_t size = (size_t)(state & ~HEAP_STATE_MASK);

	MM_INVARIANT(state != HEAP_CELL_FREE, "a heap object is released once",
		     (uint64_t)(uintptr_t)cell);
	MM_INVARIANT((state & HEAP_STATE_MASK) == HEAP_CELL_LIVE &&
			     size <= cell_size - HEAP_GUARD_SIZE,
		     "nobody writes before a heap object", (uint64_t)(uintptr_t)cell);
	heap_guard_expect(cell, HEAP_GUARD_HEAD + size, cell_size, HEAP_TAIL_BYTE,
			  "nobody writes past a heap object");
	heap_guard_release(cell, cell_size);
}

/* @slot: of the first of @pages_size bytes, that are an object of @size bytes from now on. */
static inline void heap_guard_take_pages(struct slot *slot, void *object, size_t pages_size,
					 size_t size)
{
	slot->heap_size = size;
	heap_guard_fill(object, size, pages_size, HEAP_TAIL_BYTE);
}

static inline void heap_guard_give_back_pages(const struct slot *slot, void *object,
					      size_t pages_size)
{
	heap_guard_expect(object, (size_t)slot->heap_size, pages_size, HEAP_TAIL_BYTE,
			  "nobody writes past a heap object");
	heap_guard_fill(object, 0, pages_size, HEAP_FILLING_BYTE);
}

#else

#define HEAP_GUARD_SIZE 0

static inline void heap_guard_take_pages(struct slot *slot, void *object, size_t pages_size,
					 size_t size)
{
	(void)slot;
	(void)object;
	(void)pages_size;
	(void)size;
}

static inline void heap_guard_give_back_pages(const struct slot *slot, void *object,
					      size_t pages_size)
{
	(void)slot;
	(void)object;
	(void)pages_size;
}

static inline void heap_guard_release(void *cell, size_t cell_size)
{
	(void)cell;
	(void)cell_size;
}

static inline void *heap_guard_take(void *cell, size_t cell_size, size_t size)
{
	(void)cell_size;
	(void)size;
	return cell;
}

static inline void *heap_guard_cell(void *object)
{
	return object;
}

static inline void heap_guard_give_back(void *cell, size_t cell_size)
{
	(void)cell;
	(void)cell_size;
}

#endif

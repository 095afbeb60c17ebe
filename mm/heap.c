/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *  slab: one page
 *  ┌────────┬──────────┬──────────┬─ ─ ─┬──────────┐      cell, checked builds
 *  │ header │ cell     │ cell     │     │ cell     │      ┌──────────┬─────────┬──────────┐
 *  └────────┴──────────┴──────────┴─ ─ ─┴──────────┘      │ red zone │ object  │ red zone │
 *                                                         └──────────┴─────────┴──────────┘
 * An object in a slab is never page aligned, one with pages of its own always is: that is how a
 * release tells them apart. Free cells are chained through their first bytes.
 */
#include <strata/heap.h>
#include "heap_private.h"
#include "heap_guard.h"
#include "page_allocator.h"
#include "panic.h"
#include "per_cpu.h"

#define SMALLEST_CLASS_SHIFT 5 /* cells of 32 bytes */

#define CLASS_COUNT 6 /* ... to 1024 */

struct slab {
	struct slab *next; /* slabs of the class with a free cell */
	struct slab *previous;
	void *free; /* the first free cell */
	uint16_t used;
	uint16_t class;
};

_Static_assert(sizeof(struct slab) <= PAGE_SIZE / 4, "a page has cells of every class");

/* The slabs of one size that have a free cell; full ones are in no list. */
struct size_class {
	struct ticket_lock lock;
	struct slab *slabs;
};

static struct size_class classes[CLASS_COUNT];

void heap_reset(void)
{
	for (size_t i = 0; i < CLASS_COUNT; i++)
		classes[i] = (struct size_class){ .slabs = NULL };
}

static size_t cell_size(unsigned int class)
{
	return (size_t)1 << (class + SMALLEST_CLASS_SHIFT);
}

static struct slab *slab_of(void *cell)
{
	return linear(paddr(page_align_down(physical(cell).value)));
}

static void link_slab(struct size_class *class, struct slab *slab)
{
	slab->previous = NULL;
	slab->next = class->slabs;
	if (class->slabs != NULL)
		class->slabs->previous = slab;
	class->slabs = slab;
}

static void unlink_slab(struct size_class *class, struct slab *slab)
{
	if (slab->previous != NULL)
		slab->previous->next = slab->next;
	else
		class->slabs = slab->next;
	if (slab->next != NULL)
		slab->next->previous = slab->previous;
}

static enum mm_status slab_new(struct size_class *class, unsigned int index)
{
	const size_t size = cell_size(index);
	struct taken_page taken = page_allocate();

	if (taken.slot == NULL)
		return MM_NO_MEMORY;
	slot_publish(taken.slot, taken.page, PAGE_HYPERVISOR);
	usage_changed(PAGE_HYPERVISOR, 1);

	struct slab *slab = linear(taken.page);
	size_t offset = PAGE_SIZE - size;

	*slab = (struct slab){ .class = (uint16_t)index };
	/* From the last to the first, so that the first is given out first. */
	for (; offset >= sizeof(struct slab); offset -= size) {
		void *cell = (char *)slab + offset;

		heap_guard_release(cell, size);
		*(void **)cell = slab->free;
		slab->free = cell;
	}
	link_slab(class, slab);
	return MM_OK;
}

static enum mm_status cell_alloc(unsigned int index, void **out)
{
	struct size_class *class = &classes[index];
	enum mm_status status = MM_OK;

	ticket_lock(&class->lock, MM_LOCK_HEAP);
	if (class->slabs == NULL)
		status = slab_new(class, index);
	if (status == MM_OK) {
		struct slab *slab = class->slabs;

		*out = slab->free;
		slab->free = *(void **)slab->free;
		slab->used++;
		if (slab->free == NULL)
			unlink_slab(class, slab);
	}
	ticket_unlock(&class->lock);
	return status;
}

static void cell_free(void *cell)
{
	struct slab *slab = slab_of(cell);
	struct size_class *class = &classes[slab->class];

	ticket_lock(&class->lock, MM_LOCK_HEAP);
	if (slab->free == NULL)
		link_slab(class, slab);
	*(void **)cell = slab->free;
	slab->free = cell;
	slab->used--;
	bool empty = slab->used == 0;

	if (empty)
		unlink_slab(class, slab);
	ticket_unlock(&class->lock);
	if (empty) {
		struct paddr page = physical(slab);

		slots_release(page_range(page));
	}
}

/* The block's order is kept in the slot of its first page, which nobody else needs meanwhile. */
static enum mm_status pages_alloc(size_t size, void **out)
{
	unsigned int order = 0;
	struct paddr block;

	while (order < ORDER_COUNT && PAGE_SIZE << order < size)
		order++;

	enum mm_status status = block_allocate(order, NULL, &block);

	if (status != MM_OK)
		return status;
	slots_publish(prange(block, paddr(block.value + (PAGE_SIZE << order))), PAGE_HYPERVISOR);
	slot_of(block)->heap_order = (uint16_t)(SLOT_HEAP_ORDER | order);
	*out = linear(block);
	heap_guard_take_pages(slot_of(block), *out, PAGE_SIZE << order, size);
	return MM_OK;
}

static void pages_free(void *object)
{
	struct paddr block = physical(object);
	struct slot *slot;

	MM_INVARIANT(slot_lookup(block, &slot) == MM_OK && slot_usage(slot) == PAGE_HYPERVISOR &&
			     (slot->heap_order & ~SLOT_HEAP_ORDER_MASK) == SLOT_HEAP_ORDER,
		     "what the heap releases it gave out", block.value);

	unsigned int order = slot->heap_order & SLOT_HEAP_ORDER_MASK;

	heap_guard_give_back_pages(slot, object, PAGE_SIZE << order);
	slot->heap_order = 0;
	slots_release(prange(block, paddr(block.value + (PAGE_SIZE << order))));
}

enum mm_status heap_alloc(size_t size, void **out)
{
	const size_t cell = size + HEAP_GUARD_SIZE;
	unsigned int class = 0;
	void *memory;

	if (size == 0)
		return MM_INVALID_ARGS;
	if (size > HEAP_SLAB_OBJECT_MAX - HEAP_GUARD_SIZE)
		return pages_alloc(size, out);
	while (cell_size(class) < cell)
		class ++;

	enum mm_status status = cell_alloc(class, &memory);

	if (status == MM_OK)
		*out = heap_guard_take(memory, cell_size(class), size);
	return status;
}

void heap_free(void *object)
{
	if (object == NULL)
		return;
	if (is_page_aligned(physical(object).value)) {
		pages_free(object);
		return;
	}

	void *cell = heap_guard_cell(object);

	heap_guard_give_back(cell, cell_size(slab_of(cell)->class));
	cell_free(cell);
}

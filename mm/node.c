/* SPDX-License-Identifier: BSD-3-Clause */
#include "node.h"
#include <arch/barrier.h>
#include <arch/canary.h>
#include <arch/cpu.h>
#include <arch/memory.h>
#include "page_allocator.h"
#include "panic.h"

_Static_assert(TABLE_ENTRIES == SLOT_CHILDREN_LAST, "slot.h says what a node's slot can");

/* The page of a slot; for events only. */
#if STRATA_CHECKED
static struct paddr node_address(const struct slot *node)
{
	for (struct zone *zone = zones; zone != NULL; zone = zone_next(zone)) {
		uint64_t pages = prange_size(zone->range) >> PAGE_SHIFT;

		if (node >= zone->slots && node < zone->slots + pages)
			return paddr(zone->range.start.value +
				     ((uint64_t)(node - zone->slots) << PAGE_SHIFT));
	}
	mm_panic("a node has a slot", (uint64_t)(uintptr_t)node);
}

void node_observe(enum observe_kind kind, const struct slot *node)
{
	OBSERVE(.kind = kind, .address = node_address(node));
}

static bool is_mine(const struct slot *node)
{
	return atomic_load_explicit(&node->node.lock, memory_order_relaxed) == cpu_index() + 1;
}

void node_check_order(const struct slot *node, const struct slot *after)
{
	MM_INVARIANT(is_mine(after),
		     "a node is locked after the one above it, or the page before it",
		     node_address(after).value);
	MM_INVARIANT(after->node.level < node->node.level ||
			     (after->node.level == node->node.level && after < node),
		     "nodes are locked from the root down, and the pages of a root ascending",
		     node_address(node).value);
}

void node_check_holder(const struct slot *node)
{
	MM_INVARIANT(is_mine(node), "a node is unlocked by the CPU that has it",
		     node_address(node).value);
}

void node_check_patience(enum node_patience patience)
{
	MM_INVARIANT(patience == NODE_TRY || node_patience() == NODE_WAIT,
		     "a CPU that has a cursor open waits for no node", mm_this_cpu()->open_cursors);
}
#endif

/* @root: the first page of the root that it is one of, or 0. */
static void node_begin(struct paddr table, int level, struct paddr root)
{
	struct slot *node = slot_of(table);

	if (!CANARY(table_not_ready) || root.value != 0)
		page_zero(linear(table));
	node->children = 0;
	atomic_store_explicit(&node->node.lock, 0, memory_order_relaxed);
	node->node.level = (uint16_t)level & 7;
	node->node.stray = 0;
	slot_publish(node, table,
		     CANARY(root_not_marked) && root.value != 0 ? PAGE_FRAME : PAGE_TABLE);
	usage_changed(PAGE_TABLE, 1);
	COUNT(tables_allocated, 1);
	if (CANARY(table_not_ready) && root.value == 0)
		return;
	OBSERVE(.kind = OBSERVE_TABLE_ALLOC, .address = table, .level = (int8_t)level,
		.root = root);
	(void)root;
}

enum mm_status node_reserve_fill(struct node_reserve *reserve, size_t count)
{
	reserve->count = 0;
	while (reserve->count < count) {
		struct taken_page table = page_allocate();

		if (table.slot == NULL) {
			node_reserve_release(reserve);
			return MM_NO_MEMORY;
		}
		node_begin(table.page, LEVEL_PAGE, paddr(0));
		node_chain(table.page, &reserve->first);
		reserve->count++;
	}
	return MM_OK;
}

uint64_t *node_reserve_take(struct node_reserve *reserve, int level)
{
	MM_INVARIANT(reserve->count > 0, "every table that a commit needs was reserved", level);

	struct paddr table = node_unchain(&reserve->first);
	struct slot *node = slot_of(table);

	reserve->count--;
	node->node.level = (uint16_t)level & 7;
	OBSERVE(.kind = OBSERVE_TABLE_LEVEL, .address = table, .level = (int8_t)level);
	if (!CANARY(write_without_lock))
		(void)node_try_lock(node);
	return linear(table);
}

void node_reserve_release(struct node_reserve *reserve)
{
	while (reserve->count > 0) {
		reserve->count--;
		node_free(node_unchain(&reserve->first));
	}
}

enum mm_status node_new_root(unsigned int tables, int level, struct paddr *out)
{
	unsigned int order = (unsigned int)__builtin_ctz(tables);
	enum mm_status status = block_allocate(order, NULL, out);

	if (status != MM_OK)
		return status;
	for (unsigned int i = 0; i < tables; i++)
		node_begin(paddr(out->value + i * PAGE_SIZE), level, *out);
	/* No descriptor links a root, to be written after it: whoever loads it walks at once. */
	dsb_ishst();
	return MM_OK;
}

void node_free(struct paddr table)
{
	OBSERVE(.kind = OBSERVE_TABLE_FREE, .address = table,
		.level = (int8_t)slot_of(table)->node.level);
	page_release(table);
	COUNT(tables_freed, 1);
}

void node_set_next(struct paddr table, struct paddr next)
{
	uint64_t number = next.value >> PAGE_SHIFT;
	struct slot *node = slot_of(table);

	node->node.chain_low = (uint32_t)number;
	node->node.chain_high = (uint16_t)(number >> 32) & 0xfff;
}

struct paddr node_next(struct paddr table)
{
	const struct slot *node = slot_of(table);
	uint64_t number = (uint64_t)node->node.chain_high << 32 | node->node.chain_low;

	return paddr(number << PAGE_SHIFT);
}

void node_chain(struct paddr table, struct paddr *first)
{
	node_set_next(table, *first);
	*first = table;
}

struct paddr node_unchain(struct paddr *first)
{
	struct paddr table = *first;

	*first = node_next(table);
	return table;
}

bool node_lock(struct slot *node, enum node_patience patience)
{
	NODE_ASKED(patience);

	enum node_lock_result result = node_try_lock(node);

	while (result == NODE_HELD_ELSEWHERE && patience == NODE_WAIT) {
		lock_wait(MM_LOCK_NODE);
		result = node_try_lock(node);
	}
	return result == NODE_LOCKED;
}

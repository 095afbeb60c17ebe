/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nodes: the table pages of a space.
 *
 * Invariant: children is the number of descriptors of the node that are not zero. A node that is
 * not a root and has no children is not linked. A node detached from its parent is stray: it is
 * freed after the flush that follows, when nobody reads it any more (deferred_tables.h), and whoever finds
 * it on the way down starts again.
 *
 * children, level and stray are protected by the node's lock, and so is the chain of a stray node:
 * it is written before the lock is given back, or under the lock again.
 *
 * (A node that is not a root and has no children may be linked for a time where a CPU that closed one of two
 * cursors could not wait for the node above it: space_tidy.)
 *
 * The lock is one of compare-exchange and not of tickets: who waits for a node that he found without locks
 * may be the last to know of it, so he can have no place in its queue, and begins again at the root.
 *
 * Who may wait. A CPU waits for a node that another CPU has only while it has no cursor open. What nodes it
 * holds while it waits are then those of the one operation that waits, and they were taken from the root
 * down (or are those of a space that vm_space_destroy has to itself): so nobody waits for who waits for him.
 * Where it has a cursor open it only tries (node_patience), and the operation is MM_BUSY. (A stray node is no
 * matter: nobody keeps one.) In a checked build it
 * is a panic to be ready to wait with a cursor open, whether anybody is in the way or not.
 */
#pragma once

#include <arch/canary.h>
#include <arch/cpu.h>
#include <arch/observe.h>
#include <strata/status.h>
#include "descriptor.h"
#include "host.h"
#include "per_cpu.h"
#include "slot.h"

/* Nodes taken before they are needed, so that a commit cannot fail. */
struct node_reserve {
	struct paddr first; /* chained; only if count > 0 */
	size_t count;
};

static inline struct slot *node_of(const uint64_t *descriptor)
{
	return slot_of(paddr(page_align_down(physical(descriptor).value)));
}

/* The same for the address of a table: it is aligned already. */
static inline struct slot *node_of_table(const uint64_t *table)
{
	return slot_of(physical(table));
}

/* Makes @count nodes, zeroed and not linked. MM_NO_MEMORY: none was made. */
MM_MUST_CHECK enum mm_status node_reserve_fill(struct node_reserve *reserve, size_t count);
/* Takes one out, for @level, locked by this CPU. */
uint64_t *node_reserve_take(struct node_reserve *reserve, int level);
/* Frees what is left. */
void node_reserve_release(struct node_reserve *reserve);

/* Makes the pages of a root, contiguous and aligned to their size, not locked. MM_NO_MEMORY. */
MM_MUST_CHECK enum mm_status node_new_root(unsigned int tables, int level, struct paddr *out);

/* Frees a table page that no walker can reach. */
void node_free(struct paddr table);

/* Puts @table in front of the chain that begins at @first, and returns the new beginning. The chain
 * of zero nodes begins at any address: count them. */
void node_chain(struct paddr table, struct paddr *first);
struct paddr node_unchain(struct paddr *first);

/* The node after @table in its chain. */
struct paddr node_next(struct paddr table);
void node_set_next(struct paddr table, struct paddr next);

enum node_lock_result {
	NODE_LOCKED,
	NODE_HELD_HERE,	     /* by this CPU */
	NODE_HELD_ELSEWHERE, /* by another */
};

/* What becomes of who finds a node held by another CPU. */
enum node_patience {
	NODE_TRY, /* he goes without */
	NODE_WAIT,
};

/* What this CPU may do. Cursors are counted and not nodes, which is cheaper: what takes nodes and is no open
 * cursor takes them from the root down, and has given them back when it returns. */
static inline enum node_patience node_patience(void)
{
	return mm_this_cpu()->open_cursors == 0 ? NODE_WAIT : NODE_TRY;
}

/* Takes the node's lock; false if this CPU has it already, which nobody waits for, or if another CPU has it
 * and this one is not to wait. The node must be one that nobody frees meanwhile: a root, or a child of a node
 * whose lock is held. */
bool node_lock(struct slot *node, enum node_patience patience);

#if STRATA_CHECKED
void node_observe(enum observe_kind kind, const struct slot *node);
#define NODE_OBSERVE(kind, node) node_observe(kind, node)
/* This CPU waits for @node after it has taken @after: its parent, or a page of the same root before it. */
void node_check_order(const struct slot *node, const struct slot *after);
#define NODE_FOLLOWS(node, after) node_check_order((node), (after))
/* This CPU is about to give @node back. */
void node_check_holder(const struct slot *node);
#define NODE_GIVEN(node) node_check_holder(node)
/* This CPU is about to take nodes, and to wait for them if @patience says so. */
void node_check_patience(enum node_patience patience);
#define NODE_ASKED(patience) node_check_patience(patience)
#else
#define NODE_OBSERVE(kind, node) ((void)0)
#define NODE_FOLLOWS(node, after) ((void)0)
#define NODE_GIVEN(node) ((void)0)
#define NODE_ASKED(patience) ((void)0)
#endif

/* As node_lock, but does not wait; any node that is not freed during the call. @cpu is this CPU. */
static inline enum node_lock_result node_try_lock_by(struct slot *node, unsigned int cpu)
{
	ASSERT_HELD(MM_HELD_CPU, NULL);
	LOCK_NODE_ASKED(node);

	uint16_t mine = (uint16_t)(cpu + 1);
	uint16_t holder = 0;

	/* Acquire: what the last holder wrote in the node is seen by this one. */
	if (!atomic_compare_exchange_strong_explicit(&node->node.lock, &holder, mine,
						     memory_order_acquire, memory_order_relaxed))
		return holder == mine ? NODE_HELD_HERE : NODE_HELD_ELSEWHERE;
	LOCK_COUNT_TAKEN(MM_LOCK_NODE);
	NODE_OBSERVE(OBSERVE_LOCK, node);
	return NODE_LOCKED;
}

static inline enum node_lock_result node_try_lock(struct slot *node)
{
	return node_try_lock_by(node, cpu_index());
}

static inline void node_unlock(struct slot *node)
{
	NODE_GIVEN(node);
	NODE_OBSERVE(OBSERVE_UNLOCK, node);
	atomic_store_explicit(&node->node.lock, 0, memory_order_release);
}

/*
 * As node_try_lock_by, for who found the node without locks, in a read section and before he leaves it: a
 * stray one, which somebody frees when the section has ended, is given back and said to be another's.
 */
static inline enum node_lock_result node_try_lock_found(struct slot *node, unsigned int cpu)
{
	/* Others get time to detach it, and to free it: in the section it is no matter how long that is. */
	if (CANARY(stray_not_seen) || CANARY(freed_while_read) || CANARY(deferred_not_waited))
		for (unsigned int i = 0; i < (CANARY(deferred_not_waited) ? 64 : 8); i++)
			cpu_relax();

	enum node_lock_result result = node_try_lock_by(node, cpu);

	if (result == NODE_LOCKED && node->node.stray && !CANARY(stray_not_seen)) {
		node_unlock(node);
		result = NODE_HELD_ELSEWHERE;
	}
	return result;
}

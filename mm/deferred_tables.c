/* SPDX-License-Identifier: BSD-3-Clause */
#include "deferred_tables.h"
#include <arch/canary.h>
#include "node.h"
#include "per_cpu.h"
#include "read_section.h"

static void free_chain(struct paddr first, uint64_t count)
{
	while (count-- > 0)
		node_free(node_unchain(&first));
}

/* Acquire: who finds none there, without the lock, finds free what was there. Of what another CPU puts there
 * now nobody can tell. */
static uint64_t deferred_count(struct deferred_tables *queue)
{
	return atomic_load_explicit(&queue->count, memory_order_acquire);
}

/* Release: that they are free comes before that they are none. */
static void count_changed(struct deferred_tables *queue, uint64_t by)
{
	atomic_store_explicit(&queue->count, deferred_count(queue) + by, memory_order_release);
}

static void free_waiting(struct deferred_tables *queue)
{
	free_chain(queue->waiting.first, queue->waiting.count);
	count_changed(queue, -queue->waiting.count);
	queue->waiting.count = 0;
}

/* Frees what nobody reads any more, and begins to wait for those who may read the others. The lock is held. */
static void advance(struct deferred_tables *queue)
{
	if (!read_sections_ended(&queue->sections) && !CANARY(deferred_not_waited))
		return;
	free_waiting(queue);
	queue->waiting = queue->next;
	queue->next.count = 0;
	if (!read_sections_note(&queue->sections))
		free_waiting(queue);
}

/*
 * Puts a chain in front of what is in next. A CPU that has found the last table of the chain may look
 * right now whether it is stray, which shares a word with the chain: the lock of the node is what orders the
 * two. It is taken before the queue's, and waited for even with cursors open: who finds a stray node gives
 * it back at once.
 */
static void put(struct deferred_tables *queue, struct paddr first, size_t count)
{
	struct paddr last = first;

	for (size_t i = 1; i < count; i++)
		last = node_next(last);

	struct slot *node = slot_of(last);

	while (node_try_lock(node) != NODE_LOCKED)
		lock_wait(MM_LOCK_NODE);
	ticket_lock(&queue->lock, MM_LOCK_DEFERRED_TABLES);
	node_set_next(last, queue->next.first);
	node_unlock(node);
	queue->next.first = first;
	queue->next.count += count;
	count_changed(queue, count);
	advance(queue);
	ticket_unlock(&queue->lock);
}

void tables_free(struct paddr first, size_t count)
{
	struct deferred_tables *queue = &mm_this_cpu()->deferred;

	if (read_sections_any() && !CANARY(freed_while_read)) {
		COUNT(tables_deferred, count);
		put(queue, first, count);
		return;
	}
	free_chain(first, count);
	if (deferred_count(queue) == 0)
		return;
	ticket_lock(&queue->lock, MM_LOCK_DEFERRED_TABLES);
	advance(queue);
	ticket_unlock(&queue->lock);
}

static uint64_t drain(struct deferred_tables *queue)
{
	uint64_t freed = 0;

	if (deferred_count(queue) == 0)
		return 0;
	ticket_lock(&queue->lock, MM_LOCK_DEFERRED_TABLES);
	while (deferred_count(queue) != 0) {
		uint64_t before = deferred_count(queue);

		read_sections_wait(&queue->sections);
		advance(queue);
		freed += before - deferred_count(queue);
	}
	ticket_unlock(&queue->lock);
	return freed;
}

uint64_t deferred_tables_drain(void)
{
	uint64_t freed = 0;

	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++)
		freed += drain(&mm_cpu_of(cpu)->deferred);
	return freed;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The logs of a space. */
#include "dirty_log_private.h"
#include "lock.h"
#include "read_section.h"

/* Of the lists of logs of all spaces, for who changes one. Taken below nodes; no other is taken
 * under it. */
static struct ticket_lock logs_lock;

/*
 * Without a lock: whoever takes a leaf that was dirty comes by here. That no log is missed, and that a
 * log whose pages are in @span is not on its way in or out, follows from the locks of nodes: a log is
 * linked and unlinked by a cursor on all of its range, and this is called by one on @span. Of other logs
 * only the range is looked at; they stay where they are until who unlinked them has waited for this
 * section. Acquire: what a log is was written before it was linked. The first look is relaxed: that of a log on
 * @span is not too early, by the same locks, and of others it does not matter.
 */
void dirty_logs_note(struct vm_space *space, struct irange span)
{
	if (atomic_load_explicit(&space->logs, memory_order_relaxed) == NULL)
		return;
	read_section_enter();
	for (struct dirty_log *log = atomic_load_explicit(&space->logs, memory_order_acquire);
	     log != NULL; log = atomic_load_explicit(&log->next, memory_order_acquire)) {
		struct irange part = irange_intersection(log->range, span);

		if (!irange_is_empty(part))
			log_set_bits(log, log->written, part);
	}
	read_section_leave();
}

void log_link(struct dirty_log *log)
{
	struct vm_space *space = log->space;

	if (!log->by_hardware) {
		/* Relaxed, here and below: who asks has the space to itself (vm_space_use_hardware_flags). */
		atomic_fetch_add_explicit(&space->logs_by_fault, 1, memory_order_relaxed);
		return;
	}
	ticket_lock(&logs_lock, MM_LOCK_DIRTY_LOGS);
	/* Relaxed under the lock; release: all of the log, its next one too, is written before it is linked. */
	atomic_store_explicit(&log->next, atomic_load_explicit(&space->logs, memory_order_relaxed),
			      memory_order_relaxed);
	atomic_store_explicit(&space->logs, log, memory_order_release);
	ticket_unlock(&logs_lock);
}

void log_unlink(struct dirty_log *log)
{
	struct vm_space *space = log->space;
	struct dirty_log *_Atomic *link = &space->logs;
	struct dirty_log *other;

	if (!log->by_hardware) {
		atomic_fetch_sub_explicit(&space->logs_by_fault, 1, memory_order_relaxed);
		return;
	}
	ticket_lock(&logs_lock, MM_LOCK_DIRTY_LOGS);
	while ((other = atomic_load_explicit(link, memory_order_relaxed)) != log)
		link = &other->next;
	/* Release: who finds the next log by this word finds what it is, as by the one that goes. */
	atomic_store_explicit(link, atomic_load_explicit(&log->next, memory_order_relaxed),
			      memory_order_release);
	ticket_unlock(&logs_lock);
	/* Not deferred, as tables are: the log and its words are its user's again when this returns. */
	read_section_wait();
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of dirty logs share: dirty_log.c runs them, dirty_log_list.c knows those that hardware
 * writes, dirty_log_stop.c ends them. */
#pragma once

#include <strata/dirty_log.h>
#include "cursor_private.h"
#include "protect_range.h"
#include "report.h"

static inline uint64_t log_page_count(const struct dirty_log *log)
{
	return irange_size(log->range) >> PAGE_SHIFT;
}

static inline uint64_t log_page_index(const struct dirty_log *log, struct iaddr page)
{
	return (page.value - log->range.start.value) >> PAGE_SHIFT;
}

/* Neighbours' bits are changed by other CPUs at the same time. Relaxed: who looks at a bit has its page's node,
 * as who sets it, and the lock of that orders them. */
static inline void log_set_bits(const struct dirty_log *log, _Atomic uint64_t *bits,
				struct irange part)
{
	uint64_t end = log_page_index(log, part.end);

	for (uint64_t page = log_page_index(log, part.start); page < end; page++)
		atomic_fetch_or_explicit(&bits[page / 64], UINT64_C(1) << (page % 64),
					 memory_order_relaxed);
}

/* Whether write access to @page, in the log's range, is, or was, the log's to give. Relaxed, as above. */
static inline bool log_has_taken(const struct dirty_log *log, struct iaddr page)
{
	uint64_t index = log_page_index(log, page);

	return atomic_load_explicit(&log->taken[index / 64], memory_order_relaxed) >> (index % 64) &
	       1;
}

static inline void log_go_to(struct cursor *cursor, struct iaddr position)
{
	enum mm_status status = cursor_jump(cursor, position);

	MM_INVARIANT(status == MM_OK, "a jump inside the range succeeds", position.value);
}

/* As dirty_log_take, for what holds a cursor on all of a log that runs. */
static inline enum mm_status log_check(const struct dirty_log *log, const struct cursor *cursor)
{
	if (irange_is_empty(log->range))
		return MM_OUT_OF_BOUND;
	if (log->space != cursor->space)
		return MM_INVALID_ARGS;
	if (!irange_contains(cursor->range, log->range))
		return MM_OUT_OF_BOUND;
	return cursor->access == CURSOR_MUTABLE ? MM_OK : MM_ACCESS_DENIED;
}

/* @log runs from now on, until it is unlinked; the cursor on its range is held. */
void log_link(struct dirty_log *log);
/* When this returns nobody writes to the log any more. */
void log_unlink(struct dirty_log *log);

struct page_property log_with_write(struct page_property property, void *context);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Read sections: what lets tables, and lists of dirty logs, be read without locks.
 *
 * Promise: what could be found when a CPU entered its read section is not freed before that CPU leaves it.
 * Whoever frees such a thing first makes it unfindable, then notes the sections that CPUs are in, and frees it
 * when those have ended (its grace period): tables by way of a queue (deferred_tables.h), so that nobody
 * waits; a log, whose memory is its user's and so is gone when the call returns, after waiting.
 *
 * A section is short and never waits for a lock: a CPU that waits for sections to end may hold any. Nobody
 * notes or waits in a section of his own.
 */
#pragma once

#include "per_cpu.h"

/*
 * A CPU's counter is odd while it is in a section. The fences make entering and reading, and unlinking and
 * looking at counters, happen in one order for all: either the reader does not find what was unlinked, or who
 * unlinked it sees the reader.
 */
static inline void read_section_enter(void)
{
	_Atomic uint32_t *sections = &mm_this_cpu()->read_sections;

	atomic_store_explicit(sections, atomic_load_explicit(sections, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}

static inline void read_section_leave(void)
{
	_Atomic uint32_t *sections = &mm_this_cpu()->read_sections;

	/* Release: what was read in the section was read before it ended. */
	atomic_store_explicit(sections, atomic_load_explicit(sections, memory_order_relaxed) + 1,
			      memory_order_release);
}

/* Whether some CPU is in a section that may have found what this CPU has just unlinked. */
bool read_sections_any(void);

/* Notes in @out the sections that may have. False: none. */
bool read_sections_note(struct read_sections *out);

/* Whether all noted sections have ended. That of a CPU which has begun 2^31 since may be taken for one that has
 * not: that is late, not wrong. */
bool read_sections_ended(const struct read_sections *sections);

/* Returns when they have. */
void read_sections_wait(const struct read_sections *sections);

/* Returns when every section that may have found what this CPU has just unlinked has ended. */
static inline void read_section_wait(void)
{
	struct read_sections sections;

	if (read_sections_note(&sections))
		read_sections_wait(&sections);
}

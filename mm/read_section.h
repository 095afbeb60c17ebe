/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Read sections: what lets tables be read on the way down without locks.
 *
 * Promise: a table that was reachable when a CPU entered its read section is not freed before that
 * CPU leaves it. Whoever frees tables detaches them first, then waits (read_section_wait).
 *
 * A section is short and never waits for a lock: a CPU that waits for sections to end may hold any.
 */
#pragma once

#include "per_cpu.h"

/*
 * A CPU's counter is odd while it is in a section. The fences make entering and reading tables, and
 * detaching and looking at counters, happen in one order for all: either the reader does not find
 * the detached table, or who detached it sees the reader.
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

/* Returns when every other CPU that was in a read section has left it. */
void read_section_wait(void);

/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of trace_print_states. Each object: what it is; what it is by the model. */
#pragma once

#include "trace.h"

#include <model.h>
#include <store.h>

/* The number that the model has given it; 0: the space is not known to it. */
unsigned int states_space_number(const struct vm_space *name);

/* Cursors, lists, areas, readers and writers. */
void states_print_objects(const struct trace *trace);

/* All owners, and the sharings. */
void states_print_owners(const struct trace *trace);

/* "space 2", "sharing 0, lent"; by the model, and as the subsystem says it. */
void states_print_owner(const struct trace *trace, const struct live_owner *owner);
void states_print_owner_said(const struct trace *trace, struct page_owner said);

static inline unsigned long long states_offset(const struct trace *trace, struct paddr page)
{
	return (unsigned long long)(page.value - trace->objects.memory.start.value);
}

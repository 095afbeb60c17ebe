/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The spaces that live and the cursors that are open, as the model knows them from the operations
 * that made them.
 *
 * Invariant: at most one live space per struct vm_space, at most one open cursor per struct cursor.
 */
#pragma once

#include "arena.h"
#include "page_table_spec.h"
#include "walk.h"

#include <strata/cursor.h>
#include <strata/vm_space.h>
#include <sys/queue.h>

struct live_space {
	LIST_ENTRY(live_space) link;
	const struct vm_space *space; /* a name to find it by */
	unsigned int number;	      /* from 1, in the order they were made */
	const struct vm_space *el2;   /* of a window space: EL2's own below it; else NULL */
	struct live_owner *owner;     /* of what it has; NULL: it owns nothing */
	uint32_t active_cpus;	      /* bit per CPU */
	bool was_active;	      /* on any CPU, ever: a TLB may know VTCR_EL2 */
	struct walk_table table;
	struct space_state state;
};

struct open_cursor {
	LIST_ENTRY(open_cursor) link;
	const struct cursor *cursor; /* a name to find it by */
	struct live_space *space;    /* NULL: it was destroyed under the cursor (S8) */
	unsigned int cpu;	     /* that opened it */
	struct cursor_state state;
	struct mappings before; /* what was mapped in the range of a service that has begun */
	struct paddr new;	/* the frame that it was given, if it was */
	status_set allowed;	/* its statuses; 0: none has begun */
};

/* Names of those that ended last and were not made again: older ones are forgotten. */
#define REGISTRY_ENDED_MAX 64

struct registry {
	struct model_arena arena;
	struct model_pool space_pool;
	struct model_pool cursor_pool;
	struct model_pool extent_pool;
	struct model_pool seen_pool;
	LIST_HEAD(, live_space) spaces;
	LIST_HEAD(, open_cursor) cursors;
	unsigned int spaces_made;
	const void *ended[REGISTRY_ENDED_MAX]; /* spaces and sharings; NULL: none */
	unsigned int ended_next;
};

/* Nothing lives; all storage is cut from @memory. */
void registry_init(struct registry *registry, void *memory, size_t size);

/* NULL: the arena is full. */
struct live_space *registry_add_space(struct registry *registry, const struct vm_space *space);
struct open_cursor *registry_add_cursor(struct registry *registry, struct live_space *space,
					const struct cursor *cursor);

/* NULL: not known. */
struct live_space *registry_space(const struct registry *registry, const struct vm_space *space);
struct open_cursor *registry_cursor(const struct registry *registry, const struct cursor *cursor);

/* Something of that name lives from now on; does not any more. Spaces are told by themselves. */
void registry_begin(struct registry *registry, const void *name);
void registry_end(struct registry *registry, const void *name);
/* Whether it ended, and was not made again; false also of what is not known. */
bool registry_ended(const struct registry *registry, const void *name);

/* Forgets the space with its mappings. A cursor that is open on it is one without a space. */
void registry_remove_space(struct registry *registry, struct live_space *space);
void registry_remove_cursor(struct registry *registry, struct open_cursor *cursor);

/* Whether @cpu has a cursor open, on any space. */
bool registry_has_cursor(const struct registry *registry, unsigned int cpu);

/* Another open cursor than @except (which may be NULL) that holds part of @range; NULL: none. */
struct open_cursor *registry_holder(struct registry *registry, const struct live_space *space,
				    struct irange range, const struct open_cursor *except);

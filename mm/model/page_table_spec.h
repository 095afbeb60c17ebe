/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page table specification: what map, unmap, query, protect, protect_next, replace, find_next and
 * jump must do, as functions on the abstract state of one space and of one cursor in it. (What any page
 * table must do, in the words of a verified one, is in page_table.h: there map, unmap and query name
 * their addresses, and no cursor stands between.)
 *
 * The rule behind all of them: an operation first says which statuses its state and arguments
 * allow. With MM_OK (and MM_NOT_MAPPED where a search says so) the state makes one step, and there
 * is exactly one; with any other status nothing changes, neither mappings nor position. After each
 * step the table in memory must mean what the mappings say.
 *
 *	statuses(state, arguments)	which results are right: usually one; MM_NO_MEMORY besides,
 *					where a table page may be needed
 *	step(state, arguments)		the state after success
 *
 * Two refinements are left to the table, because the abstract state does not know leaf sizes: how
 * many leaf descriptors an unmap removes (an interval), and how much one protect_next changes (one
 * of the leaves there may be). Where no block fits, both are exact.
 *
 * When several refusals apply the interface fixes no order, and each is right.
 */
#pragma once

#include "mappings.h"

#include <strata/cursor.h>
#include <strata/operation.h>
#include <strata/status.h>

/* A set of statuses: bit n is status n. */
typedef uint32_t status_set;

#define STATUS_SET(status) ((status_set)1 << (status))
/* Of what is not known: each is right. */
#define STATUS_ANY (~(status_set)0)
/* Of what there is not: none is right. */
#define STATUS_NONE ((status_set)0)

static inline bool status_in(status_set set, enum mm_status status)
{
	return (unsigned int)status < 32 && (set >> status & 1);
}

/* One space: what it maps, and what never changes about it. */
struct space_state {
	enum translation_stage stage;
	enum vm_space_part part;
	unsigned int ia_bits;
	unsigned int pa_bits;
	bool hardware_flags; /* CPUs set Access flag and dirty state: flags are the least there is */
	struct mappings mappings;
};

/* One open cursor: the range it holds, where it is, whether it may change the table. */
struct cursor_state {
	struct irange range;
	struct iaddr position;
	bool may_change;
};

/* Whether the stage has a descriptor that says exactly @property (page_property.h). */
bool spec_property_expressible(enum translation_stage stage, struct page_property property);

/* What this CPU holds already, of the space in which it opens one more cursor. */
enum held_here {
	HELD_NOTHING,
	HELD_ELSEWHERE, /* of the space: perhaps a node that the new range needs too */
	HELD_IN_RANGE,
};

/* EL2's own Stage 1 maps memory of the subsystem without counting; the others do not. */
static inline bool spec_is_el2s_own(const struct space_state *space)
{
	return space->stage == STAGE_1 && space->part != SPACE_IN_WINDOW;
}

/* Opening. */
status_set spec_open_statuses(const struct space_state *space, struct irange range,
			      enum held_here held);

/* What map and replace are asked for. */
struct map_request {
	struct irange range; /* from the position on */
	struct paddr output; /* of its start */
	struct page_property property;
	bool counted;
	/* Counted, and some of the output is another's; or not, and some of it is the
	 * subsystem's memory. */
	bool output_denied;
};

/*
 * map: the range must be a hole; it becomes one mapping; the position moves past it.
 * Stage 2 maps, counted, only what its owner permits; other spaces than EL2's own map, not counted,
 * only what is not the subsystem's memory.
 */
status_set spec_map_statuses(const struct space_state *space, const struct cursor_state *cursor,
			     const struct map_request *request);
bool spec_map_step(struct space_state *space, struct cursor_state *cursor,
		   const struct map_request *request);

/* replace: one page, where a counted page is mapped; the new one takes its place. */
status_set spec_replace_statuses(const struct space_state *space, const struct cursor_state *cursor,
				 const struct map_request *request);
bool spec_replace_step(struct space_state *space, struct cursor_state *cursor,
		       const struct map_request *request);

/* unmap: the range becomes a hole, nothing else does; the position moves past it. */
status_set spec_unmap_statuses(const struct space_state *space, const struct cursor_state *cursor,
			       struct irange range);
bool spec_unmap_step(struct space_state *space, struct cursor_state *cursor, struct irange range);

/* How many leaves may translate the mapped part of @range: with the largest leaves, with pages. */
struct leaf_bounds {
	uint64_t least;
	uint64_t most;
};

struct leaf_bounds spec_leaf_bounds(const struct mappings *mappings, struct irange range);

/*
 * protect_next: the first mapping in the range gets the property, if there is one, and the position moves
 * past what was changed; if there is none it moves past the range.
 *
 * @changed is right if it is the part in @range of a leaf that can be there.
 */
status_set spec_protect_next_statuses(const struct space_state *space,
				      const struct cursor_state *cursor, struct irange range,
				      struct page_property property);
bool spec_protect_next_changes(const struct mappings *mappings, struct irange range,
			       struct irange changed);
bool spec_protect_next_step(struct space_state *space, struct cursor_state *cursor,
			    struct irange changed, struct page_property property);

/* What protect says becomes of each property: all that it asked its caller. */
struct property_changes {
	const struct property_change *changes;
	size_t count;
};

/*
 * protect: everything mapped in the range gets what @changes say of its property, and the position moves
 * past the range. They must say something of each property there: spec_protect_forgets finds a mapping
 * of which they do not.
 */
status_set spec_protect_statuses(const struct space_state *space, const struct cursor_state *cursor,
				 struct irange range, struct property_changes changes);
bool spec_protect_forgets(const struct space_state *space, struct irange range,
			  struct property_changes changes, struct iaddr *at);
bool spec_protect_step(struct space_state *space, struct cursor_state *cursor, struct irange range,
		       struct property_changes changes);

/* How many leaves may translate what changes. */
struct leaf_bounds spec_changed_leaves(const struct space_state *space, struct irange range,
				       struct property_changes changes);

/*
 * query: the item is true of the position, and its range no larger than the mapping or the hole
 * there. Nothing changes.
 */
status_set spec_query_statuses(const struct space_state *space, const struct cursor_state *cursor);
bool spec_query_agrees(const struct space_state *space, const struct cursor_state *cursor,
		       const struct cursor_item *item);

/* find_next: the position moves to the first mapped address in the range, or past the range. */
status_set spec_find_next_statuses(const struct space_state *space,
				   const struct cursor_state *cursor, struct irange range);
void spec_find_next_step(const struct space_state *space, struct cursor_state *cursor,
			 struct irange range);

/* jump: the position moves to any page of the range, or its end. */
status_set spec_jump_statuses(const struct cursor_state *cursor, struct iaddr target);
void spec_jump_step(struct cursor_state *cursor, struct iaddr target);

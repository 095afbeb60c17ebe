/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The conformance suite: what every page table must do, as claims that are tried on any
 * implementation of the interface (page_table.h).
 *
 * Promise: each claim starts with a table made anew. Around every single call the implementation's
 * own invariants and those of its view are looked at, and the view before, the view after and the
 * result are held against the rules of page_table.h. A claim only says which calls.
 */
#pragma once

#include "page_table.h"

#define CONFORMANCE_LIST(X)                                                                        \
	X(A_NEW_TABLE_IS_EMPTY, "a new table is empty")                                            \
	X(MAP_ADDS_WHAT_IT_IS_ASKED, "map adds exactly what it is asked for")                      \
	X(MAP_KEEPS_OFF_MAPPINGS, "map over any part of a mapping is refused")                     \
	X(MAP_HAS_A_PRECONDITION, "map outside its precondition is refused")                       \
	X(OUTPUTS_MAY_BE_SHARED, "two inputs may lead to one output")                              \
	X(UNMAP_REMOVES_WHAT_IT_IS_ASKED, "unmap removes exactly what it is asked to")             \
	X(UNMAP_SPLITS, "unmap takes a part of what was mapped at once")                           \
	X(UNMAP_OF_A_HOLE_IS_REFUSED, "unmap of a hole is refused")                                \
	X(UNMAP_HAS_A_PRECONDITION, "unmap outside its precondition is refused")                   \
	X(QUERY_FINDS_THE_FRAME, "query finds the frame around each address")                      \
	X(QUERY_FINDS_NO_MORE, "query finds nothing beside a mapping")                             \
	X(QUERY_CHANGES_NOTHING, "query changes nothing")                                          \
	X(PROPERTIES_ARE_KEPT, "every property that can be said is kept")                          \
	X(FRAMES_OF_EVERY_SIZE, "frames of every size are mapped and unmapped")                    \
	X(BOTH_ENDS_ARE_REACHED, "the first and the last address can be mapped")                   \
	X(HOLES_ARE_MAPPED_AGAIN, "what was unmapped can be mapped elsewhere")                     \
	X(ANY_ORDER, "the rules hold whatever the order of calls")

enum conformance_claim {
#define CONFORMANCE_ENUMERATOR(name, text) CONFORMANCE_##name,
	CONFORMANCE_LIST(CONFORMANCE_ENUMERATOR)
#undef CONFORMANCE_ENUMERATOR
		CONFORMANCE_COUNT
};

/* What a claim came to. */
struct conformance_result {
	const char *broken; /* NULL: it holds; else the rule that was broken */
	unsigned int calls; /* of map, unmap and query: none means that nothing was tried */
	/* The call that broke it. */
	const char *call;
	uint64_t address;
};

const char *conformance_text(enum conformance_claim claim);

/*
 * Tries @claim on @table. States are kept in @arena, which may be used again afterwards; if it is
 * full, or the table could not be made, that is what was broken.
 */
struct conformance_result conformance_try(enum conformance_claim claim,
					  const struct page_table_interface *interface, void *table,
					  struct model_arena arena);

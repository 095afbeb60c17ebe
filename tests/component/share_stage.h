/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tests of share certificates share: three owners, what they can do with handles, and what is
 * reported of it.
 */
#pragma once

#include "mapping.h"
#include <strata/frame_list.h>
#include <strata/share.h>
#include <strata/unique_frame.h>

#if STRATA_CHECKED

/* What is done with a handle: of which kind it is, and whether that ends the share. */
#define ACTS(X)                                                                                    \
	X(FRAME_DROP, SHARE_FRAME, true)                                                           \
	X(FRAME_INTO_RAW, SHARE_FRAME, true)                                                       \
	X(FRAME_MAP, SHARE_FRAME, true)                                                            \
	X(FRAME_REPLACE, SHARE_FRAME, true)                                                        \
	X(FRAME_INTO_SEGMENT, SHARE_FRAME, true)                                                   \
	X(FRAME_INTO_UNIQUE, SHARE_FRAME, true)                                                    \
	X(FRAME_CLONE, SHARE_FRAME, false)                                                         \
	X(FRAME_BORROW, SHARE_FRAME, false)                                                        \
	X(FRAME_COUNT, SHARE_FRAME, false)                                                         \
	X(UNIQUE_DROP, SHARE_UNIQUE_FRAME, true)                                                   \
	X(UNIQUE_RESET, SHARE_UNIQUE_FRAME, true)                                                  \
	X(UNIQUE_INTO_RAW, SHARE_UNIQUE_FRAME, true)                                               \
	X(UNIQUE_INTO_SHARED, SHARE_UNIQUE_FRAME, true)                                            \
	X(UNIQUE_PUSH_FRONT, SHARE_UNIQUE_FRAME, true)                                             \
	X(UNIQUE_PUSH_BACK, SHARE_UNIQUE_FRAME, true)                                              \
	X(UNIQUE_INSERT, SHARE_UNIQUE_FRAME, true)                                                 \
	X(UNIQUE_METADATA, SHARE_UNIQUE_FRAME, false)                                              \
	X(UNIQUE_REPURPOSE, SHARE_UNIQUE_FRAME, false)                                             \
	X(SEGMENT_DROP, SHARE_SEGMENT, true)                                                       \
	X(SEGMENT_INTO_RAW, SHARE_SEGMENT, true)                                                   \
	X(SEGMENT_MAP, SHARE_SEGMENT, true)                                                        \
	X(SEGMENT_SPLIT, SHARE_SEGMENT, true)                                                      \
	X(SEGMENT_NEXT, SHARE_SEGMENT, true)                                                       \
	X(SEGMENT_CLONE, SHARE_SEGMENT, false)                                                     \
	X(SEGMENT_SLICE, SHARE_SEGMENT, false)                                                     \
	X(MAKE_FRAME, SHARE_FRAME, false)                                                          \
	X(MAKE_UNIQUE, SHARE_UNIQUE_FRAME, false)                                                  \
	X(MAKE_SEGMENT, SHARE_SEGMENT, false)                                                      \
	X(FRAME_FROM_RAW, SHARE_FRAME, false)                                                      \
	X(UNIQUE_FROM_RAW, SHARE_UNIQUE_FRAME, false)                                              \
	X(SEGMENT_FROM_RAW, SHARE_SEGMENT, false)

enum act {
#define ACT_ENUMERATOR(name, kind, ends) name,
	ACTS(ACT_ENUMERATOR)
#undef ACT_ENUMERATOR
	/* Before it: acts on a handle. */
	FIRST_OTHER_ACT = MAKE_FRAME,
};

struct act_row {
	const char *name;
	enum share_kind kind;
	bool ends;
};

extern const struct act_row acts[];

/* Handles, places to put them, and what came out. */
struct stage {
	struct vm_space space;
	struct cursor cursor; /* at address 0; a page is mapped at address 0x1000 */
	struct frame_list list;
	frame_t frame, other_frame;
	unique_frame_t unique;
	struct segment segment, other_segment;
	struct prange raw;
	enum mm_status status;
	uint64_t answer;
};

enum { SEGMENT_PAGES = 3 };

typedef void (*owner)(struct stage *stage, enum act what);

/* Three owners: what each of them does is done at addresses of its own. */
void maker(struct stage *stage, enum act what);
void ender(struct stage *stage, enum act what);
void culprit(struct stage *stage, enum act what);

/* A stage with a space, a cursor and a list, and reports go to @reported from now on; and its end. */
void set_up(struct world *world, struct stage *stage);
void tear_down(struct stage *stage);

/* What the hook was told last, and how often it was. */
extern struct share_violation reported;
extern unsigned int reports;
void listen(void);
void end_listening(void);

/* The culprit does @what: one report of @sort, by these two owners (NULL: not known), and nothing has
 * changed. */
void expect_violation(struct stage *stage, enum act what, enum share_violation_sort sort,
		      struct prange pages, owner made_by, owner ended_by);

/* The act that makes a handle of @kind, and the one that drops it. */
enum act make_of(enum share_kind kind);
enum act drop_of(enum share_kind kind);

struct prange pages_of(const struct stage *stage, enum share_kind kind);

/* Whoever owns the page after @ended gives it back. */
void clean_up(struct stage *stage, enum act ended);

/* @stage with the handles that it had @before: what somebody kept who should have forgotten them. */
void keep_handles(struct stage *stage, const struct stage *before);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shares: who has which part in a page; watched in checked builds.
 *
 * Invariant: every owner of a page outside the tables is a share. Each handle (frame_t,
 * unique_frame_t, struct segment) that an operation gave out, and each raw address between into_raw
 * and from_raw, stands for one share; a share is made once and ended once, and is used between the
 * two only.
 *
 * In a checked build every handle carries a certificate of its share, and every operation looks at
 * the certificate before anything else. A violation is reported at the call that is guilty of it:
 * what is wrong, the pages, who made the share, who ended it first, and who tries now. The guilty
 * call then does nothing: where it has a status that is MM_INVALID_ARGS; a count is 0, a handle that
 * it should have made is none (each use of it is reported as forged). Handles move by assignment,
 * certificate and all; there is nothing to do for the user.
 *
 * What ends a share: drop; mapping it; into_raw, from_raw; a conversion (a frame to a segment, a
 * unique frame to a shared one and back, a part that is split off or taken out of a segment: what
 * remains has a new share); a frame list taking a unique frame. A call that fails ends nothing.
 * What uses one: everything else that is given a handle, but segment_size, which reads it only.
 *
 *	made ──▶ LIVE ──drop, map, convert──▶ ended: evidence, until 4096 more shares have ended
 *	          │                             ▲
 *	          └──into_raw──▶ a raw share ───┘ from_raw: ended, and a new share made
 *
 * Certificates cost 32 bytes for each page of memory that mm_init was told of, twice as much for the
 * first 8192 (the table of shares, PAGE_META, touched as far as it is used), and 12 for each page of
 * any memory. If there are more
 * shares than places in the table, what is over is not certified: it is not checked, and counted.
 * Counts and pages are the same with certificates as without.
 *
 * Release builds (STRATA_CHECKED = 0): handles have no certificate, and nothing is checked.
 */
#pragma once

#include <arch/address.h>
#include <arch/observe.h>
#include <stdint.h>

/* What a share is a share in. */
#define SHARE_KIND_LIST(X)                                                                         \
	X(SHARE_FRAME, "frame")                                                                    \
	X(SHARE_UNIQUE_FRAME, "unique frame")                                                      \
	X(SHARE_SEGMENT, "segment")

enum share_kind {
#define SHARE_KIND_ENUMERATOR(name, text) name,
	SHARE_KIND_LIST(SHARE_KIND_ENUMERATOR)
#undef SHARE_KIND_ENUMERATOR
};

/* The sorts of violation, each with the sentence that does not hold. */
#define SHARE_VIOLATION_LIST(X)                                                                    \
	X(SHARE_ENDED_TWICE, "a share is ended once")                                              \
	X(SHARE_USED_AFTER_END, "a share is used before it is ended")                              \
	/* As one of the two above, and the page has been freed and given to somebody else. */     \
	X(SHARE_STALE, "a share is of the page's present life")                                    \
	X(SHARE_FORGED, "a handle comes from the subsystem, as it is")                             \
	X(SHARE_BORROWED_ENDED, "a borrowed handle ends no share")                                 \
	X(SHARE_RAW_TAKEN_TWICE, "what became raw once is taken back once")                        \
	X(SHARE_RAW_UNKNOWN, "what is taken back became raw before")

enum share_violation_sort {
#define SHARE_VIOLATION_ENUMERATOR(name, sentence) name,
	SHARE_VIOLATION_LIST(SHARE_VIOLATION_ENUMERATOR)
#undef SHARE_VIOLATION_ENUMERATOR
};

/* Owners are code addresses: where the public function that made or ended the share returned to. */
struct share_violation {
	enum share_violation_sort sort;
	enum share_kind kind; /* what the guilty call takes its argument for */
	struct prange pages;  /* as the guilty call was given them */
	uintptr_t made_by;    /* 0 if that is not known (any more) */
	uintptr_t ended_by;   /* 0 if that is not known, or the share is not ended */
	uintptr_t caller;     /* of the guilty call */
};

#if STRATA_CHECKED

/* In every handle; fields are private. All zero: no share. */
struct share_certificate {
	uint32_t index;
	uint32_t nonce;
};

typedef void (*share_violation_hook)(const struct share_violation *violation);

/* Puts @hook in the place of the present one, mm_config's at first, which it returns. Set while no
 * operation is in flight. */
share_violation_hook share_violation_attach(share_violation_hook hook);

/* "frame", "unique frame", "segment". */
const char *share_kind_name(enum share_kind kind);
/* The sentence. */
const char *share_violation_name(enum share_violation_sort sort);

struct share_statistics {
	uint64_t capacity;    /* shares that can be certified at one time */
	uint64_t certified;   /* shares that are now; raw ones, too */
	uint64_t uncertified; /* shares that were made while the table was full, since mm_init */
	uint64_t violations;  /* reported since mm_init */
};

/* Exact when no operation is in flight. */
struct share_statistics share_statistics(void);

#endif

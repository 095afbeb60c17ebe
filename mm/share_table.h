/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of shares, and how places in it are taken.
 *
 * Invariant: a place below the frontier holds a share; the ended ones are in one queue, in the order
 * of their ends, and the raw ones of a page are in the page's chain.
 */
#pragma once

#include "share.h"

#if STRATA_CHECKED

#include <stdatomic.h>
#include "linear.h"
#include "lock.h"

/* A certificate's index: of its share, and whether it is borrowed. */
#define INDEX_BORROWED (UINT32_C(1) << 31)
#define INDEX_UNCERTIFIED (INDEX_BORROWED - 1)
#define INDEX_NONE UINT32_C(0) /* the table's first place stays empty */

/* So many ended shares stay as evidence before the oldest one's place is used again. */
#define EVIDENCE 4096
#define TABLE_SLACK UINT64_C(8192) /* or the number of pages, if that is less */

enum share_state {
	SHARE_LIVE,
	SHARE_CLAIMED, /* by an operation that will end it, unless it fails */
	SHARE_RAW,
	SHARE_ENDED,
	SHARE_TAKEN, /* ended, and was raw */
};

struct share {
	struct paddr start;
	uint32_t pages;
	uint32_t nonce;	 /* of no other share, for 2^32 shares */
	int32_t made_by; /* code addresses, from this file's own; 0: not known */
	int32_t ended_by;
	uint32_t
		next; /* of a raw share: the page's next one; of an ended one: the next to be reused */
	uint8_t kind;
	uint8_t state;
};

_Static_assert(sizeof(struct share) == 32, "strata/share.h says how large it is");

struct share_table {
	struct ticket_lock lock;
	struct share *table;
	uint32_t capacity;		/* places in the table, the empty one too */
	uint32_t frontier;		/* the first place that was never used */
	uint32_t oldest, newest, ended; /* ended shares, in the order of their ends */
	uint32_t uncertified_raw;	/* raw shares that are not in the table */
	_Atomic uint32_t nonce;		/* the last one given out */
	struct share_statistics statistics;
	share_violation_hook violation;
};

extern MM_PRIVATE struct share_table shares;

/* Code addresses, as a share keeps them. */
int32_t share_code_offset(uintptr_t address);
uintptr_t share_code_address(int32_t offset);

/* Nonces wrap. */
static inline bool share_is_newer(uint32_t nonce, uint32_t than)
{
	return (int32_t)(nonce - than) > 0;
}

/* The rest is for the holder of the table's lock. */

bool share_is_of(const struct share *share, enum share_kind kind, struct prange pages);

/* A new share in the table; INDEX_NONE, and it is counted, if that is full. */
uint32_t share_add(enum share_kind kind, struct prange pages, uintptr_t by, enum share_state state);

/* The share becomes evidence. @state: SHARE_ENDED or SHARE_TAKEN. */
void share_end(uint32_t index, enum share_state state);

#endif

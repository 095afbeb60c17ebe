/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Certifying shares: what the modules with handles do at each step of a handle's life.
 *
 * The macros take a handle with a member certificate, and are nothing in release builds. Those that
 * are conditions are false after a violation was reported: the caller then returns.
 *
 * The table's lock is the innermost of all: certificates are looked at under any other.
 */
#pragma once

#include <strata/mm.h>
#include <strata/share.h>
#include <stdbool.h>

#if STRATA_CHECKED

/* What is known of each page; in its zone, and made with its slot. */
struct share_page {
	uint32_t born;	/* the last nonce given out before the page's present life began */
	uint32_t raw;	/* the first of its raw shares, 0 if there is none */
	uint32_t taken; /* the last raw share that was taken back */
};

/* Bytes of table for @pages pages of memory; whole pages. */
uint64_t shares_table_size(uint64_t pages);

/* Start: nobody has a share. The table is not touched. */
void shares_init(const struct mm_config *config, struct prange table);

/* A page's life begins: shares made from now on are of this life. */
void share_page_born(struct share_page *page);

void share_make(enum share_kind kind, struct prange pages, uintptr_t by,
		struct share_certificate *out);
bool share_use(struct share_certificate certificate, enum share_kind kind, struct prange pages,
	       uintptr_t by);
bool share_claim(struct share_certificate certificate, enum share_kind kind, struct prange pages,
		 uintptr_t by);
void share_settle(struct share_certificate certificate, bool ended);
void share_make_raw(enum share_kind kind, struct prange pages, uintptr_t by);
bool share_take_raw(enum share_kind kind, struct prange pages, uintptr_t by,
		    struct share_certificate *out);
struct share_certificate share_borrow(struct share_certificate certificate);

/* Who called the public function that this stands in. */
#define SHARE_CALLER() ((uintptr_t)__builtin_return_address(0))

/* The handle gets a new share. */
#define SHARE_MAKE(handle, kind, pages, by) share_make(kind, pages, by, &(handle)->certificate)

/* Whether the handle has a share that is not ended. */
#define SHARE_USE(handle, kind, pages, by) share_use((handle)->certificate, kind, pages, by)

/* As SHARE_USE; and nobody else can end it until SHARE_SETTLE says whether it is ended. */
#define SHARE_CLAIM(handle, kind, pages, by) share_claim((handle)->certificate, kind, pages, by)
#define SHARE_SETTLE(handle, ended) share_settle((handle)->certificate, ended)

/* As SHARE_USE; and the share is ended. */
#define SHARE_END(handle, kind, pages, by)                                                         \
	(SHARE_CLAIM(handle, kind, pages, by) && (SHARE_SETTLE(handle, true), true))

/* There is a raw share of the pages; and one of them is taken back, and the handle gets a new one. */
#define SHARE_MAKE_RAW(kind, pages, by) share_make_raw(kind, pages, by)
#define SHARE_TAKE_RAW(handle, kind, pages, by)                                                    \
	share_take_raw(kind, pages, by, &(handle)->certificate)

/* The handle is from now on a second name for what it was copied from. */
#define SHARE_BORROW(handle) ((handle)->certificate = share_borrow((handle)->certificate))

#else

#define SHARE_CALLER() ((uintptr_t)0)
#define SHARE_NOTHING(handle, pages, by) ((void)(handle), (void)(pages), (void)(by))
#define SHARE_MAKE(handle, kind, pages, by) SHARE_NOTHING(handle, pages, by)
#define SHARE_USE(handle, kind, pages, by) (SHARE_NOTHING(handle, pages, by), true)
#define SHARE_CLAIM(handle, kind, pages, by) (SHARE_NOTHING(handle, pages, by), true)
#define SHARE_SETTLE(handle, ended) ((void)(handle))
#define SHARE_END(handle, kind, pages, by) (SHARE_NOTHING(handle, pages, by), true)
#define SHARE_MAKE_RAW(kind, pages, by) SHARE_NOTHING(NULL, pages, by)
#define SHARE_TAKE_RAW(handle, kind, pages, by) (SHARE_NOTHING(handle, pages, by), true)
#define SHARE_BORROW(handle) ((void)(handle))

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Typed metadata of a frame.
 *
 * Invariant: a page of usage PAGE_FRAME has at most one metadata object, set when the page was
 * taken or while it was unique (strata/unique_frame.h); when the last reference goes, the object's
 * kind is told, once, before the page is free.
 *
 * The object is its user's: a structure with a struct frame_metadata in it, kept where it is until
 * on_drop or the repurposing of the frame.
 */
#pragma once

#include <arch/address.h>

struct frame_metadata;

/* What frames of one type have in common; constant, and compared by address. */
struct frame_kind {
	const char *name;
	/*
	 * @page has lost its last reference: its contents are still there, and @metadata is its
	 * user's again. It must not take references to @page, nor open a cursor: it may be called
	 * while a flush drops what was parked. May be NULL.
	 */
	void (*on_drop)(struct frame_metadata *metadata, struct paddr page);
};

struct frame_metadata {
	const struct frame_kind *kind;
};

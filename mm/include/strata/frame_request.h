/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests for memory that not any page can satisfy.
 */
#pragma once

#include <strata/segment.h>

struct frame_request {
	uint64_t page_count; /* contiguous, at least one */
	uint64_t alignment;  /* of the first page's physical address: a power of two, at least
				PAGE_SIZE; 0 stands for PAGE_SIZE */
	struct paddr limit;  /* every page lies below; 0: no limit */
	uint32_t colours;    /* of the cache that is partitioned: a power of two; 0: any colour */
	uint32_t colour;     /* of the first page, below colours: its number modulo colours */
	enum frame_contents contents;
};

/*
 * Takes free pages as @request wants them.
 *
 * MM_INVALID_ARGS: a member is outside its domain, or no address can satisfy both alignment and
 *	colour.
 * MM_NO_MEMORY: no such pages are free inside one free block (as segment_alloc).
 */
MM_MUST_CHECK enum mm_status segment_request(const struct frame_request *request,
					     struct segment *out);

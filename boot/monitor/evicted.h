/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pages that the monitor took out of a guest's space and will give back: a list on the heap, the
 * oldest first, of any length.
 */
#pragma once

#include <strata/frame.h>
#include <strata/page_property.h>

struct evicted_page {
	struct evicted_page *next;
	struct iaddr page;
	struct page_property property; /* to be mapped with */
	frame_t frame;
};

struct evicted_list {
	struct evicted_page *first; /* NULL: none */
	size_t count;
};

/* A record, which is in no list. MM_NO_MEMORY. */
MM_MUST_CHECK enum mm_status evicted_page_new(struct evicted_page **out);
/* Its frame is the caller's, or was never there. */
void evicted_page_free(struct evicted_page *evicted);

/* The one at @page, or NULL. */
struct evicted_page *evicted_find(const struct evicted_list *list, struct iaddr page);

/* Whether there is one in @range. */
bool evicted_any(const struct evicted_list *list, struct irange range);

/* Every evicted page of @range is to be mapped with @flags too. */
void evicted_add_flags(struct evicted_list *list, struct irange range, uint8_t flags);

/* @evicted is the list's from now on, as the youngest. */
void evicted_add(struct evicted_list *list, struct evicted_page *evicted);

/* @evicted, which is in the list, is the caller's again. */
void evicted_remove(struct evicted_list *list, struct evicted_page *evicted);

/* Drops every frame; the list is empty. */
void evicted_drop_all(struct evicted_list *list);

/* SPDX-License-Identifier: BSD-3-Clause */
/* Stories of a dirty log (story.h): one of pages 0 to 3, which could be written. */
#pragma once

#include "story.h"

/* What an operation on the log says when it begins, and when it ends, from page @position on. */
void log_begins(enum mm_operation_kind kind, struct irange range);
void log_ends(enum mm_operation_kind kind, struct irange range, uint64_t position,
	      enum mm_status status, const uint64_t *list);

/* @count pages from page @first on get another property. */
void change_pages(unsigned int first, unsigned int count, struct page_property was,
		  struct page_property becomes, uint64_t leaf);

/* A log begins that protects the first @count of its pages; all four, by faults. */
void start_log_with(unsigned int count, struct page_property becomes, uint64_t leaf);
void start_log(void);

/* A write to page @page faults, and may be made. */
void fault_on(unsigned int page, bool gives);

/* The list is taken, as @list; page @page is protected again, if it is one of them. */
void take_list(unsigned int page, uint64_t list);

/* The log ends, and the first @count of its pages can be written. */
void stop_log(unsigned int count);

/* What to map page @page with instead of @given. */
void adopt_page(unsigned int page, struct page_property given, struct page_property said);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simplest page table there is: a list of pages, each mapped or not.
 *
 * It shares no thought with the engine: no tree, no descriptor, no lock. What both do alike is what
 * the rules of page_table.h ask for; what only one does was never asked for. Its levels are those of
 * no CPU, 4 KiB, 16 KiB and 64 KiB, of which it only uses the last.
 */
#pragma once

#include "page_table.h"

#define NAIVE_PAGES 64

struct naive_table {
	struct naive_page {
		bool mapped;
		uint64_t output;
		struct page_property property;
	} pages[NAIVE_PAGES];
};

/* Its object is a struct naive_table. */
extern const struct page_table_interface naive_table_interface;

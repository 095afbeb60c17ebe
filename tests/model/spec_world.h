/* SPDX-License-Identifier: BSD-3-Clause */
/* What tests of the page table specification work in: a Stage-2 space with a cursor, and nothing mapped. */
#pragma once

#include <page_table_spec.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DATA page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK)

struct spec_world {
	struct model_arena arena;
	struct model_pool pool;
	struct space_state space;
	struct cursor_state cursor; /* on the first bytes, at their start */
	unsigned char memory[32768];
};

/* @size bytes are the cursor's. Outputs have 40 bits. */
void spec_world_init(struct spec_world *world, unsigned int ia_bits, uint64_t size);

/* @count pages. */
struct irange pages_from_position(const struct spec_world *world, uint64_t count);

/* Exactly @status, or besides it MM_NO_MEMORY. */
void expect_only(status_set allowed, enum mm_status status);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stream of operations made by hand over tables made by hand, told to the model. The truth makes no
 * difference, and every lie makes exactly one, that names it.
 *
 * One Stage-2 space of 30 bits: the root in ROOT, and LEAVES for its first 2 MiB. Each story begins
 * with pages 0 to 3 mapped to data pages 0 to 3, and the cursor, on 64 pages, at page 4.
 */
#pragma once

#include "fake_machine.h"

#include <model.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ROOT fake_page(16)
#define LEAVES fake_page(17)
#define DATA_PAGE 40

#define RW page_property(PAGE_READ | PAGE_WRITE | PAGE_ACCESSED, CACHE_WRITEBACK)
#define RO page_property(PAGE_READ | PAGE_ACCESSED, CACHE_WRITEBACK)

/* Read-write, never executed, write-back, accessed, counted: a page but for its address. */
#define LEAF_RW UINT64_C(0x00400000000007ff)
#define LEAF_RO (LEAF_RW & ~(UINT64_C(1) << 7))
#define NOT_COUNTED (UINT64_C(1) << 55)
#define TABLE_TYPE UINT64_C(3)

#define ARENA_SIZE 65536

extern unsigned char story_arena[ARENA_SIZE];
extern struct vm_space story_space;
extern struct cursor story_cursor;

/* What the model said first and last, and how many lines it said. */
extern char story_first_line[400];
extern char story_last_line[400];
extern unsigned int story_lines;
/* And what it said of invariants that no longer hold. */
extern char story_broken[2000];
void story_complain(const char *text);

int story_set_up(void **state);
int story_tear_down(void **state);

#define STORY(name) cmocka_unit_test_setup_teardown(name, story_set_up, story_tear_down)

/* Address of data page @page. */
uint64_t data(unsigned int page);
/* @count pages from page @first on. */
struct irange pages(uint64_t first, uint64_t count);

/* Makes data page @page a frame with one reference, and descriptor @index of LEAVES a leaf for it. */
void write_leaf(unsigned int index, unsigned int page, uint64_t leaf);

/* An operation on the space. */
void tell_space(enum mm_operation_kind kind, enum mm_status status);

/* That a map into @space claimed @pages, or did not. */
void tell_claim(const struct vm_space *space, struct prange pages, enum mm_status status);

/* An operation on the cursor, as an engine reports it, which moved the cursor to page @after. A map of
 * pages that nobody has claims them first. */
void tell(struct mm_operation operation, uint64_t after);

void tell_open(enum cursor_access access, uint64_t first, uint64_t count);
void tell_jump(uint64_t page);
/* At the position: a mapping of @count pages to data pages from @page on, and its end. */
void tell_map(uint64_t page, unsigned int count, enum mm_status status);
void tell_unmap(unsigned int count, uint64_t leaves);
/* @count data pages from page @first on: parked behind the cursor's flush; invalidated and dropped. */
void tell_park(unsigned int first, unsigned int count);
void tell_release(unsigned int first, unsigned int count);

void expect_truth(void);
/* One difference, and @words are in what was said of it. */
void expect_lie(const char *words);
/* It was said that this invariant does not hold of what came of the lie. */
void expect_broken(const char *number);

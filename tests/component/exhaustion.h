/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Allocations that fail, for every operation of the public headers: one row each.
 *
 *	static const struct exhaustion_row rows[] = { CURSOR_ROWS(EXHAUSTION_ROW) };
 *
 * A row that needs PAGES is tried with its first allocation failing, then its second, and so on until
 * none fails: each time the status is MM_NO_MEMORY, and counts, tables, bytes and the position are
 * what they were. A row that needs NOTHING succeeds where the next allocation would fail. The style
 * suite holds the rows against the headers: every operation has one.
 */
#pragma once

#include <strata/dirty_log.h>
#include <strata/fault.h>
#include <strata/frame_list.h>
#include <strata/heap.h>
#include <strata/io_mem.h>
#include <strata/ownership.h>
#include <strata/window.h>
#include "vm_io_place.h"

#if STRATA_CHECKED

#define SCENE_FRAMES 3
#define SCENE_LOG_PAGES 1024

/* What an operation is tried on. A handle that is all zero is none; what is there is given back at
 * the end, whoever made it. */
struct scene {
	struct world *world;
	struct vm_space space;
	struct irange range; /* of the cursor; empty: none is opened */
	uint64_t position;
	enum cursor_access access;
	struct cursor cursor;
	frame_t frames[SCENE_FRAMES];
	frame_t other;
	unique_frame_t unique;
	struct segment segment;
	struct segment rest;
	struct frame_list list;
	struct sharing *sharing;
	void *object;
	void *hoard; /* objects chained by their first words */
	struct kvirt_space *kvirt;
	struct kvirt_area *area;
	uint64_t offset; /* into area, of an address aligned to 2 MiB */
	struct io_mem io_mem;
	struct windows *windows;
	struct dirty_log log;
	_Atomic uint64_t words[DIRTY_LOG_WORDS(SCENE_LOG_PAGES)];
	uint64_t written[DIRTY_LIST_WORDS(SCENE_LOG_PAGES)];
	struct place place;
	struct vm_reader reader;
	struct vm_writer writer;
	uint64_t buffer[8];
	uint64_t number;
};

enum exhaustion_need {
	PAGES,	 /* allocates; fails, and changes nothing, if that fails */
	NOTHING, /* allocates nothing */
};

struct exhaustion_row {
	const char *operation;
	enum exhaustion_need need;
	void (*prepare)(struct scene *scene);
	enum mm_status (*run)(struct scene *scene);
};

/* X(operation, need, prepare, expression): @expression is the call, on @scene. */
#define EXHAUSTION_RUN(name, need, prepare, expression)                                            \
	static enum mm_status run_##name(struct scene *scene)                                      \
	{                                                                                          \
		(void)scene;                                                                       \
		return expression;                                                                 \
	}
#define EXHAUSTION_ROW(name, need, prepare, expression) { #name, need, prepare, run_##name },

/* Tries every row. */
void exhaust(struct world *world, const struct exhaustion_row *rows, size_t count);

/* @handle is void if @status is MM_OK: the operation took it over. */
#define TAKEN(handle, status) taken((status), (handle), sizeof(*(handle)))

enum mm_status taken(enum mm_status status, void *handle, size_t size);

/* Every page for an object of the heap is one more from here on: no slab has a free cell. */
void hoard_cells(struct scene *scene);

/* Nothing at all. */
void no_scene(struct scene *scene);

#endif
